package dev.selvedge;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Exceptions and stacks as text that a terminal or a log can take, whatever is in them. */
final class StackText {
  private StackText() {}

  /** A printer whose lines have their control characters escaped, but for leading tabs. */
  private static final class EscapingWriter extends PrintWriter {
    EscapingWriter(Writer out) {
      super(out);
    }

    @Override
    public void println(@Nullable Object line) {
      String text = String.valueOf(line);
      int start = 0;
      while (start < text.length() && text.charAt(start) == '\t') {
        start++;
      }
      super.print(text.substring(0, start) + escape(text.substring(start)) + "\n");
    }

    @Override
    public void println(@Nullable String line) {
      println((Object) line);
    }
  }

  static String of(StackTraceElement[] stack) {
    var text = new StringBuilder();
    for (StackTraceElement frame : stack) {
      text.append(text.isEmpty() ? "at " : ", at ").append(frame);
    }
    return text.toString();
  }

  private static final Set<String> OWN =
      Stream.of(
              CancelScope.class,
              Context.class,
              Failures.class,
              Loop.class,
              Owner.class,
              Reports.class,
              Strand.class,
              Task.class,
              TaskImpl.class,
              TaskScope.class,
              TaskTrace.class,
              Timeout.class)
          .map(Class::getName)
          .collect(Collectors.toUnmodifiableSet());

  /** The innermost frame that is neither the JDK's nor the library's; without one the innermost. */
  static String caller(List<StackTraceElement> stack) {
    for (StackTraceElement frame : stack) {
      String type = frame.getClassName();
      int nested = type.indexOf('$');
      if (!type.startsWith("java.")
          && !type.startsWith("jdk.")
          && !type.startsWith("sun.")
          && !OWN.contains(nested < 0 ? type : type.substring(0, nested))) {
        return frame.toString();
      }
    }
    return stack.isEmpty() ? "an unknown place" : stack.getFirst().toString();
  }

  /** Bound while a value is printed, so that one which contains its own task comes to an end. */
  private static final ScopedValue<Boolean> PRINTING = ScopedValue.newInstance();

  private static final int LONGEST_VALUE = 100;

  /** A value, shortened; never throws. */
  static String value(@Nullable Object value) {
    if (PRINTING.isBound()) {
      return "...";
    }
    try {
      String text = ScopedValue.where(PRINTING, true).call(() -> escape(String.valueOf(value)));
      return text.length() <= LONGEST_VALUE ? text : text.substring(0, LONGEST_VALUE) + "...";
    } catch (Throwable broken) {
      return "(toString threw " + broken.getClass().getName() + ")";
    }
  }

  /** The stack trace with causes and suppressed exceptions; never throws. */
  static String trace(Throwable thrown) {
    var text = new StringWriter();
    try {
      thrown.printStackTrace(new EscapingWriter(text));
      return text.toString();
    } catch (Throwable broken) {
      return describe(thrown) + "\n" + frames(thrown);
    }
  }

  /** The frames alone, for an exception that cannot print itself. */
  private static String frames(Throwable thrown) {
    try {
      var text = new StringBuilder();
      for (StackTraceElement frame : thrown.getStackTrace()) {
        text.append("\tat ").append(frame).append('\n');
      }
      return text.toString();
    } catch (Throwable broken) {
      return "\t(its trace threw " + broken.getClass().getName() + ")\n";
    }
  }

  /** The class and message; never throws. */
  static String describe(Throwable thrown) {
    String name = thrown.getClass().getName();
    try {
      String message = thrown.getMessage();
      return message == null ? name : name + ": " + escape(message);
    } catch (Throwable broken) {
      return name + " (its message threw " + broken.getClass().getName() + ")";
    }
  }

  /** The text with each control character as a Unicode escape. */
  static String escape(String text) {
    if (text.chars().noneMatch(Character::isISOControl)) {
      return text;
    }
    var escaped = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> escaped.append("\\n");
        case '\r' -> escaped.append("\\r");
        case '\t' -> escaped.append("\\t");
        default -> {
          if (Character.isISOControl(c)) {
            escaped.append("\\u%04x".formatted((int) c));
          } else {
            escaped.append(c);
          }
        }
      }
    }
    return escaped.toString();
  }
}
