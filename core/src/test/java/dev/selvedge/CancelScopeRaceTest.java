package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("race")
@ExtendWith(Oracle.class)
class CancelScopeRaceTest {
  private static final int TIMES = Threads.times(10_000);
  private static final int TASKS = Threads.times(Threads.PLATFORM ? 300 : 1500);
  private final Threads.Reported reported = new Threads.Reported();

  private static void spin(int rounds) {
    for (int i = 0; i < rounds; i++) {
      Thread.onSpinWait();
    }
  }

  @Test
  @DisplayName("cancel races with the end of the body: no interrupt is ever left behind")
  void cancelRacesWithTheEndOfTheBody() throws Exception {
    var current = new AtomicReference<CancelScope>();
    var over = new AtomicBoolean();
    var accepted = new AtomicInteger();
    Thread canceller =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              for (int i = 0; !over.get(); i++) {
                CancelScope scope = current.getAndSet(null);
                if (scope == null) {
                  Thread.yield();
                  continue;
                }
                spin(i % 60);
                if (scope.cancel("race")) {
                  accepted.incrementAndGet();
                }
              }
            });
    int cancelled = 0;

    for (int i = 0; i < TIMES; i++) {
      int round = i;
      var scope = CancelScope.create();
      current.set(scope);
      try {
        int value =
            scope.<Integer, RuntimeException>call(() -> {
              spin(round % 90);
              if (round % 3 != 0) {
                Task.checkCancelled();
              }
              return round;
            });
        assertThat(value).isEqualTo(round);
      } catch (TaskCancelledException e) {
        cancelled++;
      }
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    over.set(true);
    canceller.join();
    assertThat(cancelled).isLessThanOrEqualTo(accepted.get());
  }

  @Test
  @DisplayName("an outside cancellation that races with that of the scope is never lost")
  void outsideRacesWithTheScope() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      for (int i = 0; i < TASKS; i++) {
        var scope = CancelScope.create();
        var started = new CountDownLatch(1);
        var inside = new CountDownLatch(1);
        Task<Void, RuntimeException> task =
            loop.createTask(() -> {
              started.countDown();
              try {
                scope.run(() -> {
                  inside.countDown();
                  Thread.sleep(60_000);
                });
              } catch (TaskCancelledException e) {
                // The scope ended first: the outside request comes, or is pending.
              }
              Thread.sleep(60_000);
            });
        int round = i;
        (round % 2 == 0 ? inside : started).await();
        Thread other =
            Thread.ofVirtual()
                .start(() -> {
                  spin(round % 50);
                  scope.cancel("scope");
                });
        spin(round * 7 % 200);
        task.cancel("outside");

        assertThatThrownBy(task::await)
            .isInstanceOf(TaskCancelledException.class)
            .hasMessageContaining("outside");
        assertThat(task.isCancelled()).isTrue();
        other.join();
      }
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("the outer scope's cancellation that races with the inner one's is never lost")
  void outerRacesWithInner() throws Exception {
    for (int i = 0; i < TASKS; i++) {
      int round = i;
      var outer = CancelScope.create();
      var inner = CancelScope.create();

      assertThatThrownBy(() ->
              outer.run(() -> {
                Thread other =
                    Thread.ofVirtual()
                        .start(() -> {
                          spin(round % 50);
                          inner.cancel("inner");
                        });
                Thread another =
                    Thread.ofVirtual()
                        .start(() -> {
                          spin(round * 7 % 50);
                          outer.cancel("outer");
                        });
                try {
                  inner.run(() -> Thread.sleep(5_000));
                } catch (TaskCancelledException e) {
                  // The inner one ended first.
                }
                Thread.sleep(5_000);
                assertThat(other).isNotSameAs(another);
              }))
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outer");
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }
  }
}
