package dev.selvedge;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.TreeMap;

/** Prints a report to {@code System.err}, in one write so that reports do not mix. */
final class DefaultHandler {
  private DefaultHandler() {}

  static void print(ExceptionContext context) {
    String text = text(context);
    if (!isPrinted(text)) {
      printRaw(text);
    }
  }

  /** A stream that was closed, or has ever failed, only remembers that it is in trouble. */
  private static boolean isPrinted(String text) {
    PrintStream err = System.err;
    try {
      byte[] bytes = text.getBytes(err.charset());
      err.write(bytes, 0, bytes.length);
      return !err.checkError();
    } catch (Throwable broken) {
      return false;
    }
  }

  /** To the process's own standard error, whatever the program has put in its place. */
  static void printRaw(String text) {
    // Not closed: the descriptor is the process's.
    var raw = new FileOutputStream(FileDescriptor.err);
    try {
      raw.write(text.getBytes(Charset.defaultCharset()));
    } catch (IOException closed) {
      // There is nobody left to tell it to.
    }
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
