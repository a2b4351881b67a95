package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a body makes of its cancellation decides how the task ends. */
@ExtendWith(Oracle.class)
class CancelOutcomeTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch cleaning = new CountDownLatch(1);
  private final Gate gate = new Gate();

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  private void sleep() throws InterruptedException {
    started.countDown();
    Thread.sleep(60_000);
  }

  @Test
  @DisplayName("CAN-04: a body that catches the cancellation and returns keeps its value")
  void aSwallowedCancellationKeepsTheValue() throws Exception {
    try (Loop loop = open()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            try {
              sleep();
              return "slept";
            } catch (InterruptedException e) {
              return "kept";
            }
          });
      started.await();
      task.cancel();

      assertThat(task.await()).isEqualTo("kept");
      assertThat(task.isCancelled()).isFalse();
      assertThat(task.cancelRequests()).isOne();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-05: a body that throws another exception fails; the cancellation is suppressed")
  void anotherExceptionIsAFailure() throws Exception {
    var failure = new IOException("while cancelled");
    try (Loop loop = open()) {
      Task<Void, IOException> task =
          loop.createTask(() -> {
            try {
              sleep();
            } catch (InterruptedException e) {
              throw failure;
            }
          });
      started.await();
      task.cancel("why");

      assertThatThrownBy(task::await).isSameAs(failure);
      assertThat(task.isCancelled()).isFalse();
      assertThat(Suppressed.in(failure))
          .singleElement()
          .isInstanceOfSatisfying(
              TaskCancelledException.class, e -> assertThat(e.reason().message()).isEqualTo("why"));
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-05: a failing finally of a cancelled task that nobody awaits is reported")
  void aFailingFinallyIsReported() throws Exception {
    var failure = new IllegalStateException("cleanup");
    try (Loop loop = open()) {
      var unused =
          loop.createTask(() -> {
            try {
              sleep();
            } catch (InterruptedException e) {
              throw failure;
            }
          });
      started.await();
    }

    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("CAN-06: one request is delivered once; a body that ignores it may wait again")
  void oneRequestIsDeliveredOnce() throws Exception {
    var proceed = new CountDownLatch(1);
    try (Loop loop = open()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            try {
              sleep();
            } catch (InterruptedException e) {
              cleaning.countDown();
            }
            proceed.await();
            return "went on";
          });
      started.await();
      task.cancel();
      cleaning.await();
      Gate.awaitBlocked(task);
      proceed.countDown();

      assertThat(task.await()).isEqualTo("went on");
      assertThat(task.cancelRequests()).isOne();
    }
  }

  @Test
  @DisplayName("CAN-08, CAN-19: a second request interrupts the clean-up")
  void aSecondRequestInterruptsTheCleanUp() throws Exception {
    var second = new AtomicReference<InterruptedException>();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            try {
              sleep();
            } finally {
              cleaning.countDown();
              try {
                Thread.sleep(60_000);
              } catch (InterruptedException e) {
                second.set(e);
              }
            }
          });
      started.await();
      task.cancel("first");
      cleaning.await();

      assertThat(task.cancel("second")).isTrue();

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("first");
      assertThat(second.get()).isNotNull();
      assertThat(task.cancelRequests()).isEqualTo(2);
    }
  }

  @Test
  @DisplayName("CAN-28: handlers of ordinary exceptions do not swallow a cancellation")
  void ordinaryHandlersDoNotSwallow() throws Exception {
    try (Loop loop = open()) {
      Task<String, IOException> task =
          loop.createTask(() -> {
            try {
              sleep();
              if (started.getCount() != 0) {
                throw new IOException();
              }
              return "slept";
            } catch (RuntimeException | IOException e) {
              return "swallowed";
            }
          });
      started.await();
      task.cancel();

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
  }

  @Test
  @DisplayName("CAN-28: what a catch-all swallowed is still to be seen in the count and the reason")
  void aCatchAllCanTellThatItSwallowed() throws Exception {
    try (Loop loop = open()) {
      Task<Integer, RuntimeException> task =
          loop.createTask(() -> {
            try {
              sleep();
            } catch (Exception e) {
              assertThat(e).isInstanceOf(InterruptedException.class);
            }
            return Task.current().orElseThrow().cancelRequests();
          });
      started.await();
      task.cancel("why");

      assertThat(task.await()).isOne();
      assertThat(task.cancelReason()).map(CancelReason::message).contains("why");
    }
  }

  @Test
  @DisplayName("CAN-30: who cancels a task and waits for it can itself be cancelled meanwhile")
  void waitingForACancelledTaskIsCancellable() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> target =
          loop.createTask(() -> {
            try {
              sleep();
            } finally {
              gate.pass();
            }
          });
      started.await();
      Task<Void, RuntimeException> helper =
          loop.createTask(() -> {
            target.cancel("helper");
            cleaning.countDown();
            target.await();
          });
      cleaning.await();
      Gate.awaitBlocked(helper);

      helper.cancel("outside");

      assertThatThrownBy(helper::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outside")
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(target.isDone()).isFalse();
      gate.open();
      assertThatThrownBy(target::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("helper");
    }
    assertThat(reported.contexts).isEmpty();
  }
}
