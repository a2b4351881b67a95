package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Which ends of a task are a cancellation and which a failure, and what a cancelled one reports.
 */
@ExtendWith(Oracle.class)
class CancelledOrFailedTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch started = new CountDownLatch(1);

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  private void sleep() throws InterruptedException {
    started.countDown();
    Thread.sleep(60_000);
  }

  @Test
  @DisplayName("a CancellationException of a task that was asked to cancel is a cancellation")
  void aCancellationExceptionWhenAsked() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            try {
              sleep();
            } catch (InterruptedException e) {
              throw new CancellationException("translated");
            }
          });
      started.await();
      task.cancel();

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasCauseInstanceOf(CancellationException.class);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a CancellationException that nobody asked for is a failure")
  void aForeignCancellationIsAFailure() {
    var foreign = new CancellationException("of a future");
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            throw foreign;
          });

      assertThatThrownBy(task::await).isSameAs(foreign);
      assertThat(task.isCancelled()).isFalse();
    }
  }

  @Test
  @DisplayName(
      "awaiting somebody who was cancelled is a failure of the awaiter, not a cancellation")
  void theAwaiterOfACancelledTaskFails() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> target = loop.createTask(this::sleep);
      Task<Void, RuntimeException> awaiter = loop.createTask(() -> target.await());
      Gate.awaitBlocked(awaiter);
      target.cancel("target");

      assertThatThrownBy(awaiter::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("target");
      assertThat(awaiter.isCancelled()).isFalse();
      assertThat(awaiter.cancelRequests()).isZero();
    }
  }

  @Test
  @DisplayName("a plain interrupt of the thread cancels silently and has a reason")
  void aPlainInterruptCancels() throws Exception {
    var thread = new AtomicReference<Thread>();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            thread.set(Thread.currentThread());
            sleep();
          });
      started.await();
      thread.get().interrupt();

      assertThatThrownBy(task::await)
          .isInstanceOfSatisfying(
              TaskCancelledException.class,
              e -> {
                assertThat(e.reason().source()).isEqualTo(CancelReason.Source.REQUEST);
                assertThat(e.reason().message()).contains("interrupted");
              });
      assertThat(task.isCancelled()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("failures suppressed in what ended a cancelled task are reported if nobody reads it")
  void suppressedFailuresOfACancelledTaskAreReported() throws Exception {
    var failure = new IOException("close failed");
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> sleepAndSuppress(failure));
      started.await();
      task.cancel();
    }

    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName(
      "failures suppressed in what ended a cancelled task count as read when it is awaited")
  void suppressedFailuresOfAnAwaitedTaskAreNotReported() throws Exception {
    var failure = new IOException("close failed");
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> sleepAndSuppress(failure));
      started.await();
      task.cancel();

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .cause()
          .hasSuppressedException(failure);
    }

    assertThat(reported.contexts).isEmpty();
  }

  private void sleepAndSuppress(Throwable failure) throws InterruptedException {
    try {
      sleep();
    } catch (InterruptedException e) {
      e.addSuppressed(failure);
      throw e;
    }
  }

  /** Ends as cancelled, with a failure in tow. */
  private static Task<Void, RuntimeException> cancelledWith(Exception failure, Loop loop) {
    return loop.createTask(() -> {
      var cancelled = new InterruptedException();
      cancelled.addSuppressed(failure);
      throw cancelled;
    });
  }

  @Test
  @DisplayName("a cancelled task takes along the failures of the cancellation that it passes on")
  void theFailuresOfACancellationThatIsPassedOn() throws Exception {
    var lost = new IOException("of clean-up");
    var gate = new Gate();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> target = cancelledWith(lost, loop);
      Task<Void, RuntimeException> awaiter =
          loop.createTask(() -> {
            started.countDown();
            gate.pass();
            Thread.interrupted();
            target.await();
          });
      started.await();
      awaiter.cancel();
      gate.open();
      awaiter.awaitDone();

      assertThat(awaiter.isCancelled()).isTrue();
    }
    assertThat(reported.exceptions()).containsExactly(lost);
  }

  @Test
  @DisplayName("and of cancellations in it, each once, as whoever awaits it gets them")
  void theFailuresOfCancellationsWithinOne() throws Exception {
    var first = new IOException("first");
    var second = new IOException("second");
    var third = new IOException("third");
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            var closing = new InterruptedException("closing");
            closing.addSuppressed(second);
            var inner = new CancellationException("inner");
            inner.addSuppressed(first);
            inner.addSuppressed(third);
            var outer = new InterruptedException("outer");
            outer.addSuppressed(first);
            outer.addSuppressed(closing);
            outer.initCause(inner);
            inner.initCause(outer);
            throw outer;
          });
      task.awaitDone();

      assertThatThrownBy(task::await)
          .isInstanceOfSatisfying(
              TaskCancelledException.class,
              cancelled -> assertThat(cancelled.failures()).containsExactly(first, second, third));
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("after its request was withdrawn, a task that throws a cancellation has failed")
  void aCancellationWithoutARequest() {
    var cancellation = new CancellationException("of something else");
    try (Loop loop = open()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            Task<?, ?> self = Task.current().orElseThrow();
            self.cancel();
            self.uncancel();
            throw cancellation;
          });

      assertThatThrownBy(task::await).isSameAs(cancellation);
      assertThat(task.isCancelled()).isFalse();
    }
  }

  @Test
  @DisplayName(
      "the cancellation of another, suppressed in what ended a cancelled task, is no failure")
  void aSuppressedCancellation() throws Exception {
    try (Loop loop = open()) {
      Task<Void, InterruptedException> helper = loop.createTask(() -> Thread.sleep(60_000));
      Task<Void, Exception> task =
          loop.createTask(() -> {
            try (AutoCloseable resource =
                () -> {
                  helper.cancel("clean-up");
                  helper.await();
                }) {
              assertThat(resource).isNotNull();
              sleep();
            }
          });
      started.await();

      task.cancel();

      task.awaitDone();
      assertThat(task.isCancelled()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }
}
