package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class CancelRequestTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch started = new CountDownLatch(1);
  private final Gate gate = new Gate();

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  private Loop openGated() {
    return Loop.builder()
        .handleSignals(false)
        .exceptionHandler(reported)
        .threadFactory(gate.factory())
        .build();
  }

  @AfterEach
  void nothingIsReported() {
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-01: cancel is a request: true, and the task is neither done nor cancelled yet")
  void cancelIsARequest() throws Exception {
    try (Loop loop = open()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            started.countDown();
            gate.pass();
            Thread.sleep(60_000);
            return "never";
          });
      started.await();

      assertThat(task.cancel()).isTrue();

      assertThat(task.isDone()).isFalse();
      assertThat(task.isCancelled()).isFalse();
      assertThat(task.state()).isEqualTo(Future.State.RUNNING);
      gate.open();
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
      assertThat(task.isCancelled()).isTrue();
      assertThat(task.state()).isEqualTo(Future.State.CANCELLED);
    }
  }

  @Test
  @DisplayName("CAN-01, CAN-19: cancel of a done task returns false, whatever its outcome")
  void cancelOfADoneTaskReturnsFalse() throws Exception {
    var failure = new IllegalArgumentException("failed");
    try (Loop loop = open()) {
      Task<String, RuntimeException> value = loop.createTask(() -> "value");
      Task<String, RuntimeException> failed =
          loop.createTask(() -> {
            throw failure;
          });
      Task<Void, RuntimeException> cancelled = loop.createTask(() -> Thread.sleep(60_000));
      cancelled.cancel();
      assertThat(value.await()).isEqualTo("value");
      assertThatThrownBy(failed::await).isSameAs(failure);
      assertThatThrownBy(cancelled::await).isInstanceOf(TaskCancelledException.class);

      assertThat(value.cancel("late")).isFalse();
      assertThat(failed.cancel("late")).isFalse();
      assertThat(cancelled.cancel("late")).isFalse();

      assertThat(value.result()).isEqualTo("value");
      assertThat(value.cancelReason()).isEmpty();
      assertThat(value.cancelRequests()).isZero();
      assertThat(failed.exception()).contains(failure);
      assertThat(failed.cancelRequests()).isZero();
      assertThat(cancelled.cancelRequests()).isOne();
    }
  }

  @Test
  @DisplayName("CAN-02: a task cancelled before its start never runs its body nor its finally")
  void cancelBeforeStartNeverRunsTheBody() {
    var ran = new AtomicBoolean();
    try (Loop loop = openGated()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            try {
              ran.set(true);
            } finally {
              ran.set(true);
            }
          });
      assertThat(task.cancel("too early")).isTrue();
      assertThat(task.isDone()).isFalse();

      gate.open();

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasNoCause()
          .hasMessageContaining("too early");
      assertThat(ran).isFalse();
      assertThat(task.isCancelled()).isTrue();
    }
  }

  @Test
  @DisplayName("CAN-02: a request undone before the start lets the body run, uninterrupted")
  void uncancelBeforeStartRunsTheBody() throws Exception {
    try (Loop loop = openGated()) {
      Task<Boolean, RuntimeException> task =
          loop.createTask(() -> Thread.currentThread().isInterrupted());
      task.cancel();
      assertThat(task.uncancel()).isZero();

      gate.open();

      assertThat(task.await()).isFalse();
    }
  }

  @Test
  @DisplayName("CAN-07, CAN-19: requests coalesce into one delivery and are counted each")
  void requestsCoalesceAndAreCounted() throws Exception {
    try (Loop loop = open()) {
      Task<Integer, RuntimeException> task =
          loop.createTask(() -> {
            started.countDown();
            gate.pass();
            int deliveries = 0;
            for (int i = 0; i < 3; i++) {
              try {
                Thread.sleep(1);
              } catch (InterruptedException e) {
                deliveries++;
              }
            }
            return deliveries;
          });
      started.await();
      assertThat(task.cancelRequests()).isZero();
      for (int i = 1; i <= 3; i++) {
        assertThat(task.cancel("request " + i)).isTrue();
        assertThat(task.cancelRequests()).isEqualTo(i);
      }

      gate.open();

      assertThat(task.await()).isOne();
      assertThat(task.cancelRequests()).isEqualTo(3);
    }
  }

  @Test
  @DisplayName("CAN-18: the first reason wins, before the start and after it, and is data")
  void theFirstReasonWins() throws Exception {
    try (Loop early = openGated();
        Loop late = open()) {
      Task<Void, RuntimeException> unstarted = early.createTask(() -> Thread.sleep(60_000));
      Task<Void, RuntimeException> running =
          late.createTask(() -> {
            started.countDown();
            gate.pass();
            Thread.sleep(60_000);
          });
      started.await();
      unstarted.cancel("first");
      unstarted.cancel("second");
      running.cancel("first");
      running.cancel("second");

      gate.open();

      for (Task<?, ?> task : new Task<?, ?>[] {unstarted, running}) {
        assertThatThrownBy(task::await)
            .isInstanceOfSatisfying(
                TaskCancelledException.class,
                e ->
                    assertThat(e.reason())
                        .isEqualTo(new CancelReason(CancelReason.Source.REQUEST, "first", null)));
        assertThat(task.cancelReason()).map(CancelReason::message).contains("first");
        assertThat(task.cancelRequests()).isEqualTo(2);
      }
    }
  }

  @Test
  @DisplayName("CAN-18: the reason names the task that asked, and reaches the body as the message")
  void theReasonNamesTheTaskThatAsked() throws Exception {
    var seen = new AtomicReference<String>();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> target =
          loop.createTask(() -> {
            started.countDown();
            gate.pass();
            try {
              Task.checkCancelled();
            } catch (InterruptedException e) {
              seen.set(e.getMessage());
              throw e;
            }
          });
      started.await();
      Task<Boolean, RuntimeException> asker =
          loop.createTask("asker", () -> target.cancel("not needed"));
      assertThat(asker.await()).isTrue();
      gate.open();

      assertThatThrownBy(target::await).isInstanceOf(TaskCancelledException.class);

      assertThat(target.cancelReason().orElseThrow().by()).isEqualTo(asker);
      assertThat(seen.get()).contains("not needed").contains("asker");
    }
  }

  @Test
  @DisplayName("CAN-20: uncancel lowers the count, never below zero, and changes nothing when done")
  void uncancelLowersTheCount() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            started.countDown();
            gate.pass();
            Thread.sleep(60_000);
          });
      assertThat(task.uncancel()).isZero();
      started.await();
      task.cancel();
      task.cancel();

      assertThat(task.uncancel()).isOne();
      gate.open();
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);

      assertThat(task.uncancel()).isZero();
      assertThat(task.uncancel()).isZero();
      assertThat(task.isCancelled()).isTrue();
    }
  }

  @Test
  @DisplayName("CAN-22: a request undone after its delivery is thrown all the same")
  void uncancelDoesNotWithdrawTheInterrupt() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            started.countDown();
            gate.pass();
            Thread.sleep(60_000);
          });
      started.await();
      task.cancel();
      assertThat(task.uncancel()).isZero();

      gate.open();

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
      assertThat(task.cancelRequests()).isZero();
    }
  }

  @Test
  @DisplayName("CAN-25: a task prints as cancelling until it is done or nothing is requested")
  void aTaskPrintsAsCancelling() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            started.countDown();
            gate.pass();
            Thread.sleep(60_000);
          });
      started.await();
      assertThat(task.toString()).contains("pending");
      task.cancel();
      assertThat(task.toString()).contains("cancelling");
      assertThat(task.isCancelled()).isFalse();
      task.uncancel();
      assertThat(task.toString()).contains("pending").doesNotContain("cancelling");
      task.cancel();

      gate.open();
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);

      assertThat(task.toString()).contains("cancelled").doesNotContain("cancelling");
      assertThat(task.isCancelled()).isTrue();
    }
  }

  @Test
  @DisplayName("cancelling a task cancels what it owns at once, whatever its body is doing")
  void whatItOwnsIsCancelledAtOnce() throws Exception {
    var child = new AtomicReference<Task<Void, RuntimeException>>();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> owner =
          loop.createTask(() -> {
            try (var scope = TaskScope.<RuntimeException>open()) {
              child.set(scope.fork(() -> new CountDownLatch(1).await()));
              started.countDown();
              gate.pass();
            }
          });
      started.await();

      owner.cancel();

      try {
        assertThat(child.get().awaitDone(Duration.ofSeconds(10))).isTrue();
        assertThat(child.get().isCancelled()).isTrue();
        assertThat(owner.isDone()).isFalse();
      } finally {
        gate.open();
      }
    }
  }
}
