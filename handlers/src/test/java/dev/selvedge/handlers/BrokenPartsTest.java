package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.Gate;
import dev.selvedge.LoopExceptionHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Handlers whose parts, or whose reports, do what they should not. */
class BrokenPartsTest extends HandlerFixture {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  /** As the JVM's own stackless ones: it takes no company. */
  private static final class Lonely extends RuntimeException {
    private static final long serialVersionUID = 1;

    Lonely(String message) {
      super(message, null, false, false);
    }
  }

  /** Answers nothing that it is asked. */
  private static final class Silent extends OutOfMemoryError {
    private static final long serialVersionUID = 1;

    @Override
    public String toString() {
      throw new IllegalStateException("no text");
    }

    @Override
    public StackTraceElement[] getStackTrace() {
      throw new IllegalStateException("no frames");
    }

    @Override
    public synchronized Throwable getCause() {
      throw new IllegalStateException("no cause");
    }
  }

  private static String printed(Runnable action) {
    PrintStream before = System.err;
    var bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      action.run();
    } finally {
      System.setErr(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  @DisplayName("all: what the first exception does not take along is printed")
  void refusedCompany() {
    LoopExceptionHandler all =
        Handlers.all(throwing(new Lonely("first")), throwing(new IllegalStateException("second")));
    String printed =
        printed(() -> assertThatThrownBy(() -> all.handle(loop, failure("a"))).hasMessage("first"));
    assertThat(printed)
        .startsWith("Exception in one of several exception handlers\nhandler: ")
        .contains("java.lang.IllegalStateException: second");
  }

  @Test
  @DisplayName("all: an exception that is thrown each time does not grow for ever")
  void sharedException() {
    var shared = new IllegalStateException("shared");
    LoopExceptionHandler all =
        Handlers.all(
            throwing(shared),
            (_, _) -> {
              throw new IllegalStateException("another");
            });
    String printed =
        printed(() -> {
          for (int i = 0; i < 20; i++) {
            assertThatThrownBy(() -> all.handle(loop, failure("a"))).isSameAs(shared);
          }
        });
    assertThat(shared.getSuppressed().length).isEqualTo(16);
    assertThat(printed.split("IllegalStateException: another", -1)).hasSize(5);
  }

  @Test
  @DisplayName("Queued: neither of two exceptions that take no company is lost")
  void queuedRefusedCompany() {
    String printed =
        printed(() -> {
          try (Queued queued =
              Queued.create(1, throwing(new Lonely("slow")), throwing(new Lonely("fallback")))) {
            queued.handle(loop, failure("lost"));
          }
        });
    assertThat(printed).contains("IOException: lost", "Lonely: slow", "Lonely: fallback");
  }

  @Test
  @DisplayName(
      "Queued: even if nothing can be printed, what is queued behind goes on, and close ends")
  void nothingLeft() {
    var second = new CopyOnWriteArrayList<String>();
    var gate = new Gate();
    PrintStream before = System.err;
    System.setErr(
        new PrintStream(OutputStream.nullOutputStream()) {
          @Override
          public void write(byte[] bytes, int offset, int length) {
            throw new AssertionError("no output");
          }

          @Override
          public void println(Object line) {
            throw new AssertionError("no output");
          }
        });
    try (Queued queued =
        Queued.create(
            1,
            (_, context) -> {
              gate.pass();
              if (context.exception().getMessage().equals("1")) {
                throw new IllegalStateException("broken");
              }
              second.add(context.exception().getMessage());
            },
            throwing(new IllegalStateException("broken too")))) {
      queued.handle(loop, failure("1"));
      await()
          .until(() -> {
            try {
              queued.handle(loop, failure("2"));
              return true;
            } catch (IllegalStateException full) {
              return false;
            }
          });
      gate.open();
    } finally {
      System.setErr(before);
    }
    assertThat(second).containsExactly("2");
  }

  @Test
  @DisplayName("RateLimited: an exception that answers nothing is told by its class, and passed on")
  void silentInAStorm() {
    try (RateLimited limited = RateLimited.create(MINUTE, reported)) {
      limited.handle(loop, context(new Silent()));
      limited.handle(loop, context(new Silent()));
    }
    assertThat(reported.messages())
        .containsExactly("Something happened", "Once more: " + Silent.class.getName());
  }

  @Test
  @DisplayName("RateLimited: who closes second waits for what the first one reports")
  void closedTwiceAtOnce() throws Exception {
    var gate = new Gate();
    var counting = new AtomicInteger();
    RateLimited limited =
        RateLimited.create(
            MINUTE,
            (from, context) -> {
              if (context.details().containsKey("count")) {
                counting.incrementAndGet();
                gate.pass();
                reported.handle(from, context);
              }
            });
    limited.handle(loop, failure("a"));
    limited.handle(loop, context(null));
    limited.handle(loop, context(null));
    Thread first = Thread.ofVirtual().start(limited::close);
    await().until(() -> counting.get() == 1);
    Thread second = Thread.ofVirtual().start(limited::close);
    await()
        .until(() ->
            second.getState() == Thread.State.WAITING
                || second.getState() == Thread.State.TERMINATED);
    assertThat(second.getState()).isEqualTo(Thread.State.WAITING);
    gate.open();
    first.join();
    second.join();
    assertThat(reported.contexts()).hasSize(1);
  }

  @Test
  @DisplayName("Watchdog: a fatal failure that answers nothing ends the process all the same")
  void silentAndFatal() {
    var exit = new AtomicInteger();
    var watchdog = new Watchdog(Watchdog.builder().grace(Duration.ofMillis(1)), exit::set, _ -> {});
    watchdog.handle(loop, context(new Silent()));
    await().until(() -> exit.get() == 70);
  }

  @Test
  @DisplayName("Watchdog: a fatal failure that is suppressed in another is fatal; circles end")
  void suppressedAndFatal() {
    var exits = new AtomicInteger();
    var watchdog =
        new Watchdog(
            Watchdog.builder().grace(Duration.ofMillis(1)), _ -> exits.incrementAndGet(), _ -> {});
    var outer = new IOException("outer");
    var inner = new IllegalStateException("inner", outer);
    outer.addSuppressed(inner);
    watchdog.handle(loop, context(outer));
    assertThat(exits).hasValue(0);
    inner.addSuppressed(new IOException(new OutOfMemoryError("heap")));
    watchdog.handle(loop, context(outer));
    await().until(() -> exits.get() == 1);
  }
}
