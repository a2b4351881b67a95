package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Gate;
import dev.selvedge.LoopExceptionHandler;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class QueuedTest extends HandlerFixture {
  private final List<String> slow = Collections.synchronizedList(new ArrayList<>());
  private final List<String> fallen = Collections.synchronizedList(new ArrayList<>());
  private final Gate gate = new Gate();

  private static String text(ExceptionContext context) {
    Throwable exception = context.exception();
    return exception == null ? "warning" : exception.getMessage();
  }

  private final LoopExceptionHandler toSlow =
      (_, context) -> {
        gate.pass();
        slow.add(text(context));
      };
  private final LoopExceptionHandler toFallback = (_, context) -> fallen.add(text(context));

  @Test
  @DisplayName(
      "who reports does not wait; beyond the capacity the fallback is called there and then")
  void fullQueue() {
    var begun = new CountDownLatch(1);
    try (Queued queued =
        Queued.create(
            2,
            (loop, context) -> {
              begun.countDown();
              toSlow.handle(loop, context);
            },
            toFallback)) {
      queued.handle(loop, failure("1"));
      await().until(() -> begun.getCount() == 0);
      for (int i = 2; i <= 5; i++) {
        queued.handle(loop, failure(String.valueOf(i)));
      }
      assertThat(fallen).containsExactly("4", "5");
      assertThat(slow).isEmpty();
      gate.open();
    }
    assertThat(slow).containsExactly("1", "2", "3");
  }

  @Test
  @DisplayName("close waits for what is queued, takes no more, and may be called again")
  void closeDrains() throws Exception {
    Queued queued = Queued.create(100, toSlow, toFallback);
    for (int i = 0; i < 100; i++) {
      queued.handle(loop, failure(String.valueOf(i)));
    }
    Thread closer = Thread.ofVirtual().start(queued::close);
    await().until(() -> closer.getState() == Thread.State.WAITING);
    queued.handle(loop, failure("late"));
    gate.open();
    closer.join();
    queued.close();
    assertThat(slow).hasSize(100).startsWith("0", "1").endsWith("99");
    assertThat(fallen).containsExactly("late");
  }

  @Test
  @DisplayName("an interrupt does not end the wait of close, and is seen afterwards")
  void interruptedClose() throws Exception {
    Queued queued = Queued.create(10, toSlow, toFallback);
    queued.handle(loop, failure("1"));
    var flag = new AtomicReference<Boolean>();
    Thread closer =
        Thread.ofVirtual()
            .start(() -> {
              Thread.currentThread().interrupt();
              queued.close();
              flag.set(Thread.interrupted());
            });
    await().until(() -> closer.getState() == Thread.State.WAITING);
    gate.open();
    closer.join();
    assertThat(flag).hasValue(true);
    assertThat(slow).containsExactly("1");
  }

  @Test
  @DisplayName("a slow handler is not interrupted by close, and its own interrupt goes no further")
  void undisturbed() {
    var interrupted = new ArrayList<Boolean>();
    gate.open();
    try (Queued queued =
        Queued.create(
            10,
            (_, _) -> {
              interrupted.add(Thread.currentThread().isInterrupted());
              Thread.currentThread().interrupt();
            },
            toFallback)) {
      queued.handle(loop, failure("1"));
      await().until(() -> interrupted.size() == 1);
      queued.handle(loop, failure("2"));
      queued.handle(loop, failure("3"));
    }
    assertThat(interrupted).startsWith(false, false).hasSize(3);
    assertThat(fallen).isEmpty();
  }

  @Test
  @DisplayName("what the slow handler throws goes to the fallback, after its report")
  void slowThrows() {
    try (Queued queued =
        Queued.create(10, throwing(new IllegalStateException("broken")), toFallback)) {
      queued.handle(loop, failure("1"));
      queued.handle(loop, failure("2"));
    }
    assertThat(fallen).containsExactly("1", "broken", "2", "broken");
  }

  @Test
  @DisplayName("if the fallback throws too, everything is printed")
  void bothThrow() {
    PrintStream before = System.err;
    var bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try (Queued queued =
        Queued.create(
            10,
            throwing(new IllegalStateException("broken")),
            throwing(new IllegalStateException("broken too")))) {
      queued.handle(loop, failure("lost"));
    } finally {
      System.setErr(before);
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .contains("IOException: lost")
        .contains("IllegalStateException: broken")
        .contains("Suppressed: java.lang.IllegalStateException: broken too");
  }

  @Test
  @DisplayName("a slow handler that closes its own queue is refused")
  void closesItself() {
    var queue = new AtomicReference<Queued>();
    try (Queued queued = Queued.create(1, (_, _) -> queue.get().close(), toFallback)) {
      queue.set(queued);
      queued.handle(loop, failure("1"));
    }
    assertThat(fallen)
        .containsExactly(
            "1", "the slow handler must not close its queue: it would wait for itself");
  }

  @Test
  @DisplayName("a capacity below 1 is refused, and so is a missing handler")
  void badInput() {
    assertThatThrownBy(() -> Queued.create(0, toSlow, toFallback))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("capacity must be at least 1: 0");
    assertThatThrownBy(() -> Queued.create(1, null, toFallback)).hasMessage("slow");
    assertThatThrownBy(() -> Queued.create(1, toSlow, null)).hasMessage("fallback");
  }
}
