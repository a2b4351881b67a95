package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What counts as retrieving a failure, and what does not. */
@ExtendWith(Oracle.class)
class RetrievalTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final IOException failure = new IOException("body");

  /** The ways to retrieve a failure. */
  enum Retrieval {
    AWAIT,
    TIMED_AWAIT,
    RESULT,
    EXCEPTION,
    OUTCOME
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("promise 2: await, result, exception and outcome retrieve a failure")
  void aReadFailureIsNotReported(Retrieval retrieval) {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = failed(loop);

      Throwable seen =
          switch (retrieval) {
            case AWAIT -> catchThrowable(task::await);
            case TIMED_AWAIT -> catchThrowable(() -> task.await(Duration.ofSeconds(10)));
            case RESULT -> catchThrowable(task::result);
            case EXCEPTION -> task.exception().orElseThrow();
            case OUTCOME ->
                task.outcome() instanceof Outcome.Failure<Object>(Throwable exception)
                    ? exception
                    : null;
          };

      assertThat(seen).isSameAs(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("NRX-04: asking, cancelling, printing, calling back and listing retrieve nothing")
  void lookingIsNotRetrieving() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = failed(loop);

      assertThat(task.isDone()).isTrue();
      assertThat(task.isCancelled()).isFalse();
      assertThat(task.state().name()).isEqualTo("FAILED");
      assertThat(task.toString()).contains("body");
      assertThat(task.cancelReason()).isEmpty();
      assertThat(task.cancelRequests()).isZero();
      assertThat(loop.allTasks()).doesNotContain(task);
      var called = new AtomicBoolean();
      task.onDone(ended -> called.set(true));
      assertThat(called).isTrue();
      assertThat(reported.contexts).isEmpty();
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("NRX-04: an await that reaches its limit retrieves nothing")
  void aTimedOutAwaitRetrievesNothing() {
    var release = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task =
          loop.createTask(() -> {
            release.await();
            throw failure;
          });

      assertThatThrownBy(() -> task.await(Duration.ofMillis(1)))
          .isInstanceOf(TimeoutException.class);

      release.countDown();
      await().until(task::isDone);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("NRX-05, L8: waiting for the first failure marks nothing; the handler, at close")
  void l8WaitingMarksNothing() throws Exception {
    var second = new IOException("second");
    List<Throwable> atClose =
        Threads.<List<Throwable>, Exception>run(
            reported,
            loop -> {
              try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
                var firstDone = new CountDownLatch(1);
                var release = new CountDownLatch(1);
                Task<Object, IOException> trigger =
                    scope.fork(() -> {
                      release.await();
                      throw failure;
                    });
                Task<Object, IOException> last =
                    scope.fork(() -> {
                      firstDone.await();
                      throw second;
                    });
                trigger.onDone(ended -> firstDone.countDown());
                release.countDown();
                firstDone.await();
                scope.join();
                assertThat(reported.contexts).isEmpty();
                assertThat(trigger.isDone()).isTrue();
                assertThat(last.isDone()).isTrue();
              }
              return reported.exceptions();
            });

    assertThat(atClose).containsExactly(failure, second);
    assertThat(reported.exceptions()).containsExactly(failure, second);
  }

  @Test
  @DisplayName("NRX-08: cancelling a failed task returns false and keeps the pending report")
  void cancellingAFailedTaskChangesNothing() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = failed(loop);

      assertThat(task.cancel()).isFalse();
      assertThat(task.cancel("with a message")).isFalse();

      assertThat(task.cancelRequests()).isZero();
      assertThat(task.cancelReason()).isEmpty();
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("NRX-09: a cancelled task is never reported")
  void aCancelledTaskIsNeverReported() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> read = loop.createTask(() -> Thread.sleep(60_000));
      Task<Void, RuntimeException> unread = loop.createTask(() -> Thread.sleep(60_000));
      loop.launch(() -> Thread.sleep(60_000));
      assertThat(read.cancel()).isTrue();
      assertThat(unread.cancel()).isTrue();
      assertThatThrownBy(read::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("NRX-10: a task that fails in its clean-up while being cancelled is reported")
  void aFailingCleanUpIsReported() throws Exception {
    var started = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task =
          loop.createTask(() -> {
            try {
              started.countDown();
              Thread.sleep(60_000);
              return null;
            } finally {
              fail();
            }
          });
      started.await();
      assertThat(task.cancel("clean up")).isTrue();
      await().until(task::isDone);
      assertThat(task.isCancelled()).isFalse();
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  private void fail() throws IOException {
    throw failure;
  }

  @Test
  @DisplayName("NRX-11: a cancelled waiter retrieves nothing, also if the task has failed already")
  void aCancelledWaiterRetrievesNothing() throws Exception {
    var seen = new AtomicReference<Throwable>();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = failed(loop);

      Task<Void, RuntimeException> waiter =
          loop.createTask(() -> {
            Thread.currentThread().interrupt();
            seen.set(catchThrowable(task::await));
          });
      waiter.await();

      assertThat(seen.get()).isInstanceOf(InterruptedException.class);
      assertThat(reported.contexts).isEmpty();
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @Tag("race")
  @DisplayName(
      "NRX-11: failure against cancellation: the waiter has it or the handler, never neither")
  void theWaiterOrTheHandlerHasTheFailure() throws Exception {
    for (int i = 0; i < 200 * Threads.EFFORT; i++) {
      var one = new Threads.Reported();
      var seen = new AtomicReference<Throwable>();
      var start = new CountDownLatch(1);
      var done = new CountDownLatch(1);
      try (Loop loop = Threads.builder().exceptionHandler(one).build()) {
        Task<Object, IOException> task =
            loop.createTask(() -> {
              start.await();
              throw failure;
            });
        task.onDone(ended -> done.countDown());
        Task<Void, RuntimeException> waiter =
            loop.createTask(() -> seen.set(catchThrowable(task::await)));
        start.countDown();
        waiter.cancel();
        done.await();
      }

      boolean received = seen.get() == failure;
      assertThat(one.exceptions()).hasSize(received ? 0 : 1);
    }
  }

  @Test
  @DisplayName("promise 2: an ignored failure is never reported, whenever it was ignored")
  void anIgnoredFailureIsNeverReported() {
    var release = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> after = failed(loop).ignoreFailure();
      Task<Object, IOException> before =
          loop.createTask(() -> {
            release.await();
            throw failure;
          });
      assertThat(before.ignoreFailure()).isSameAs(before);
      release.countDown();

      assertThat(catchThrowable(before::await)).isSameAs(failure);
      assertThat(catchThrowable(after::await)).isSameAs(failure);
      Task<Object, IOException> unread = failed(loop).ignoreFailure();
      assertThat(unread.isDone()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("promise 1: outcome() tells value, failure and cancellation apart by type")
  void outcomesAreData() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> success = loop.createTask(() -> "value");
      success.await();
      Task<Object, IOException> failing = failed(loop);
      Task<Void, RuntimeException> cancelled = loop.createTask(() -> Thread.sleep(60_000));
      assertThat(cancelled.cancel("enough")).isTrue();
      Throwable cancellation = catchThrowable(cancelled::await);

      assertThat(success.outcome()).isEqualTo(new Outcome.Success<>("value"));
      assertThat(failing.outcome()).isEqualTo(new Outcome.Failure<>(failure));
      assertThat(cancelled.outcome())
          .isEqualTo(new Outcome.Cancelled<>((TaskCancelledException) cancellation));
    }
    assertThat(reported.contexts).isEmpty();
  }

  /** A task that has failed and is not retrieved. */
  private Task<Object, IOException> failed(Loop loop) {
    Task<Object, IOException> task =
        loop.createTask(() -> {
          throw failure;
        });
    await().pollInterval(Duration.ofMillis(1)).until(task::isDone);
    return task;
  }
}
