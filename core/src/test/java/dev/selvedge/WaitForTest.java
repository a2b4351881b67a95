package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Waiting for a task with a limit, which takes the task over. */
@ExtendWith(Oracle.class)
class WaitForTest {
  private static final Duration SHORT = Duration.ofMillis(10);
  private static final Duration LONG = Duration.ofDays(1);
  private static final int TIMES = Threads.times(Threads.PLATFORM ? 300 : 1500);
  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch started = new CountDownLatch(1);
  private final AtomicReference<InterruptedException> out = new AtomicReference<>();

  @AfterEach
  void nothingIsLeftBehind() {
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertThat(reported.contexts).isEmpty();
  }

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  private static void block() throws InterruptedException {
    Thread.sleep(60_000);
  }

  /** A task that has begun, and does something else when it is interrupted. */
  private <T> Task<T, IOException> startedTask(Loop loop, Body<T, IOException> whenInterrupted)
      throws InterruptedException {
    Task<T, IOException> task =
        loop.createTask(() -> {
          try {
            started.countDown();
            block();
            throw new AssertionError();
          } catch (InterruptedException e) {
            return whenInterrupted.call();
          }
        });
    started.await();
    return task;
  }

  // ---- a task that declined an earlier cancellation

  @Test
  @DisplayName("a task that declined an earlier cancellation is cancelled again at the limit")
  void whoDeclinedBeforeIsCancelledAgain() throws Exception {
    var declined = new CountDownLatch(1);
    try (Loop loop = open()) {
      Task<Void, IOException> task =
          startedTask(
              loop,
              () -> {
                declined.countDown();
                block();
                return null;
              });
      task.cancel("declined");
      declined.await();

      assertThatThrownBy(() -> Timeout.waitFor(task, SHORT))
          .isExactlyInstanceOf(TimeoutException.class);
      assertThat(task.cancelRequests()).isEqualTo(2);
    }
  }

  // ---- in time

  @Test
  @DisplayName("a task that is done in time gives its value, and nothing stays armed")
  void inTime() throws Exception {
    try (Loop loop = open()) {
      var gate = new CountDownLatch(1);
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            gate.await();
            return "value";
          });
      Task<String, Exception> waiting = loop.createTask(() -> Timeout.waitFor(task, LONG));
      Gate.awaitBlocked(waiting);
      gate.countDown();

