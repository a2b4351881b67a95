package dev.selvedge.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A sleeper's hour must not pass while somebody else has work. The work is a token that is passed
 * on: between two passes only one task can run, and most of the time each is seen to be parked.
 */
class ManualClockRaceTest {
  private static final int EFFORT = Integer.getInteger("selvedge.effort", 1);

  private static Loop loop(ManualClock clock) {
    return Loop.builder().handleSignals(false).clock(clock).build();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 16, 100})
  void timeDoesNotMoveWhileATokenIsPassedOn(int tasks) throws Exception {
    ManualClock clock = ManualClock.jumping();
    int passes = 20_000 * EFFORT;
    var jumpedEarly = new AtomicBoolean();
    var passed = new AtomicLong();
    try (Loop loop = loop(clock)) {
      loop.runUntilComplete(() -> {
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          List<BlockingQueue<Integer>> queues = new ArrayList<>();
          for (int i = 0; i < tasks; i++) {
            queues.add(
                switch (i % 3) {
                  case 0 -> new LinkedBlockingQueue<>();
                  case 1 -> new ArrayBlockingQueue<>(1);
                  default -> new SynchronousQueue<>();
                });
          }
          scope.fork(
              "sleeper",
              () -> {
                Task.sleep(Duration.ofHours(1));
                if (passed.get() < passes) {
                  jumpedEarly.set(true);
                }
              });
          clock.awaitAlarms(1);
          for (int i = 0; i < tasks; i++) {
            int self = i;
            scope.fork(() -> {
              BlockingQueue<Integer> next = queues.get((self + 1) % tasks);
              while (true) {
                int token = queues.get(self).take();
                if (token >= 0 && passed.incrementAndGet() >= passes) {
                  token = -tasks;
                }
                if (token < 0) {
                  if (token < -1) {
                    next.put(token + 1);
                  }
                  return;
                }
                next.put(token);
              }
            });
          }
          queues.getFirst().put(0);
          scope.join();
        }
      });
    }
    assertThat(jumpedEarly).isFalse();
    assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
  }

  /** What two tasks pass on through a monitor. */
  private static final class Turn {
    private int turn;
    private int passed;

    synchronized void passOn(int self, int passes) throws InterruptedException {
      while (passed < passes) {
        while (turn != self) {
          wait();
        }
        passed++;
        turn = 1 - self;
        notifyAll();
      }
    }

    synchronized boolean isOver(int passes) {
      return passed >= passes;
    }
  }

  /** A notified virtual thread is BLOCKED until a thread of the JDK has unblocked it. */
  @Test
  @DisplayName("time does not move while a turn is passed on through a monitor")
  void timeDoesNotMoveWhileATurnIsPassedOnThroughAMonitor() throws Exception {
    int passes = 100_000 * EFFORT;
    var jumpedEarly = new AtomicBoolean();
    ManualClock clock = ManualClock.jumping();
    try (Loop loop = loop(clock)) {
      loop.runUntilComplete(() -> {
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          var turn = new Turn();
          scope.fork(
              "sleeper",
              () -> {
                Task.sleep(Duration.ofHours(1));
                jumpedEarly.set(!turn.isOver(passes));
              });
          clock.awaitAlarms(1);
          scope.fork(() -> turn.passOn(0, passes));
          scope.fork(() -> turn.passOn(1, passes));
          scope.join();
        }
      });
    }
    assertThat(jumpedEarly).isFalse();
    assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
  }

  @Test
  @DisplayName("a virtual thread that waits for a monitor is still only when it long has been")
  void aVirtualThreadThatWaitsForAMonitorIsStillOnlyWhenItLongHasBeen() throws Exception {
    var monitor = new Object();
    try (Loop loop = loop(new ManualClock())) {
      Task<Void, RuntimeException> task;
      synchronized (monitor) {
        task =
            loop.createTask(() -> {
              synchronized (monitor) {
                monitor.notifyAll();
              }
            });
        SelvedgeAssertions.assertThat(task).isBlocked();
        var stillness = new Stillness(each -> each == loop, () -> 0, new HashSet<>());
        assertThat(stillness.look(null)).isEqualTo(Stillness.UNBLOCKING);
      }
      task.await();
    }
  }

  /** Looks as often as it can, until it sees everybody blocked although a token is passed on. */
  private static boolean isFooled(int passes, int tasks, Duration time) throws Exception {
    try (Loop loop = loop(new ManualClock())) {
      List<BlockingQueue<Integer>> queues = new ArrayList<>();
      for (int i = 0; i < tasks; i++) {
        queues.add(new LinkedBlockingQueue<>());
      }
      for (int i = 0; i < tasks; i++) {
        int self = i;
        loop.createTask(() -> {
          while (true) {
            queues.get((self + 1) % tasks).put(queues.get(self).take());
          }
        });
      }
      queues.getFirst().put(1);
      var stillness = new Stillness(each -> each == loop, () -> 0, new HashSet<>(), passes);
      for (long start = System.nanoTime(); System.nanoTime() - start < time.toNanos(); ) {
        if (stillness.look(null) != null) {
          return true;
        }
      }
      return false;
    }
  }

  @Test
  void onePassOverTheStatesIsFooledAndManyAreNot() throws Exception {
    assertThat(isFooled(1, 10, Duration.ofMinutes(1))).isTrue();
    assertThat(isFooled(Stillness.PASSES, 2, Duration.ofMillis(500L * EFFORT))).isFalse();
    assertThat(isFooled(Stillness.PASSES, 50, Duration.ofMillis(500L * EFFORT))).isFalse();
  }

  /**
   * A tree of tasks whose leaves sleep and whose nodes compute: each must wake at its very time.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void everySleeperWakesAtItsTime(long seed) throws Exception {
    ManualClock clock = ManualClock.jumping();
    var late = new AtomicLong();
    int tasks = 40;
    int sleeps = 10 * EFFORT;
    try (Loop loop = loop(clock)) {
      loop.runUntilComplete(() -> {
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          for (int i = 0; i < tasks; i++) {
            var random = new Random(seed * 1_000 + i);
            scope.fork(() -> {
              for (int sleep = 0; sleep < sleeps; sleep++) {
                Duration due =
                    clock.elapsed().plus(Duration.ofNanos(random.nextLong(1, 1_000_000_000L)));
                Task.sleep(due.minus(clock.elapsed()));
                if (!clock.elapsed().equals(due)) {
                  late.incrementAndGet();
                }
                spin(random.nextInt(2_000));
                try (TaskScope<RuntimeException> inner = TaskScope.open()) {
                  inner.fork(() -> spin(1_000));
                  inner.join();
                }
                if (!clock.elapsed().equals(due)) {
                  late.incrementAndGet();
                }
              }
            });
          }
          scope.join();
        }
      });
    }
    assertThat(late).as("seed %s", seed).hasValue(0);
    assertThat(clock.alarms()).isZero();
  }

  private static void spin(int times) {
    for (int i = 0; i < times; i++) {
      Thread.onSpinWait();
    }
  }
}
