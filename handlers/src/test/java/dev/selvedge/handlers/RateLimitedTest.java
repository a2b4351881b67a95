package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class RateLimitedTest extends HandlerFixture {
  private static final Duration WINDOW = Duration.ofSeconds(10);

  private static IOException thrownHere(String message) {
    return new IOException(message);
  }

  private void awaitReports(int count) {
    await().until(() -> reported.contexts().size() == count);
  }

  @Test
  @DisplayName("a storm is one report, then a count for each window, then nothing")
  void aStorm() {
    try (RateLimited limited = RateLimited.create(WINDOW, reported)) {
      loop.setExceptionHandler(limited);
      for (int i = 0; i < 42; i++) {
        fail("poller", thrownHere("failure " + i));
      }
      assertThat(reported.exceptions())
          .extracting(Throwable::getMessage)
          .containsExactly("failure 0");

      clock.advance(WINDOW);
      awaitReports(2);
      ExceptionContext count = reported.contexts().stream().toList().getLast();
      assertThat(count.message())
          .startsWith("41 times more: java.io.IOException at ")
          .contains("RateLimitedTest.thrownHere(RateLimitedTest.java:")
          .endsWith(" in poller");
      assertThat(count.exception()).hasMessage("failure 41");
      assertThat(count.future().name()).isEqualTo("poller");
      assertThat(count.details()).containsEntry("count", 41).containsEntry("window", WINDOW);

      fail("poller", thrownHere("failure 42"));
      assertThat(reported.contexts()).hasSize(2);
      clock.advance(WINDOW);
      awaitReports(3);
      assertThat(reported.messages().getLast()).startsWith("Once more: ");

      await().until(() -> clock.alarms() == 1);
      clock.advance(WINDOW);
      await().until(() -> clock.alarms() == 0);
      fail("poller", thrownHere("another storm"));
      assertThat(reported.exceptions().getLast()).hasMessage("another storm");
    }
    assertThat(reported.contexts()).hasSize(4);
  }

  @Test
  @DisplayName("another class, another place, another task: another storm")
  void fingerprints() {
    try (RateLimited limited = RateLimited.create(WINDOW, reported)) {
      loop.setExceptionHandler(limited);
      fail("a", thrownHere("1"));
      fail("b", thrownHere("2"));
      fail("a", new IOException("3"));
      fail("a", new IllegalStateException("4"));
      limited.handle(loop, context(null));
      limited.handle(loop, new ExceptionContext("Something else", null, null, Map.of()));
      fail("a", thrownHere("5"));
      limited.handle(loop, context(null));
      assertThat(reported.messages()).hasSize(6);
    }
    assertThat(reported.messages().subList(6, 8))
        .anyMatch(message -> message.startsWith("Once more: java.io.IOException at "))
        .contains("Once more: Something happened");
  }

  @Test
  @DisplayName("an exception without frames is told by its class and task")
  void noFrames() {
    var bare = new IOException("bare");
    bare.setStackTrace(new StackTraceElement[0]);
    try (RateLimited limited = RateLimited.create(WINDOW, reported)) {
      limited.handle(loop, context(bare));
      limited.handle(loop, context(bare));
    }
    assertThat(reported.messages())
        .containsExactly("Something happened", "Once more: java.io.IOException");
  }

  @Test
  @DisplayName("names that differ in numbers alone are the same, as those of tasks without a name")
  void numbersInNames() {
    var failure = thrownHere("lost");
    try (RateLimited limited = RateLimited.create(WINDOW, reported)) {
      loop.setExceptionHandler(limited);
      for (int i = 0; i < 20; i++) {
        loop.launch(() -> {
          throw failure;
        });
        fail("order-" + i + " of 20", failure);
      }
      assertThat(reported.messages()).hasSize(2);
    }
    assertThat(reported.messages().subList(2, 4))
        .allMatch(message -> message.startsWith("19 times more: java.io.IOException at "))
        .anyMatch(message -> message.endsWith(" in task-#"))
        .anyMatch(message -> message.endsWith(" in order-# of #"));
  }

  private static ExceptionContext warning(int number) {
    return new ExceptionContext("warning " + number, null, null, Map.of());
  }

  @Test
  @DisplayName("beyond a thousand storms a failure counts by its class alone, so a new one is told")
  void byClass() {
    try (RateLimited limited = RateLimited.create(WINDOW, reported)) {
      for (int i = 0; i < 1_000; i++) {
        limited.handle(loop, warning(i));
      }
      loop.setExceptionHandler(limited);
      fail("a", thrownHere("1"));
      fail("b", new IOException("2"));
      fail("c", new IllegalStateException("3"));
      limited.handle(loop, context(new OutOfMemoryError("4")));
      assertThat(reported.exceptions())
          .extracting(Throwable::getMessage)
          .containsExactly("1", "3", "4");
    }
    assertThat(reported.messages()).hasSize(1_004).endsWith("Once more: java.io.IOException");
  }

  @Test
  @DisplayName("what has no place among two thousand storms is passed on, and not remembered")
  void bounded() {
    try (RateLimited limited = RateLimited.create(WINDOW, reported)) {
      for (int i = 0; i < 2_500; i++) {
        limited.handle(loop, warning(i));
      }
      assertThat(reported.messages()).hasSize(2_500);
      assertThat(clock.alarms()).isEqualTo(2_000);
      limited.handle(loop, warning(1_999));
      limited.handle(loop, warning(2_000));
      assertThat(reported.messages()).hasSize(2_501).endsWith("warning 2000");
    }
    assertThat(reported.messages()).hasSize(2_502).endsWith("Once more: warning 1999");
  }

  @Test
  @DisplayName("a count goes to the loop of its task, the one of the last report")
  void countOfTwoLoops() {
    var told = new ArrayList<String>();
    try (RateLimited limited =
            RateLimited.create(
                WINDOW,
                (to, context) -> told.add(to.name() + " of " + context.future().ownerName()));
        Loop other = Loop.builder().name("other").clock(clock).exceptionHandler(limited).build()) {
      loop.setExceptionHandler(limited);
      fail("poller", thrownHere("1"));
      fail(other, "poller", thrownHere("2"));
      clock.advance(WINDOW);
      await().until(() -> told.size() == 2);
    }
    assertThat(told).containsExactly("orders of orders", "other of other");
  }

  @Test
  @DisplayName("close reports what was counted; afterwards everything is passed on")
  void closeReports() {
    RateLimited limited = RateLimited.create(WINDOW, reported);
    limited.handle(loop, context(null));
    limited.handle(loop, context(null));
    limited.handle(loop, context(null));
    limited.close();
    limited.close();
    limited.handle(loop, context(null));
    limited.handle(loop, context(null));
    assertThat(reported.messages())
        .containsExactly(
            "Something happened",
            "2 times more: Something happened",
            "Something happened",
            "Something happened");
  }

  @Test
  @DisplayName("close waits for a count that is being reported")
  void closeWaits() throws Exception {
    var gate = new Gate();
    RateLimited limited =
        RateLimited.create(
            WINDOW,
            (loop, context) -> {
              if (context.details().containsKey("count")) {
                gate.pass();
              }
              reported.handle(loop, context);
            });
    limited.handle(loop, context(null));
    limited.handle(loop, context(null));
    clock.advance(WINDOW);
    await().until(() -> clock.alarms() == 1);
    Thread closer = Thread.ofVirtual().start(limited::close);
    await().until(() -> closer.getState() == Thread.State.WAITING);
    assertThat(reported.contexts()).hasSize(1);
    gate.open();
    closer.join();
    assertThat(reported.contexts()).hasSize(2);
  }

  @Test
  @DisplayName("a count that the next handler cannot take is printed")
  void countsOfABrokenHandler() {
    PrintStream before = System.err;
    var bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try (RateLimited limited =
        RateLimited.create(WINDOW, throwing(new IllegalStateException("broken")))) {
      assertThatThrownBy(() -> limited.handle(loop, context(null))).hasMessage("broken");
      limited.handle(loop, context(null));
    } finally {
      System.setErr(before);
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .contains("Once more: Something happened")
        .contains("IllegalStateException: broken");
  }

  @Test
  @DisplayName("a window has to be positive, and the next handler is needed")
  void badInput() {
    assertThatThrownBy(() -> RateLimited.create(Duration.ZERO, reported))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("window must be longer than zero: PT0S");
    assertThatThrownBy(() -> RateLimited.create(null, reported)).hasMessage("window");
    assertThatThrownBy(() -> RateLimited.create(WINDOW, null)).hasMessage("next");
  }
}
