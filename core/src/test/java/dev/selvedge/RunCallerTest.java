package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may call {@code Loop.run}, and what an interrupt of the caller does. */
@Tag("virtual-only")
@ExtendWith(Oracle.class)
class RunCallerTest {
  private static final Duration EVER = Duration.ofDays(1);

  /** What a run did in a thread of its own. */
  private record Seen(Object value, Throwable thrown, boolean flag) {}

  private final CountDownLatch ready = new CountDownLatch(1);

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName(
      "An interrupt of the calling thread, platform or virtual, cancels main and comes out of run")
  void anInterruptOfTheCallerCancelsMain(boolean virtual) throws Exception {
    var cleaned = new CountDownLatch(2);

    Seen seen =
        interrupted(
            virtual,
            loop -> {
              var begun = new CountDownLatch(1);
              loop.launch(() -> {
                begun.countDown();
                try {
                  Thread.sleep(EVER);
                } finally {
                  cleaned.countDown();
                }
              });
              begun.await();
              try {
                ready.countDown();
                Thread.sleep(EVER);
              } finally {
                cleaned.countDown();
              }
              return null;
            });

    assertThat(seen.thrown())
        .isInstanceOf(InterruptedException.class)
        .hasCauseInstanceOf(TaskCancelledException.class);
    assertThat(seen.flag()).isFalse();
    assertThat(cleaned.getCount()).isZero();
  }

  @Test
  @DisplayName("Interrupted, main returns a value all the same: it comes out, and the flag is set")
  void aValueInSpiteOfTheInterrupt() throws Exception {
    Seen seen =
        interrupted(
            false,
            loop -> {
              try {
                ready.countDown();
                Thread.sleep(EVER);
                return "never";
              } catch (InterruptedException e) {
                return "caught";
              }
            });

    assertThat(seen).isEqualTo(new Seen("caught", null, true));
  }

  @Test
  @DisplayName("Interrupted, main fails in another way: that comes out, and the flag is set")
  void aFailureInSpiteOfTheInterrupt() throws Exception {
    var failure = new IOException("clean-up");

    Seen seen =
        interrupted(
            false,
            loop -> {
              try {
                ready.countDown();
                Thread.sleep(EVER);
                return "never";
              } catch (InterruptedException e) {
                throw failure;
              }
            });

    assertThat(seen).isEqualTo(new Seen(null, failure, true));
  }

  @Test
  @DisplayName(
      "Interrupted while it waits for the tasks that are left, run still waits; the flag is set")
  void anInterruptAfterMainCutsNothingShort() throws Exception {
    var go = new CountDownLatch(1);
    var cleaned = new CountDownLatch(1);
    LoopBody<String, InterruptedException> main =
        loop -> {
          var begun = new CountDownLatch(1);
          loop.launch(() -> {
            begun.countDown();
            try {
              Thread.sleep(EVER);
            } finally {
              ready.countDown();
              go.await();
              cleaned.countDown();
            }
          });
          begun.await();
          return "value";
        };

    var run = new FutureTask<>(() -> seen(main));
    Thread caller = Thread.ofPlatform().start(run);
    ready.await();
    caller.interrupt();
    caller.join(Duration.ofMillis(50));
    assertThat(caller.isAlive()).isTrue();
    go.countDown();

    assertThat(run.get()).isEqualTo(new Seen("value", null, true));
    assertThat(cleaned.getCount()).isZero();
  }

  @Test
  @DisplayName(
      "A caller that is interrupted already: main is cancelled, and the interrupt comes out")
  void aCallerThatIsInterruptedAlready() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> Loop.run(() -> Thread.sleep(EVER)))
        .isInstanceOf(InterruptedException.class);

    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  @DisplayName("Run inside a task has a loop and a main of its own")
  void runInsideATask() throws Exception {
    String value =
        Threads.<String, Exception>run(
            new Threads.Reported(),
            outer -> {
              Task<?, ?> caller = Task.current().orElseThrow();
              return Loop.run(inner -> {
                assertThat(inner).isNotSameAs(outer).isSameAs(Loop.current());
                assertThat(Task.current().orElseThrow()).isNotEqualTo(caller);
                return "inner";
              });
            });

    assertThat(value).isEqualTo("inner");
  }

  @Test
  @DisplayName("Run inside a task is cancelled with that task, and its tasks too")
  void runInsideATaskIsCancelledWithIt() throws Exception {
    var cleaned = new CountDownLatch(2);

    Threads.<Object, Exception>run(
        new Threads.Reported(),
        outer -> {
          Task<Object, RuntimeException> task =
              outer.createTask(() ->
                  Loop.run(inner -> {
                    var begun = new CountDownLatch(1);
                    inner.launch(() -> sleep(begun, cleaned));
                    begun.await();
                    sleep(ready, cleaned);
                    return null;
                  }));
          ready.await();
          task.cancel("enough");

          assertThatThrownBy(task::await)
              .isInstanceOf(TaskCancelledException.class)
              .hasMessageContaining("enough");
          return null;
        });

    assertThat(cleaned.getCount()).isZero();
  }

  private static void sleep(CountDownLatch begun, CountDownLatch cleaned)
      throws InterruptedException {
    begun.countDown();
    try {
      Thread.sleep(EVER);
    } finally {
      cleaned.countDown();
    }
  }

  @Test
  @DisplayName("Interrupted, what failed in a child's clean-up comes along and is not reported")
  void whatFailedComesAlong() throws Exception {
    var failure = new IllegalStateException("clean-up");
    var reported = new Threads.Reported();
    Loop.current().setExceptionHandler(reported);
    try {
      Seen seen =
          interrupted(
              false,
              loop -> {
                try (TaskScope<Exception> scope = TaskScope.open()) {
                  scope.fork(() -> {
                    ready.countDown();
                    try {
                      Thread.sleep(EVER);
                    } catch (InterruptedException e) {
                      throw failure;
                    }
                  });
                  scope.join();
                }
                return null;
              });

      assertThat(seen.thrown()).isInstanceOf(InterruptedException.class);
      assertThat(seen.thrown().getSuppressed()).contains(failure);
      assertThat(reported.contexts).isEmpty();
    } finally {
      Loop.current().setExceptionHandler(null);
    }
  }

  private Seen interrupted(boolean virtual, LoopBody<?, ?> main) throws Exception {
    var run = new FutureTask<>(() -> seen(main));
    Thread caller = (virtual ? Thread.ofVirtual() : Thread.ofPlatform()).start(run);
    ready.await();
    caller.interrupt();
    return run.get();
  }

  private static Seen seen(LoopBody<?, ?> main) {
    Object value = null;
    Throwable thrown = null;
    try {
      value = Loop.<Object, Exception>run(main);
    } catch (Throwable t) {
      thrown = t;
    }
    return new Seen(value, thrown, Thread.currentThread().isInterrupted());
  }
}
