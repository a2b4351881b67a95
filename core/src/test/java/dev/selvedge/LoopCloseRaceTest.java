package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code createTask}, {@code stop} and {@code close} at the same moment. */
@Tag("race")
@ExtendWith(Oracle.class)
class LoopCloseRaceTest {
  private static final int ROUNDS = Threads.times(60);

  @Test
  @DisplayName(
      "SHUT-06: a task created while the loop closes has ended when close returns, or is refused")
  void createTaskRacesWithClose() throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      var inside = new AtomicInteger();
      Loop loop = Threads.builder().build();
      var begun = new CountDownLatch(1);
      var creator =
          new FutureTask<>(() -> {
            var tasks = new ArrayList<Task<?, ?>>();
            try {
              while (true) {
                tasks.add(
                    loop.createTask(() -> {
                      inside.incrementAndGet();
                      try {
                        Thread.sleep(Duration.ofDays(1));
                      } finally {
                        inside.decrementAndGet();
                      }
                    }));
                begun.countDown();
              }
            } catch (IllegalStateException closed) {
              return tasks;
            }
          });
      Thread.ofPlatform().start(creator);
      begun.await();

      loop.close();

      assertThat(inside).hasValue(0);
      List<Task<?, ?>> tasks = creator.get();
      assertThat(tasks).isNotEmpty().allMatch(Task::isCancelled);
      assertThat(inside).hasValue(0);
    }
  }

  @Test
  @DisplayName("A stop at any moment ends exactly one runForever")
  void stopRacesWithRunForever() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      for (int i = 0; i < ROUNDS; i++) {
        Thread stopper = Thread.ofVirtual().start(loop::stop);
        loop.runForever();
        stopper.join();
      }
    }
  }

  @Test
  @DisplayName(
      "An interrupt of run's caller at any moment loses neither the value nor the interrupt")
  void anInterruptRacesWithTheEndOfMain() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      for (int i = 0; i < ROUNDS; i++) {
        Thread caller = Thread.currentThread();
        var main = new CountDownLatch(1);
        Thread interrupter =
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    main.await();
                  } catch (InterruptedException e) {
                    throw new AssertionError(e);
                  }
                  caller.interrupt();
                });
        boolean cancelled = false;
        try {
          String value =
              loop.runUntilComplete(() -> {
                main.countDown();
                return "value";
              });
          assertThat(value).isEqualTo("value");
        } catch (InterruptedException e) {
          cancelled = true;
        }
        while (true) {
          try {
            interrupter.join();
            break;
          } catch (InterruptedException e) {
            assertThat(cancelled).isFalse();
            cancelled = true;
          }
        }

        assertThat(cancelled | Thread.interrupted()).isTrue();
      }
    }
  }
}
