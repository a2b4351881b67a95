package dev.selvedge.examples;

import java.time.Duration;
import java.util.Locale;

/**
 * How far the work is at one moment.
 *
 * @param found how many files there are, as far as is known
 * @param foundAll whether that is the final number
 * @param passed files that are what their checksum says
 * @param failed files that are not, or could not be read
 * @param cancelled files whose check was cancelled
 * @param running files that are being checked
 * @param bytes what was read
 * @param elapsed since the beginning
 */
record Figures(
    long found,
    boolean foundAll,
    long passed,
    long failed,
    long cancelled,
    long running,
    long bytes,
    Duration elapsed) {

  /** Files whose check came to its end. */
  long checked() {
    return passed + failed;
  }

  double megabytes() {
    return bytes / 1e6;
  }

  double megabytesPerSecond() {
    return elapsed.isZero() ? 0 : bytes * 1e3 / elapsed.toNanos();
  }

  double seconds() {
    return elapsed.toNanos() / 1e9;
  }

  /** One line for a log. */
  String line() {
    return String.format(
        Locale.ROOT,
        "%.0f s: %d of %d%s files, %.1f MB, %.1f MB/s, %s, %d running",
        seconds(),
        checked(),
        found,
        foundAll ? "" : "+",
        megabytes(),
        megabytesPerSecond(),
        counted(failed, "failure"),
        running);
  }

  /** The part of it that a bar does not show. */
  String note() {
    return String.format(
        Locale.ROOT, "%.1f MB/s, %s", megabytesPerSecond(), counted(failed, "failure"));
  }

  static String counted(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
