package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ChildJvm;
import dev.selvedge.ExceptionContext;
import dev.selvedge.handlers.Journal.ExceptionEntry;
import dev.selvedge.handlers.programs.Journals;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Reports that are hard to write. */
class JournalContentTest extends JournalFixture {
  /** Everything that one may ask it fails. */
  private static final class Broken extends IOException {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw new AssertionError("no message");
    }

    @Override
    public String toString() {
      throw new AssertionError("no text");
    }

    @Override
    public StackTraceElement[] getStackTrace() {
      throw new AssertionError("no frames");
    }

    @Override
    public synchronized Throwable getCause() {
      throw new AssertionError("no cause");
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  private void write(ExceptionContext context) throws IOException {
    try (Journal journal = open()) {
      journal.handle(loop, context);
    }
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("an exception that answers nothing is written nevertheless, and what is below it")
  void brokenException() throws Exception {
    var outer = new IllegalStateException("outer", new Broken());
    outer.addSuppressed(new IOException("below"));
    write(context(outer));
    ExceptionEntry exception = entries().getFirst().exception();
    assertThat(exception.message()).isEqualTo("outer");
    assertThat(exception.suppressed()).extracting(ExceptionEntry::message).containsExactly("below");
    ExceptionEntry broken = exception.cause();
    assertThat(broken.type()).isEqualTo(Broken.class.getName());
    assertThat(broken.message()).isEqualTo("(no text: java.lang.AssertionError)");
    assertThat(broken.stack()).isEmpty();
    assertThat(broken.cause()).isNull();
  }

  @Test
  @DisplayName("a detail without a text is written nevertheless")
  void brokenDetails() throws Exception {
    Object broken = new Broken();
    Object silent =
        new Object() {
          @Override
          public String toString() {
            return null;
          }
        };
    write(new ExceptionContext("m", null, null, Map.of("broken", broken, "silent", silent)));
    assertThat(entries().getFirst().details())
        .containsEntry("broken", "(no text: java.lang.AssertionError)")
        .containsEntry("silent", "null");
  }

  @Test
  @DisplayName("half a letter, control characters and line ends of all kinds keep to their line")
  void letters() throws Exception {
    String odd = "\ud834 half \udd1e, \u0000\u0007\r\n\u0085\u2028\u2029 whole 𝄞";
    write(context(new IOException(odd)));
    write(context(new IOException("next")));
    assertThat(messages()).containsExactly(odd.replace("\ud834 half \udd1e", "? half ?"), "next");
  }

  @Test
  @DisplayName("a message of three million letters, and a key of a hundred thousand, are read back")
  void huge() throws Exception {
    String message = "x".repeat(3_000_000);
    String key = "k".repeat(100_000);
    write(new ExceptionContext("m", new IOException(message), null, Map.of(key, "value")));
    assertThat(entries().getFirst().exception().message()).isEqualTo(message);
    assertThat(entries().getFirst().details()).containsEntry(key, "value");
  }

  @Test
  @DisplayName("thousands of suppressed ones, each with others below it, are written once")
  void wide() throws Exception {
    int count = 2_000;
    var outer = new IOException("outer");
    var inner = new IOException[count];
    for (int i = 0; i < count; i++) {
      inner[i] = new IOException("inner");
      inner[i].setStackTrace(new StackTraceElement[0]);
      outer.addSuppressed(inner[i]);
      if (i > 0) {
        inner[i].addSuppressed(inner[i - 1]);
        inner[i - 1].addSuppressed(inner[i]);
      }
    }
    write(context(outer));
    assertThat(entries().getFirst().exception().suppressed()).hasSize(count);
    assertThat(Files.size(path())).isLessThan(count * 1_000);
  }

  @Test
  @DisplayName("no file descriptor is left: the first report is written nevertheless")
  @Tag("virtual-only") // the program's loop makes its threads itself
  void noDescriptors() throws Exception {
    try (ChildJvm child =
        ChildJvm.startLimited("ulimit -n 200", Journals.class, "starve", path().toString())) {
      ChildJvm.Ended ended = child.awaitEnd();
      assertThat(ended.out()).as(ended.err()).containsExactly("0 elsewhere");
    }
    assertThat(messages()).containsExactly("starving");
  }
}
