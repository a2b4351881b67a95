package dev.selvedge.examples;

import java.io.IOException;
import java.io.Serial;

/** A file that was read in full and is not what its checksum file says. */
final class ChecksumMismatchException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  ChecksumMismatchException(String expected, String actual) {
    super("SHA-1 is " + actual + ", expected " + expected);
  }
}
