package dev.selvedge.spring;

import org.jspecify.annotations.Nullable;

/** What endpoints say of names, messages and values: of a bounded length, whatever these do. */
final class Texts {
  private static final int LONGEST = 1_000;
  private static final StackTraceElement[] NO_FRAMES = {};

  private Texts() {}

  static String cut(String text) {
    return text.length() <= LONGEST ? text : text.substring(0, LONGEST - 1) + "…";
  }

  static @Nullable String cutOrNull(@Nullable String text) {
    return text == null ? null : cut(text);
  }

  static String of(Object value) {
    try {
      return String.valueOf(value);
    } catch (Throwable broken) {
      return value.getClass().getName() + " whose toString throws " + broken.getClass().getName();
    }
  }

  static @Nullable String message(Throwable thrown) {
    try {
      return thrown.getMessage();
    } catch (Throwable broken) {
      return "getMessage throws " + broken.getClass().getName();
    }
  }

  static @Nullable Throwable cause(Throwable thrown) {
    try {
      return thrown.getCause();
    } catch (Throwable broken) {
      return null;
    }
  }

  static StackTraceElement[] frames(Throwable thrown) {
    try {
      return thrown.getStackTrace();
    } catch (Throwable broken) {
      return NO_FRAMES;
    }
  }

  static String describe(Throwable thrown) {
    String message = message(thrown);
    String type = thrown.getClass().getName();
    return cut(message == null ? type : type + ": " + message);
  }
}
