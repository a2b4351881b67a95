package dev.selvedge.examples;

import java.io.IOException;
import java.io.Serial;

/** A checksum file that holds no SHA-1. */
final class MalformedChecksumException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  MalformedChecksumException(String message) {
    super(message);
  }
}
