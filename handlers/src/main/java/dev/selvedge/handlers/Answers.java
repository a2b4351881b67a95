package dev.selvedge.handlers;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks exceptions of other people's making, which may throw instead: that must not keep a report
 * from where it goes.
 */
final class Answers {
  /** As many others an exception takes along, as those of core do. */
  private static final int MOST_SUPPRESSED = 16;

  private static final StackTraceElement[] NO_FRAMES = {};

  private Answers() {}

  /** What it says of itself; null only if it says so. */
  static @Nullable String text(Supplier<@Nullable String> question) {
    try {
      return question.get();
    } catch (Throwable broken) {
      return "(no text: " + broken.getClass().getName() + ")";
    }
  }

  static StackTraceElement[] frames(Throwable exception) {
    try {
      return exception.getStackTrace();
    } catch (Throwable broken) {
      return NO_FRAMES;
    }
  }

  static @Nullable Throwable cause(Throwable exception) {
    try {
      return exception.getCause();
    } catch (Throwable broken) {
      return null;
    }
  }

  /**
   * Suppresses one exception in another.
   *
   * @return false if that one refuses it or has many; true also if it is there already
   */
  @SuppressWarnings("ReferenceEquality") // an exception may call itself equal to others
  static boolean suppress(Throwable in, Throwable other) {
    synchronized (in) {
      if (in == other) {
        return true;
      }
      Throwable[] present = in.getSuppressed();
      for (Throwable each : present) {
        if (each == other) {
          return true;
        }
      }
      if (present.length >= MOST_SUPPRESSED) {
        return false;
      }
      in.addSuppressed(other);
      return in.getSuppressed().length > present.length;
    }
  }
}
