package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code Loop.run}: what comes out of it, and when. */
@Tag("virtual-only")
@ExtendWith(Oracle.class)
class RunTest {
  private static final Duration EVER = Duration.ofDays(1);

  private final Threads.Reported reported = new Threads.Reported();
  private final Queue<String> events = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void listen() {
    Loop.current().setExceptionHandler(reported);
  }

  @AfterEach
  void stopListening() {
    Loop.current().setExceptionHandler(null);
  }

  @Test
  @DisplayName("RUN-01, SHUT-08: run returns the value of main after every finally block")
  void runReturnsTheValueAfterEveryFinallyBlock() throws Exception {
    var left = new AtomicReference<Loop>();

    String value =
        Loop.run(loop -> {
          left.set(loop);
          sleeper(loop, "a");
          sleeper(loop, "b");
          events.add("main");
          return "value";
        });
    events.add("returned");

    assertThat(value).isEqualTo("value");
    assertThat(events).startsWith("main").contains("a finally", "b finally").endsWith("returned");
    assertThat(events).hasSize(4);
    assertThat(left.get().isClosed()).isTrue();
    assertThat(left.get().isRunning()).isFalse();
    assertThat(left.get().allTasks()).isEmpty();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "RUN-01: run throws the identical failure of main after every finally block, unreported")
  void runThrowsTheIdenticalFailure() {
    var failure = new IOException("main failed");

    assertThatThrownBy(() ->
            Loop.run(loop -> {
              sleeper(loop, "a");
              throw failure;
            }))
        .isSameAs(failure);

    assertThat(events).containsExactly("a finally");
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("KBI-09: an Error of main is thrown by run identically, once, without a report")
  void runThrowsTheIdenticalError() {
    var error = new OutOfMemoryError("not really");

    assertThatThrownBy(() ->
            Loop.run(() -> {
              throw error;
            }))
        .isSameAs(error);

    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "An Error of a child is an ordinary failure: main sees it where it awaits, and goes on")
  void anErrorOfAChildIsAnOrdinaryFailure() throws Exception {
    var error = new StackOverflowError("a child's");

    String value =
        Loop.run(loop -> {
          sleeper(loop, "a");
          Task<Object, RuntimeException> child =
              loop.createTask(() -> {
                throw error;
              });
          assertThatThrownBy(child::await).isSameAs(error);
          events.add("main goes on");
          return "value";
        });

    assertThat(value).isEqualTo("value");
    assertThat(events).containsExactly("main goes on", "a finally");
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "RUN-02: when main was cancelled without an interrupt, run throws that, with its reason")
  void runThrowsTheCancellationOfMain() {
    assertThatThrownBy(() ->
            Loop.run(loop -> {
              Task<?, ?> main = Task.current().orElseThrow();
              loop.launch(() -> main.cancel("enough"));
              Thread.sleep(EVER);
              return "never";
            }))
        .isInstanceOfSatisfying(
            TaskCancelledException.class,
            e -> {
              assertThat(e.reason().source()).isEqualTo(CancelReason.Source.REQUEST);
              assertThat(e.reason().message()).isEqualTo("enough");
              assertThat(e).hasCauseInstanceOf(InterruptedException.class);
            });

    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "RUN-06: a child that failed before main returned reaches the handler; the value comes out")
  void failuresOfChildrenReachTheHandler() throws Exception {
    var first = new IOException("first");
    var second = new AssertionError("second");

    List<Task<?, ?>> children =
        Loop.run(loop -> {
          var failed = new CountDownLatch(2);
          Task<Object, IOException> a =
              loop.createTask(() -> {
                throw first;
              });
          Task<Object, RuntimeException> b =
              loop.createTask(() -> {
                throw second;
              });
          a.onDone(task -> failed.countDown());
          b.onDone(task -> failed.countDown());
          failed.await();
          return List.<Task<?, ?>>of(a, b);
        });

    assertThat(reported.exceptions()).containsExactlyInAnyOrder(first, second);
    assertThat(reported.contexts)
        .extracting(ExceptionContext::future)
        .containsExactlyInAnyOrderElementsOf(children);
    assertThatThrownBy(children.getFirst()::await).isSameAs(first);
  }

  @Test
  @DisplayName(
      "A main that fails beside failing background tasks: its failure comes out, theirs are"
          + " reported")
  void aFailingMainBesideFailingTasks() {
    var mine = new IOException("main's");
    var theirs = new IOException("the background's");
    var cleanUp = new IllegalStateException("a clean-up's");

    assertThatThrownBy(() ->
            Loop.run(loop -> {
              var begun = new CountDownLatch(2);
              var failing =
                  loop.createTask(() -> {
                    begun.countDown();
                    throw theirs;
                  });
              loop.launch(() -> {
                begun.countDown();
                try {
                  Thread.sleep(EVER);
                } finally {
                  fail(cleanUp);
                }
              });
              begun.await();
              while (!failing.isDone()) {
                Thread.onSpinWait();
              }
              throw mine;
            }))
        .isSameAs(mine);

    assertThat(Suppressed.in(mine)).isEmpty();

    assertThat(reported.exceptions()).containsExactlyInAnyOrder(theirs, cleanUp);
  }

  @Test
  @DisplayName(
      "SHUT-01: cancel and wait, report what failed meanwhile, close, and only then return")
  void theEndOfARunHasAnOrder() throws Exception {
    var loops = new ConcurrentLinkedQueue<Loop>();
    Loop.current()
        .setExceptionHandler((loop, context) -> {
          loops.add(loop);
          events.add("report " + loop.allTasks());
        });

    Loop.run(loop -> {
      var begun = new CountDownLatch(1);
      var failing =
          loop.createTask(() -> {
            begun.countDown();
            try {
              Thread.sleep(EVER);
            } finally {
              events.add("finally");
              fail(new IllegalStateException("clean-up"));
            }
          });
      begun.await();
      events.add("main " + failing.cancelRequests());
      return null;
    });
    events.add("returned");

    assertThat(events).containsExactly("main 0", "finally", "report []", "returned");
    assertThat(loops).singleElement().matches(Loop::isClosed);
  }

  @Test
  @DisplayName("A main without a value, and one that returns null")
  void mainsWithoutAValue() throws Exception {
    Loop.run(() -> events.add("action"));
    Object value = Loop.run(loop -> null);

    assertThat(value).isNull();
    assertThat(events).containsExactly("action");
  }

  private Task<?, ?> sleeper(Loop loop, String name) throws InterruptedException {
    var begun = new CountDownLatch(1);
    var task =
        loop.createTask(
            name,
            () -> {
              begun.countDown();
              try {
                Thread.sleep(EVER);
              } finally {
                events.add(name + " finally");
              }
            });
    begun.await();
    return task;
  }

  private static void fail(RuntimeException failure) {
    throw failure;
  }
}
