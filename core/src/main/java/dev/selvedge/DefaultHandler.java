package dev.selvedge;

import java.nio.charset.Charset;
import java.util.TreeMap;

/** Prints a report to {@code System.err}, in one write so that reports do not mix. */
final class DefaultHandler {
  private DefaultHandler() {}

  static void print(ExceptionContext context) {
    byte[] text = text(context).getBytes(charset());
    System.err.write(text, 0, text.length);
    System.err.flush();
  }

  private static Charset charset() {
    return System.err.charset();
  }

  static String text(ExceptionContext context) {
    var text = new StringBuilder(StackText.escape(context.message())).append('\n');
    if (context.future() != null) {
      line(text, "future", context.future());
    }
    new TreeMap<>(context.details()).forEach((key, value) -> line(text, key, value));
    if (context.exception() != null) {
      text.append(StackText.trace(context.exception()));
    }
    return text.toString();
  }

  private static void line(StringBuilder text, String key, Object value) {
    String printed;
    try {
      printed = "" + value; // also if toString returns null
    } catch (Throwable broken) {
      printed = value.getClass().getName() + " (toString threw " + StackText.describe(broken) + ")";
    }
    text.append(StackText.escape(key)).append(": ").append(StackText.escape(printed)).append('\n');
  }
}
