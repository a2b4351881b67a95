package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Sweeps: one side is moved against the other by some spins in each repetition. */
@Tag("race")
@ExtendWith(Oracle.class)
class CancelRaceTest {
  private static final int TIMES = Threads.times(Threads.PLATFORM ? 300 : 2000);
  private final Threads.Reported reported = new Threads.Reported();

  private static void spin(int rounds) {
    for (int i = 0; i < rounds; i++) {
      Thread.onSpinWait();
    }
  }

  @Test
  @DisplayName("CAN-01: cancel races with completion: a refused request changes nothing")
  void cancelRacesWithCompletion() {
    var interruptedCallbacks = new AtomicInteger();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      for (int i = 0; i < TIMES; i++) {
        int round = i;
        Task<Integer, RuntimeException> task =
            loop.createTask(() -> {
              spin(round % 40);
              Task.checkCancelled();
              return round;
            });
        task.onDone(done -> {
          if (Thread.currentThread().isInterrupted()) {
            interruptedCallbacks.incrementAndGet();
          }
        });
        spin(round * 7 % 300);
        boolean accepted = task.cancel();

        try {
          assertThat(task.await()).isEqualTo(round);
          assertThat(task.state()).isEqualTo(Future.State.SUCCESS);
        } catch (TaskCancelledException e) {
          assertThat(accepted).isTrue();
          assertThat(task.isCancelled()).isTrue();
        } catch (InterruptedException e) {
          throw new AssertionError("the cancellation reached the canceller", e);
        }
        assertThat(task.cancelRequests()).isEqualTo(accepted ? 1 : 0);
      }
    }
    assertThat(interruptedCallbacks).hasValue(0);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-02: cancel races with the start: the task always ends cancelled")
  void cancelRacesWithTheStart() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      for (int i = 0; i < TIMES; i++) {
        var ran = new AtomicBoolean();
        Task<Void, RuntimeException> task =
            loop.createTask(() -> {
              ran.set(true);
              Thread.sleep(60_000);
            });
        spin(i * 7 % 300);

        assertThat(task.cancel()).isTrue();

        assertThatThrownBy(task::await)
            .isInstanceOfSatisfying(
                TaskCancelledException.class,
                e -> assertThat(e.getCause() != null).isEqualTo(ran.get()));
      }
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("onDone races with completion: each callback runs exactly once")
  void onDoneRacesWithCompletion() {
    var calls = new AtomicInteger();
    int perTask = 4;
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      for (int i = 0; i < TIMES; i++) {
        int round = i;
        Task<Void, RuntimeException> task = loop.createTask(() -> spin(round % 50));
        spin(round * 7 % 300);
        for (int j = 0; j < perTask; j++) {
          task.onDone(done -> {
            if (done.isDone()) {
              calls.incrementAndGet();
            }
          });
        }
      }
    }

    assertThat(calls).hasValue(perTask * TIMES);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("await races with completion: no waiter is forgotten")
  void awaitRacesWithCompletion() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      for (int i = 0; i < TIMES; i++) {
        int round = i;
        Task<Integer, RuntimeException> task =
            loop.createTask(() -> {
              spin(round % 50);
              return round;
            });
        Task<Integer, RuntimeException> second = loop.createTask(() -> task.await());
        assertThat(task.await()).isEqualTo(round);
        assertThat(second.await()).isEqualTo(round);
      }
    }
  }
}
