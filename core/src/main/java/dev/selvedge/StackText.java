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
              Body.class,
              CancelScope.class,
              Context.class,
              Failed.class,
              Failures.class,
              FutureCopy.class,
              Guests.class,
              Handle.class,
              ListedTask.class,
              Loop.class,
              LoopExecutor.class,
              Owner.class,
              Places.class,
              Reports.class,
              Run.class,
              ShieldView.class,
              Strand.class,
              Task.class,
              TaskImpl.class,
              TaskScope.class,
              TaskTrace.class,
              Timeout.class)
          .map(Class::getName)
          .collect(Collectors.toUnmodifiableSet());

  private static final String GATHER = "dev.selvedge.gather.";

  /** The innermost frame that is neither the JDK's nor the library's; without one the innermost. */
  static String caller(List<StackTraceElement> stack) {
    for (StackTraceElement frame : stack) {
      String type = frame.getClassName();
      int nested = type.indexOf('$');
      if (!type.startsWith("java.")
          && !type.startsWith("jdk.")
          && !type.startsWith("sun.")
          && !type.startsWith(GATHER)
          && !OWN.contains(nested < 0 ? type : type.substring(0, nested))) {
        return frame.toString();
      }
    }
    return stack.isEmpty() ? "an unknown place" : stack.getFirst().toString();
  }

  /** Bound while a value or a message is printed: one that contains its own task has an end. */
  private static final ScopedValue<Boolean> PRINTING = ScopedValue.newInstance();

  private static final int LONGEST = 200;

  /** A value, shortened; never throws. */
  static String value(@Nullable Object value) {
    return print(() -> String.valueOf((Object) (value == null ? "null" : value.toString())));
  }

  /** The class and message, shortened; never throws. */
  static String describe(Throwable thrown) {
    String name = thrown.getClass().getName();
    String message = message(thrown);
    return message.isEmpty() ? name : name.concat(": ").concat(message);
  }

  /** The message, shortened, empty if there is none; never throws. */
  static String message(Throwable thrown) {
    return print(() -> thrown.getMessage() == null ? "" : thrown.getMessage());
  }

  private static String print(ScopedValue.CallableOp<String, RuntimeException> printer) {
    if (PRINTING.isBound()) {
      return "...";
    }
    try {
      String text = escape(ScopedValue.where(PRINTING, true).call(printer));
      return text.length() <= LONGEST ? text : text.substring(0, LONGEST).concat("...");
    } catch (Throwable broken) {
      // Without a string template: on a stack that has overflowed it could not be linked.
      return "(printing threw ".concat(broken.getClass().getName()).concat(")");
    }
  }

  /** A thread by its name, or by its number if it has none. */
  static String name(Thread thread) {
    return "thread " + (thread.getName().isEmpty() ? "#" + thread.threadId() : thread.getName());
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
