package dev.selvedge.examples.storefront;

import java.io.IOException;

/** A backend has answered, but not with what it was asked for. */
public final class BackendException extends IOException {
  private static final long serialVersionUID = 1L;

  BackendException(String backend, int status) {
    super(backend + " answers " + status);
  }
}
