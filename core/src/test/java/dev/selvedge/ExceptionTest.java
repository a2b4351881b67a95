package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class ExceptionTest {
  private final Threads.Reported reported = new Threads.Reported();

  @Test
  @DisplayName("EXC-01: a failure is stored, and disturbs nobody until somebody asks")
  void aFailureIsStoredAndDisturbsNobody() throws Exception {
    var failure = new IOException("stored");
    var release = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> bystander =
          loop.createTask(() -> {
            release.await();
            return "undisturbed";
          });
      var done = new CountDownLatch(1);
      Task<Object, IOException> task =
          loop.createTask(() -> {
            throw failure;
          });
      task.onDone(ended -> done.countDown());

      done.await();

      assertThat(task.isDone()).isTrue();
      assertThat(task.isCancelled()).isFalse();
      assertThat(task.state()).isEqualTo(Future.State.FAILED);
      assertThat(bystander.isDone()).isFalse();
      assertThat(reported.contexts).isEmpty();
      release.countDown();
      assertThat(bystander.await()).isEqualTo("undisturbed");
      assertThat(task.exception()).containsSame(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("EXC-02: every await and read throws the identical exception")
  void everyAwaitThrowsTheIdenticalException() throws Exception {
    var failure = new IOException("once");
    List<Throwable> seen =
        Threads.<List<Throwable>, Exception>run(
            reported,
            loop -> {
              Task<Object, IOException> task =
                  loop.createTask(() -> {
                    throw failure;
                  });
              assertThatThrownBy(task::await).isSameAs(failure);
              assertThatThrownBy(task::await).isSameAs(failure);
              assertThatThrownBy(task::result).isSameAs(failure);
              return List.of(task.exception().orElseThrow());
            });

    assertThat(seen).containsExactly(failure);
    assertThat(Suppressed.in(failure)).isEmpty();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("EXC-02: repeated reads make the trace no longer, and it is the task's own")
  void repeatedReadsMakeTheTraceNoLonger() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(ExceptionTest::failDeepInside);
      Throwable first = catchThrowable(task::await);
      StackTraceElement[] trace = first.getStackTrace();
      int suppressed = first.getSuppressed().length;

      for (int i = 0; i < 10; i++) {
        assertThat(catchThrowable(task::await)).isSameAs(first);
        assertThat(catchThrowable(task::result)).isSameAs(first);
      }

      assertThat(first.getStackTrace()).isEqualTo(trace);
      assertThat(first.getSuppressed()).hasSize(suppressed);
      assertThat(trace[0].getMethodName()).isEqualTo("failDeepInside");
    }
  }

  private static Object failDeepInside() throws IOException {
    throw new IOException("deep inside");
  }

  @Test
  @DisplayName("EXC-03: all who wait for a failing task wake with the same exception")
  void allWaitersWakeWithTheSameException() throws Exception {
    var failure = new IOException("for all");
    var release = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task =
          loop.createTask(() -> {
            release.await();
            throw failure;
          });
      var waiters = new ArrayList<Task<Throwable, RuntimeException>>();
      for (int i = 0; i < 20; i++) {
        waiters.add(loop.createTask(() -> catchThrowable(task::await)));
      }

      release.countDown();

      for (Task<Throwable, RuntimeException> waiter : waiters) {
        assertThat(waiter.await()).isSameAs(failure);
      }
      assertThat(failure.getSuppressed()).hasSizeLessThanOrEqualTo(1);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "EXC-04: exception() returns a failure, is empty after success, throws a cancellation")
  void exceptionTellsHowATaskEnded() throws Exception {
    var release = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> pending =
          loop.createTask(() -> {
            release.await();
            return "value";
          });
      assertThatIllegalStateException().isThrownBy(pending::exception);
      assertThatIllegalStateException().isThrownBy(pending::result);
      assertThatIllegalStateException().isThrownBy(pending::outcome);
      release.countDown();
      assertThat(pending.await()).isEqualTo("value");

      Task<Void, RuntimeException> cancelled = loop.createTask(() -> Thread.sleep(60_000));
      assertThat(cancelled.cancel("enough")).isTrue();
      Throwable thrown = catchThrowable(cancelled::await);

      assertThat(pending.exception()).isEmpty();
      assertThat(thrown).isInstanceOf(TaskCancelledException.class);
      assertThatThrownBy(cancelled::exception).isSameAs(thrown);
      assertThatThrownBy(cancelled::result).isSameAs(thrown);
    }
  }

  @Test
  @DisplayName("EXC-05: nobody can set the outcome of a task from outside")
  void theOutcomeCannotBeSetFromOutside() throws Exception {
    var release = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            release.await();
            return "its own";
          });
      CompletableFuture<String> copy = task.toCompletableFuture();

      assertThat(copy.complete("foreign")).isTrue();
      copy.obtrudeException(new IllegalArgumentException("foreign"));
      assertThat(task).isNotInstanceOf(CompletableFuture.class).isNotInstanceOf(Future.class);
      assertThatIllegalStateException().isThrownBy(((Runnable) task)::run);
      assertThat(task.isDone()).isFalse();

      release.countDown();
      assertThat(task.await()).isEqualTo("its own");
    }
  }

  @Test
  @DisplayName("EXC-06: a copy accepts one completion; a second one leaves the first untouched")
  void aCopyAcceptsOneCompletion() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task = loop.createTask(() -> "first");
      CompletableFuture<String> copy = task.toCompletableFuture();
      assertThat(copy.get()).isEqualTo("first");

      assertThat(copy.complete("second")).isFalse();
      assertThat(copy.completeExceptionally(new IOException("second"))).isFalse();

      assertThat(copy.get()).isEqualTo("first");
      assertThat(task.result()).isEqualTo("first");
    }
  }

  @Test
  @DisplayName("EXC-09: an exception that merely contains a cancellation is a failure")
  void anExceptionThatContainsACancellationIsAFailure() throws Exception {
    var group = new IllegalStateException("group", new CancellationException("inside"));
    group.addSuppressed(new InterruptedException("inside"));
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      var started = new CountDownLatch(1);
      Task<Object, RuntimeException> task =
          loop.createTask(() -> {
            started.countDown();
            try {
              Thread.sleep(60_000);
            } catch (InterruptedException e) {
              throw group;
            }
            return null;
          });
      started.await();
      assertThat(task.cancel()).isTrue();

      assertThatThrownBy(task::await).isSameAs(group);
      assertThat(task.isCancelled()).isFalse();
      assertThat(task.state()).isEqualTo(Future.State.FAILED);
    }
  }

  @Test
  @DisplayName("EXC-09: a cancellation of somebody else that escapes a task is its failure")
  void aForeignCancellationThatEscapesIsAFailure() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> other = loop.createTask(() -> Thread.sleep(60_000));
      assertThat(other.cancel("the other")).isTrue();
      var cancellation = catchThrowable(other::await);
      var done = new CountDownLatch(1);

      Task<Void, RuntimeException> task = loop.createTask(() -> other.await());
      task.onDone(ended -> done.countDown());
      done.await();

      assertThat(task.isCancelled()).isFalse();
      assertThat(task.outcome()).isEqualTo(new Outcome.Failure<>(cancellation));
    }
  }

  @Test
  @DisplayName("promise 4: a foreign task's cancellation that nobody retrieves is reported")
  void aForeignCancellationThatNobodyRetrievesIsReported() throws Exception {
    Throwable cancellation;
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> other = loop.createTask(() -> Thread.sleep(60_000));
      assertThat(other.cancel("the other")).isTrue();
      cancellation = catchThrowable(other::await);
      var done = new CountDownLatch(1);

      Task<Void, RuntimeException> task = loop.createTask(() -> other.await());
      task.onDone(ended -> done.countDown());
      done.await();
    }

    assertThat(reported.exceptions()).containsExactly(cancellation);
  }
}
