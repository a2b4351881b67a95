package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The library's own timer: punctual, one thread, and empty when nobody needs it. */
@ExtendWith(Oracle.class)
class TimeoutTimerTest {
  /** Generous, for busy machines; a timer that waits for the common pool takes for ever here. */
  private static final Duration BOUND = Duration.ofSeconds(1);

  private static final Duration LONG = Duration.ofDays(1);
  private static final int MANY = Threads.PLATFORM ? 100 : 1000;

  private static void block() throws InterruptedException {
    Thread.sleep(60_000);
  }

  private static List<Thread> timers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("selvedge-timer"))
        .toList();
  }

  @Test
  @DisplayName("a limit is punctual while the common pool is busy")
  void punctualWhileTheCommonPoolIsBusy() throws Exception {
    var gate = new Gate();
    var work = new ArrayList<ForkJoinTask<?>>();
    int workers = ForkJoinPool.commonPool().getParallelism();
    var busy = new CountDownLatch(workers);
    try {
      for (int i = 0; i < 4 * workers; i++) {
        work.add(
            ForkJoinPool.commonPool()
                .submit(() -> {
                  busy.countDown();
                  gate.pass();
                }));
      }
      busy.await();
      long start = System.nanoTime();

      assertThatThrownBy(() -> Timeout.within(Duration.ofMillis(100), () -> block()))
          .isInstanceOf(TimeoutException.class);

      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(Duration.ofMillis(100), BOUND.plusMillis(100));
    } finally {
      gate.open();
      work.forEach(ForkJoinTask::join);
    }
  }

  @Test
  @DisplayName("a limit is not reached early")
  void notEarly() {
    long start = System.nanoTime();

    assertThatThrownBy(() -> Timeout.within(Duration.ofMillis(20), () -> block()))
        .isInstanceOf(TimeoutException.class);

    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(20_000_000);
  }

  @Test
  @DisplayName("all limits share one daemon thread, whatever thread arms them")
  void oneDaemonThread() throws Exception {
    Threads.<Object, Exception>run(
        new Threads.Reported(),
        loop -> {
          var inside = new CountDownLatch(MANY);
          var armed = new CountDownLatch(1);
          try (var scope = TaskScope.<Exception>open()) {
            for (int i = 0; i < MANY; i++) {
              var unused =
                  scope.fork(() ->
                      Timeout.within(
                          LONG,
                          () -> {
                            inside.countDown();
                            armed.await();
                          }));
            }
            inside.await();
            assertThat(Timers.armed()).isEqualTo(MANY);
            assertThat(timers())
                .singleElement()
                .satisfies(timer -> {
                  assertThat(timer.isDaemon()).isTrue();
                  assertThat(timer.isVirtual()).isFalse();
                });
            armed.countDown();
            scope.join();
          }
          return null;
        });

    assertThat(Timers.armed()).isZero();
  }

  @Test
  @DisplayName("many limits that are reached together are all reached")
  void manyAreReachedTogether() throws Exception {
    Threads.<Object, Exception>run(
        new Threads.Reported(),
        loop -> {
          var tasks = new ArrayList<Task<Void, TimeoutException>>();
          for (int i = 0; i < MANY; i++) {
            tasks.add(loop.createTask(() -> Timeout.within(Duration.ofMillis(20), () -> block())));
          }
          for (Task<Void, TimeoutException> task : tasks) {
            assertThatThrownBy(task::await).isInstanceOf(TimeoutException.class);
          }
          return null;
        });

    assertThat(Timers.armed()).isZero();
  }

  @Test
  @DisplayName("limits that are not reached leave nothing armed, however many there were")
  void nothingStaysArmed() throws Exception {
    for (int i = 0; i < 10_000; i++) {
      int round = i;
      assertThat(Timeout.<Integer, RuntimeException>within(LONG, () -> round)).isEqualTo(i);
    }

    assertThat(Timers.armed()).isZero();
  }
}
