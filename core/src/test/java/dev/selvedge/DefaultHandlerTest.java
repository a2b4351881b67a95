package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** What is printed when nobody has set a handler. */
@ExtendWith(Oracle.class)
@ResourceLock(Resources.SYSTEM_ERR)
class DefaultHandlerTest {
  /** Counts how often it is written to. */
  private static final class CountingStream extends ByteArrayOutputStream {
    private final AtomicInteger writes = new AtomicInteger();

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
      writes.incrementAndGet();
      super.write(bytes, offset, length);
    }

    @Override
    public synchronized void write(int b) {
      writes.incrementAndGet();
      super.write(b);
    }
  }

  private final PrintStream before = System.err;
  private final CountingStream printed = new CountingStream();

  @BeforeEach
  void capture() {
    System.setErr(new PrintStream(printed, false, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    System.setErr(before);
  }

  @Test
  @DisplayName("HND-09: message, future line, details in alphabetical order, stack trace")
  void theOrderOfTheLines() throws Exception {
    var failure = new IOException("what failed", new IllegalStateException("the cause"));
    try (Loop loop = Threads.builder().build()) {
      Task<String, RuntimeException> task = loop.createTask("the task", () -> "value");
      task.await();

      loop.defaultExceptionHandler(
          new ExceptionContext(
              "what happened", failure, task, Map.of("zebra", 1, "apple", "two", "mango", 3L)));

      assertThat(text().lines().limit(6))
          .containsExactly(
              "what happened",
              "future: " + task,
              "apple: two",
              "mango: 3",
              "zebra: 1",
              "java.io.IOException: what failed");
      assertThat(text())
          .contains("\tat " + DefaultHandlerTest.class.getName() + ".theOrderOfTheLines")
          .contains("Caused by: java.lang.IllegalStateException: the cause")
          .endsWith("\n");
      assertThat(task.toString()).contains("the task");
    }
  }

  @Test
  @DisplayName("HND-09: an orphan is printed with message, future line and trace, in one write")
  void anOrphanIsPrintedInOneWrite() {
    try (Loop loop = Threads.builder().build()) {
      Task<Object, IOException> task =
          loop.createTask(
              "orphan",
              () -> {
                throw new IOException("nobody reads this");
              });
      await().until(task::isDone);
    }

    assertThat(printed.writes).hasValue(1);
    assertThat(text())
        .startsWith("Task exception was never retrieved\nfuture: Task[orphan, id=")
        .contains("java.io.IOException: nobody reads this\n\tat ");
  }

  @Test
  @DisplayName("HND-09: a warning has neither exception nor trace")
  void aWarningHasNoTrace() {
    try (Loop loop = Threads.builder().build()) {
      loop.callExceptionHandler(new ExceptionContext("a warning", null, null, Map.of("key", 1)));
    }

    assertThat(text()).isEqualTo("a warning\nkey: 1\n");
    assertThat(printed.writes).hasValue(1);
  }

  @Test
  @DisplayName("HND-09: control characters in names, messages, details and exceptions are escaped")
  void controlCharactersAreEscaped() throws Exception {
    String evil = "a\u001b[2Jb\nfuture: forged\r\u0000c\td\u009be";
    String harmless = "a\\u001b[2Jb\\nfuture: forged\\r\\u0000c\\td\\u009be";
    var failure = new IOException(evil, new IllegalStateException(evil));
    failure.addSuppressed(new IllegalArgumentException(evil));
    try (Loop loop = Threads.builder().build()) {
      Task<String, RuntimeException> task = loop.createTask(evil, () -> "value");
      task.await();

      loop.defaultExceptionHandler(
          new ExceptionContext(evil, failure, task, Map.of("k\u0007ey", evil)));
    }

    assertThat(text().lines())
        .startsWith(harmless)
        .anyMatch(line -> line.startsWith("future: Task[" + harmless + ", id="))
        .contains(
            "k\\u0007ey: " + harmless,
            "java.io.IOException: " + harmless,
            "Caused by: java.lang.IllegalStateException: " + harmless,
            "\tSuppressed: java.lang.IllegalArgumentException: " + harmless);
    assertThat(text().chars().filter(Character::isISOControl).distinct())
        .containsExactlyInAnyOrder((int) '\n', (int) '\t');
  }

  @Test
  @DisplayName("HND-09: what throws while it is printed is printed all the same")
  void whatThrowsWhileItIsPrintedIsPrinted() {
    var broken =
        new Object() {
          @Override
          public String toString() {
            throw new IllegalStateException("no text");
          }
        };
    var failure =
        new RuntimeException() {
          private static final long serialVersionUID = 1L;

          @Override
          public String getMessage() {
            throw new IllegalStateException("no message");
          }
        };
    try (Loop loop = Threads.builder().build()) {
      loop.callExceptionHandler(
          new ExceptionContext("both broken", failure, null, Map.of("detail", broken)));
    }

    assertThat(text())
        .startsWith("both broken\ndetail: " + broken.getClass().getName())
        .contains("no text")
        .contains(failure.getClass().getName())
        .contains("whatThrowsWhileItIsPrintedIsPrinted");
    assertThat(printed.writes).hasValue(1);
  }

  @Test
  @DisplayName("HND-09: an exception that cannot even give its frames is named")
  void whatHasNoFramesIsNamed() {
    var failure =
        new RuntimeException("no frames") {
          private static final long serialVersionUID = 1L;

          @Override
          public void printStackTrace(PrintWriter out) {
            throw new IllegalStateException("not printed");
          }

          @Override
          public StackTraceElement[] getStackTrace() {
            throw new UnsupportedOperationException("no frames");
          }
        };

    assertThat(StackText.trace(failure))
        .isEqualTo(
            failure.getClass().getName()
                + ": no frames\n\t(its trace threw java.lang.UnsupportedOperationException)\n");
  }

  @Test
  @DisplayName(
      "a caller is named by the innermost frame where all are the library's, or as unknown")
  void callersWithoutAFrameOfTheirOwn() {
    var inner = new StackTraceElement("java.lang.Thread", "sleep", "Thread.java", 1);
    var outer = new StackTraceElement(Loop.class.getName(), "run", "Loop.java", 2);

    assertThat(StackText.caller(List.of(inner, outer))).isEqualTo(inner.toString());
    assertThat(StackText.caller(List.of())).isEqualTo("an unknown place");
  }

  @Test
  @DisplayName(
      "HND-02: asMap has message, exception, future and the details; absent keys are absent")
  void theContextAsAMap() throws Exception {
    var failure = new IOException("what failed");
    try (Loop loop = Threads.builder().build()) {
      Task<String, RuntimeException> task = loop.createTask(() -> "value");
      task.await();
      var full = new ExceptionContext("what happened", failure, task, Map.of("b", 2, "a", 1));
      var bare = new ExceptionContext("what happened", null, null, Map.of());
      var shadowing =
          new ExceptionContext(
              "what happened", null, null, Map.of("message", "forged", "future", "mine"));

      assertThat(full.asMap())
          .containsExactly(
              Map.entry("message", "what happened"),
              Map.entry("exception", failure),
              Map.entry("future", task),
              Map.entry("a", 1),
              Map.entry("b", 2));
      assertThat(bare.asMap()).containsOnlyKeys("message");
      assertThat(shadowing.asMap())
          .containsExactly(Map.entry("message", "what happened"), Map.entry("future", "mine"));
      assertThat(full.asMap()).isUnmodifiable();
    }
  }

  @Test
  @DisplayName("a detail without a value is refused by its name")
  void aDetailWithoutAValue() {
    var details = new HashMap<String, Object>();
    details.put("attempt", null);

    assertThatNullPointerException()
        .isThrownBy(() -> new ExceptionContext("what happened", null, null, details))
        .withMessage("details: attempt");
  }

  private String text() {
    return printed.toString(StandardCharsets.UTF_8);
  }
}