      assertThat(waiting.await()).isEqualTo("value");
      assertThat(task.cancelRequests()).isZero();
      assertThat(Timers.armed()).isZero();
    }
  }

  @Test
  @DisplayName("a task that fails in time: its failure, the same object, which counts as retrieved")
  void aFailedTask() {
    var failure = new IOException("failed");
    try (Loop loop = open()) {
      Task<Object, IOException> task =
          loop.createTask(() -> {
            throw failure;
          });

      assertThatThrownBy(() -> Timeout.waitFor(task, LONG)).isSameAs(failure);
      assertThatThrownBy(() -> Timeout.waitFor(task, LONG)).isSameAs(failure);
    }
    assertThat(Suppressed.in(failure)).isEmpty();
  }

  @Test
  @DisplayName("a task that fails in time with a TimeoutException of its own: that object")
  void aTimeoutExceptionOfItsOwn() {
    var own = new TimeoutException("own");
    try (Loop loop = open()) {
      Task<Object, TimeoutException> task =
          loop.createTask(() -> {
            throw own;
          });

      assertThatThrownBy(() -> Timeout.waitFor(task, LONG)).isSameAs(own);
      assertThat(task.cancelRequests()).isZero();
    }
  }

  @Test
  @DisplayName("WFOR-08: a task cancelled by a third party: its cancellation, not a timeout")
  void cancelledByAThirdParty() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> block());
      Task<String, Exception> waiting =
          loop.createTask(() -> {
            assertThatThrownBy(() -> Timeout.waitFor(task, LONG))
                .isInstanceOf(TaskCancelledException.class)
                .hasMessageContaining("third party");
            assertThat(Task.current().orElseThrow().cancelRequests()).isZero();
            Thread.sleep(1);
            return "went on";
          });
      Gate.awaitBlocked(waiting);
      task.cancel("third party");

      assertThat(waiting.await()).isEqualTo("went on");
    }
  }

  // ---- late

  @Test
  @DisplayName("late: the task is cancelled and awaited; the cause is its cancellation")
  void late() throws Exception {
    var cleaned = new AtomicBoolean();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            try {
              started.countDown();
              block();
            } finally {
              Task.shielded(() -> Thread.sleep(5));
              cleaned.set(true);
            }
          });
      started.await();

      assertThatThrownBy(() -> Timeout.waitFor(task, SHORT))
          .isExactlyInstanceOf(TimeoutException.class)
          .hasMessageContaining(task.name())
          .hasMessageContaining("PT0.01S")
          .hasNoSuppressedExceptions()
          .cause()
          .isInstanceOfSatisfying(
              TaskCancelledException.class,
              e -> assertThat(e.reason().source()).isEqualTo(CancelReason.Source.TIMEOUT));
      assertThat(cleaned).isTrue();
      assertThat(task.isCancelled()).isTrue();
    }
  }

  @Test
  @DisplayName("late: who waited is named as who cancelled")
  void whoCancelled() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> block());
      Task<Void, Exception> waiting =
          loop.createTask(() -> {
            assertThatThrownBy(() -> Timeout.waitFor(task, SHORT))
                .isInstanceOf(TimeoutException.class);
          });
      waiting.await();

      assertThat(task.cancelReason().orElseThrow().by()).isEqualTo(waiting);
    }
  }

  @Test
  @DisplayName("WFOR-03: late, and the task returns a value all the same: the value")
  void lateWithAValue() throws Exception {
    try (Loop loop = open()) {
      Task<String, IOException> task = startedTask(loop, () -> "swallowed");

      assertThat(Timeout.waitFor(task, SHORT)).isEqualTo("swallowed");
    }
  }

  @Test
  @DisplayName("WFOR-04: late, and the clean-up throws: that, with the limit suppressed in it")
  void lateWithAFailure() throws Exception {
    var failure = new IOException("clean-up");
    try (Loop loop = open()) {
      Task<Object, IOException> task =
          startedTask(
              loop,
              () -> {
                throw failure;
              });

      assertThatThrownBy(() -> Timeout.waitFor(task, SHORT)).isSameAs(failure);
    }
    assertThat(Suppressed.in(failure))
        .singleElement()
        .isInstanceOfSatisfying(
            TaskCancelledException.class,
            e -> assertThat(e.reason().source()).isEqualTo(CancelReason.Source.TIMEOUT));
  }

  @Test
  @DisplayName("late: failures of the task's children are suppressed in the TimeoutException")
  void lateWithFailuresOfChildren() throws Exception {
    var failure = new IOException("child");
    try (Loop loop = open()) {
      Task<Void, IOException> task =
          loop.createTask(() -> {
            Thread joining = Thread.currentThread();
            try (var scope = TaskScope.<IOException>open()) {
              var unused =
                  scope.fork(() -> {
                    try {
                      started.countDown();
                      block();
                    } catch (InterruptedException e) {
                      while (joining.isInterrupted()) {
                        Thread.yield();
                      }
                      throw failure;
                    }
                  });
              scope.join();
            }
          });
      started.await();
      Gate.awaitBlocked(task);

      assertThatThrownBy(() -> Timeout.waitFor(task, SHORT))
          .isInstanceOf(TimeoutException.class)
          .satisfies(e -> assertThat(Suppressed.in(e)).containsExactly(failure));
    }
  }

  // ---- limits of zero or less, and none

  @ParameterizedTest
  @ValueSource(longs = {0, -1, -1_000_000_000_000L})
  @DisplayName("WFOR-09: no time, but the task is done: its outcome")
  void noTimeButDone(long nanos) throws Exception {
    var failure = new IOException("failed");
    Duration limit = Duration.ofNanos(nanos);
    try (Loop loop = open()) {
      Task<String, RuntimeException> succeeded = loop.createTask(() -> "value");
      Task<Object, IOException> failed =
          loop.createTask(() -> {
            throw failure;
          });
      Task<Void, RuntimeException> cancelled = loop.createTask(() -> block());
      cancelled.cancel("third party");
      succeeded.await();
      assertThatThrownBy(failed::await).isSameAs(failure);
      assertThatThrownBy(cancelled::await).isInstanceOf(TaskCancelledException.class);

      assertThat(Timeout.waitFor(succeeded, limit)).isEqualTo("value");
      assertThatThrownBy(() -> Timeout.waitFor(failed, limit)).isSameAs(failure);
      assertThatThrownBy(() -> Timeout.waitFor(cancelled, limit))
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("third party");
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, -1_000_000_000_000L})
  @DisplayName("WFOR-10: no time, and the task is not done: cancelled and awaited")
  void noTimeAndNotDone(long nanos) throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            started.countDown();
            block();
          });
      started.await();

      assertThatThrownBy(() -> Timeout.waitFor(task, Duration.ofNanos(nanos)))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(TaskCancelledException.class);
      assertThat(task.isCancelled()).isTrue();
    }
  }

  @Test
  @DisplayName("WFOR-10: no time, and the task returns a value all the same: the value")
  void noTimeButAValue() throws Exception {
    try (Loop loop = open()) {
      Task<String, IOException> task = startedTask(loop, () -> "swallowed");

      assertThat(Timeout.waitFor(task, Duration.ZERO)).isEqualTo("swallowed");
    }
  }

  @Test
  @DisplayName("WFOR-10: no time, and the task has not begun: its body never runs")
  void noTimeAndNotBegun() throws Exception {
    var gate = new Gate();
    var ran = new AtomicBoolean();
    try (Loop loop =
        Loop.builder()
            .handleSignals(false)
            .exceptionHandler(reported)
            .threadFactory(gate.factory())
            .build()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> ran.set(true));
      Thread opener =
          Thread.ofVirtual()
              .start(() -> {
                while (task.cancelRequests() == 0) {
                  Thread.yield();
                }
                gate.open();
              });

      assertThatThrownBy(() -> Timeout.waitFor(task, Duration.ZERO))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(TaskCancelledException.class);
      opener.join();
    }
    assertThat(ran).isFalse();
  }

  @Test
  @DisplayName("WFOR-11: a limit that never comes waits for ever, and is still cancellable")
  void noLimit() throws Exception {
    Duration forever = ChronoUnit.FOREVER.getDuration();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> block());
      Task<Void, Exception> waiting = loop.createTask(() -> Timeout.waitFor(task, forever));
      Gate.awaitBlocked(waiting);
      waiting.cancel("outside");

      assertThatThrownBy(waiting::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outside");
      assertThat(task.isCancelled()).isTrue();

      Task<String, RuntimeException> done = loop.createTask(() -> "value");
      assertThat(Timeout.waitFor(done, forever)).isEqualTo("value");
    }
  }

  // ---- the caller is cancelled

  @Test
  @DisplayName("the caller is cancelled: the task is cancelled for that reason, and waited for")
  void theCallerIsCancelled() throws Exception {
    var cleaned = new AtomicBoolean();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            try {
              started.countDown();
              block();
            } finally {
              Task.shielded(() -> Thread.sleep(5));
              cleaned.set(true);
            }
          });
      started.await();
      Task<Void, Exception> waiting =
          loop.createTask(() -> {
            try {
              Timeout.waitFor(task, LONG);
            } finally {
              assertThat(cleaned).isTrue();
            }
          });
      Gate.awaitBlocked(waiting);
      waiting.cancel("outside");

      assertThatThrownBy(waiting::await).isInstanceOf(TaskCancelledException.class);
      assertThat(task.cancelReason())
          .contains(new CancelReason(CancelReason.Source.PARENT, "outside", waiting));
    }
  }

  @Test
  @DisplayName("the caller is cancelled, the task fails: suppressed in the InterruptedException")
  void theCallerIsCancelledAndTheTaskFails() throws Exception {
    var failure = new IOException("clean-up");
    try (Loop loop = open()) {
      Task<Object, IOException> task =
          startedTask(
              loop,
              () -> {
                throw failure;
              });
      Task<Void, Exception> waiting =
          loop.createTask(() -> {
            try {
              Timeout.waitFor(task, LONG);
            } catch (InterruptedException e) {
              out.set(e);
              throw e;
            }
          });
      Gate.awaitBlocked(waiting);
      waiting.cancel("outside");

      assertThatThrownBy(waiting::await).isInstanceOf(TaskCancelledException.class);
      assertThat(Suppressed.in(out.get())).containsExactly(failure);
    }
  }

  @Test
  @DisplayName("a caller that is no task is interrupted: the same")
  void aThreadIsInterrupted() throws Exception {
    var failure = new IOException("clean-up");
    try (Loop loop = open()) {
      Task<Object, IOException> task =
          startedTask(
              loop,
              () -> {
                throw failure;
              });
      Thread.currentThread().interrupt();

      assertThatThrownBy(() -> Timeout.waitFor(task, LONG))
          .isInstanceOf(InterruptedException.class)
          .satisfies(e -> assertThat(Suppressed.in(e)).containsExactly(failure));
      assertThat(task.cancelReason().orElseThrow().source()).isEqualTo(CancelReason.Source.PARENT);
    }
  }

  @Test
  @DisplayName("cancelled again in the clean-up: it still waits, and the flag is restored")
  void cancelledAgain() throws Exception {
    try (Loop loop = open()) {
      var waiting = new CompletableFuture<Task<?, ?>>();
      Task<String, IOException> task =
          startedTask(
              loop,
              () -> {
                waiting.join().cancel("again");
                return "cleaned";
              });
      waiting.complete(
          loop.createTask(() -> {
            try {
              return Timeout.waitFor(task, LONG);
            } catch (InterruptedException e) {
              out.set(e);
              return Thread.interrupted();
            }
          }));
      Gate.awaitBlocked(waiting.join());
      waiting.join().cancel("outside");

      assertThat(waiting.join().await()).isEqualTo(true);
      assertThat(out.get()).hasMessageContaining("outside");
      assertThat(task.result()).isEqualTo("cleaned");
    }
  }

  @Test
  @DisplayName("late, and cancelled while it waits for the clean-up: the cancellation wins")
  void lateAndCancelled() throws Exception {
    try (Loop loop = open()) {
      var waiting = new CompletableFuture<Task<?, ?>>();
      Task<String, IOException> task =
          startedTask(
              loop,
              () -> {
                waiting.join().cancel("outside");
                return "cleaned";
              });
      waiting.complete(loop.createTask(() -> Timeout.waitFor(task, SHORT)));

      assertThatThrownBy(() -> waiting.join().await())
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outside");
      assertThat(task.result()).isEqualTo("cleaned");
      assertThat(task.cancelReason().orElseThrow().source()).isEqualTo(CancelReason.Source.TIMEOUT);
    }
  }

  @Test
  @DisplayName("WFOR-06: cancelled when the task is done already: cancelled; it keeps its value")
  void cancelledWhenDone() throws Exception {
    try (Loop loop = open()) {
      Task<String, RuntimeException> task = loop.createTask(() -> "value");
      task.await();
      Task<String, Exception> waiting =
          loop.createTask(() -> {
            Task.current().orElseThrow().cancel("outside");
            return Timeout.waitFor(task, LONG);
          });

      assertThatThrownBy(waiting::await).isInstanceOf(TaskCancelledException.class);
      assertThat(task.result()).isEqualTo("value");
      assertThat(task.cancelRequests()).isZero();
    }
  }

  @Test
  @Tag("race")
  @DisplayName("WFOR-06: cancelled at the moment at which the task is done: never swallowed")
  void cancelledAtTheMomentOfCompletion() throws Exception {
    try (Loop loop = open()) {
      for (int i = 0; i < TIMES; i++) {
        var go = new CountDownLatch(1);
        var asked = new CountDownLatch(1);
        int spins = i % 64;
        Task<String, RuntimeException> task =
            loop.createTask(() -> {
              go.await();
              return "value";
            });
        Task<String, Exception> waiting =
            loop.createTask(() -> {
              String value = Timeout.waitFor(task, LONG);
              asked.await();
              // A latch that opens at that moment may not look at the flag again.
              Task.checkCancelled();
              return value;
            });
        go.countDown();
        for (int spin = 0; spin < spins; spin++) {
          Thread.onSpinWait();
        }
        assertThat(waiting.cancel("outside")).isTrue();
        asked.countDown();

        assertThatThrownBy(waiting::await)
            .as("round %d", i)
            .isInstanceOf(TaskCancelledException.class)
            .hasMessageContaining("outside");
        assertThatCode(task::await)
            .satisfiesAnyOf(
                none -> assertThat(none).isNull(),
                e -> assertThat(e).isInstanceOf(TaskCancelledException.class));
      }
    }
  }

  @Test
  @Tag("race")
  @DisplayName("the limit races with the end of the task: its value, or a timeout and cancelled")
  void theLimitRacesWithTheEnd() throws Exception {
    try (Loop loop = open()) {
      for (int i = 0; i < TIMES; i++) {
        int spins = i % 512;
        Task<String, RuntimeException> task =
            loop.createTask(() -> {
              for (int spin = 0; spin < spins; spin++) {
                Thread.onSpinWait();
              }
              Task.checkCancelled();
              return "value";
            });
        try {
          assertThat(Timeout.waitFor(task, Duration.ofNanos(i * 7L % 20_000))).isEqualTo("value");
          assertThat(task.isCancelled()).isFalse();
        } catch (TimeoutException e) {
          assertThat(task.isCancelled()).isTrue();
        }
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
      }
    }
  }

  @Test
  @DisplayName("a limit around the wait is reached first: the task is cancelled, that limit throws")
  void aLimitAround() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> block());

      assertThatThrownBy(() -> Timeout.within(SHORT, () -> Timeout.waitFor(task, LONG)))
          .isInstanceOf(TimeoutException.class)
          .hasMessage("not done within PT0.01S");
      assertThat(task.isCancelled()).isTrue();
      assertThat(task.cancelReason().orElseThrow().message()).contains("not done within PT0.01S");
    }
  }

  @Test
  @DisplayName("a limit around the wait takes the failure of the task along")
  void aLimitAroundWithAFailure() throws Exception {
    var failure = new IOException("clean-up");
    try (Loop loop = open()) {
      Task<Object, IOException> task =
          startedTask(
              loop,
              () -> {
                throw failure;
              });

      assertThatThrownBy(() ->
              Timeout.within(
                  LONG,
                  limit -> {
                    limit.reschedule(Instant.now().plus(SHORT));
                    return Timeout.waitFor(task, LONG);
                  }))
          .isInstanceOf(TimeoutException.class)
          .satisfies(e -> assertThat(Suppressed.in(e)).containsExactly(failure));
    }
  }

  // ---- refusals

  @Test
  @DisplayName("a task that waits for itself is refused, and goes on")
  void itself() throws Exception {
    try (Loop loop = open()) {
      Task<String, Exception> task =
          loop.createTask(
              "narcissus",
              () -> {
                Task<?, ?> self = Task.current().orElseThrow();
                assertThatIllegalStateException()
                    .isThrownBy(() -> Timeout.waitFor(self, SHORT))
                    .withMessageContaining("narcissus");
                assertThat(self.cancelRequests()).isZero();
                return "went on";
              });

      assertThat(task.await()).isEqualTo("went on");
    }
  }

  @Test
  @DisplayName("a task that awaits the caller is cancelled at the limit, which ends the circle")
  void aCircle() throws Exception {
    try (Loop loop = open()) {
      var caller = new CompletableFuture<Task<?, ?>>();
      Task<Object, Exception> task = loop.createTask(() -> caller.join().await());
      Task<Void, Exception> waiting =
          loop.createTask(() -> {
            assertThatThrownBy(() -> Timeout.waitFor(task, SHORT))
                .isInstanceOf(TimeoutException.class);
          });
      caller.complete(waiting);

      waiting.await();
      assertThat(task.isCancelled()).isTrue();
    }
  }

  @Test
  @DisplayName("null arguments are named")
  void nullArguments() {
    try (Loop loop = open()) {
      Task<String, RuntimeException> task = loop.createTask(() -> "value");
      assertThatNullPointerException()
          .isThrownBy(() -> Timeout.waitFor(task, null))
          .withMessage("limit");
      assertThatNullPointerException()
          .isThrownBy(() -> Timeout.waitFor((Task<String, RuntimeException>) null, LONG))
          .withMessage("task");
    }
  }

  @Test
  @DisplayName("the caller is cancelled: what does not fit into its exception is reported")
  void moreFailuresThanAnExceptionTakes() throws Exception {
    List<Throwable> failures =
        IntStream.range(0, 20).<Throwable>mapToObj(i -> new IOException("close " + i)).toList();
    try (Loop loop = open()) {
      Task<Void, InterruptedException> task =
          loop.createTask(() -> {
            try {
              started.countDown();
              block();
            } catch (InterruptedException e) {
              failures.forEach(e::addSuppressed);
              throw e;
            }
          });
      Task<Void, Exception> caller =
          loop.createTask(() -> {
            try {
              Timeout.waitFor(task, LONG);
            } catch (InterruptedException e) {
              out.set(e);
            }
          });
      started.await();
      Gate.awaitBlocked(caller);

      caller.cancel();

      caller.awaitDone();
    }
    assertThat(Suppressed.in(out.get())).isEqualTo(failures.subList(0, 16));
    assertThat(reported.exceptions()).isEqualTo(failures.subList(16, 20));
    reported.contexts.clear();
  }
}
