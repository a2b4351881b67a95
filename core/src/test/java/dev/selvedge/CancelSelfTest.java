package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class CancelSelfTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final AtomicReference<String> trace = new AtomicReference<>("");

  private static Task<?, ?> self() {
    return Task.current().orElseThrow();
  }

  @Test
  @DisplayName("CAN-14: a task that cancels itself goes on until the next blocking call")
  void selfCancelIsSeenAtTheNextBlockingCall() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            assertThat(self().cancel("enough")).isTrue();
            trace.set("went on");
            Thread.sleep(0);
            trace.set("slept");
          });

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(trace).hasValue("went on");
      assertThat(task.cancelReason().orElseThrow().by()).isEqualTo(task);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-14: the next await throws, although the awaited task is done")
  void selfCancelIsSeenByTheAwaitOfADoneTask() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> done = loop.createTask(() -> "done");
      assertThat(done.await()).isEqualTo("done");
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            self().cancel("enough");
            return done.await();
          });

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .rootCause()
          .isInstanceOf(InterruptedException.class)
          .hasMessageContaining("enough");
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-15: a task that cancels itself and returns without blocking ends cancelled")
  void selfCancelThenReturnEndsCancelled() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            self().cancel("enough");
            return "discarded";
          });

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class).hasNoCause();
      assertThat(task.isCancelled()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-15, CAN-20: what a task asked of itself and took back does not cancel it")
  void selfCancelTakenBack() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            self().cancel("enough");
            assertThat(self().uncancel()).isZero();
            Thread.sleep(0);
            return "kept";
          });

      assertThat(task.await()).isEqualTo("kept");
    }
  }

  @Test
  @DisplayName("CAN-04: a task that cancels itself, catches it and returns keeps its value")
  void selfCancelCaughtKeepsTheValue() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            self().cancel("enough");
            assertThatThrownBy(Task::checkCancelled).isInstanceOf(InterruptedException.class);
            return "kept";
          });

      assertThat(task.await()).isEqualTo("kept");
      assertThat(task.cancelRequests()).isOne();
    }
  }

  @Test
  @DisplayName("checkCancelled throws a pending cancellation once, and nothing otherwise")
  void checkCancelledThrowsOnce() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Boolean, RuntimeException> task =
          loop.createTask(() -> {
            Task.checkCancelled();
            self().cancel("seen");
            assertThatThrownBy(Task::checkCancelled)
                .isInstanceOf(InterruptedException.class)
                .hasMessageContaining("seen");
            Task.checkCancelled();
            return Thread.currentThread().isInterrupted();
          });

      assertThat(task.await()).isFalse();
    }
  }

  @Test
  @DisplayName("checkCancelled outside of tasks throws the interrupt of the thread")
  void checkCancelledOutsideOfTasks() throws Exception {
    Task.checkCancelled();
    Thread.currentThread().interrupt();

    assertThatThrownBy(Task::checkCancelled).isInstanceOf(InterruptedException.class);

    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  @DisplayName("CAN-20: a limit that is reached meanwhile is not taken back with what a task asked")
  void takingBackKeepsTheInterruptOfALimit() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, TimeoutException> task =
          loop.createTask(() ->
              Timeout.within(
                  Duration.ofMillis(1),
                  limit -> {
                    self().cancel("enough");
                    while (!limit.expired()) {
                      Thread.onSpinWait();
                    }
                    self().uncancel();
                    try {
                      Thread.sleep(60_000);
                      return "slept";
                    } catch (InterruptedException e) {
                      return "interrupted";
                    }
                  }));

      assertThat(task.await()).isEqualTo("interrupted");
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-20: what a task asked of itself twice is taken back with the second request")
  void takingBackTwice() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Boolean, RuntimeException> task =
          loop.createTask(() -> {
            self().cancel("enough");
            self().cancel("really");
            assertThat(self().uncancel()).isOne();
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            assertThat(self().uncancel()).isZero();
            return Thread.interrupted();
          });

      assertThat(task.await()).isFalse();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-20: nor is the interrupt that was there before it asked")
  void takingBackKeepsAnEarlierInterrupt() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Boolean, RuntimeException> task =
          loop.createTask(() -> {
            Thread.currentThread().interrupt();
            self().cancel("enough");
            self().uncancel();
            return Thread.interrupted();
          });

      assertThat(task.await()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }
}
