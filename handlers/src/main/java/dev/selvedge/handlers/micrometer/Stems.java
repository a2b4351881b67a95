package dev.selvedge.handlers.micrometer;

/** Names without their numbers. */
final class Stems {
  static final String UNNAMED = "task";

  private static final String SEPARATORS = " -_.:/#";

  private Stems() {}

  static String stem(String name) {
    int end = name.length();
    while (end > 0 && isDigit(name.charAt(end - 1))) {
      end--;
    }
    if (end < name.length()) {
      while (end > 0 && SEPARATORS.indexOf(name.charAt(end - 1)) >= 0) {
        end--;
      }
    }
    return end == 0 ? UNNAMED : name.substring(0, end);
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
