package dev.selvedge.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.Timeout;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ManualClockTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration ENDLESS = Duration.ofSeconds(Long.MAX_VALUE);

  @Nested
  class StandingStill {
    @RegisterExtension
    final SelvedgeExtension selvedge =
        SelvedgeExtension.builder().clock(ManualClock::new).wholeProcess().build();

    @Test
    void itBeginsIn2000AndMovesOnlyWhenItIsTold(ManualClock clock) {
      assertThat(clock.instant()).isEqualTo(Instant.parse("2000-01-01T00:00:00Z"));
      clock.advance(HOUR);
      assertThat(clock.instant()).isEqualTo(Instant.parse("2000-01-01T01:00:00Z"));
      assertThat(clock.elapsed()).isEqualTo(HOUR);
      assertThat(clock).hasToString("ManualClock[PT1H, 0 alarms]");
      assertThatIllegalArgumentException().isThrownBy(() -> clock.advance(HOUR.negated()));
    }

    @Test
    @DisplayName("what is no number of alarms or no duration is refused by its name")
    @SuppressWarnings("NullAway")
    void badArgumentsAreRefused(ManualClock clock) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> clock.awaitAlarms(-1))
          .withMessage("count is negative: -1");
      assertThatNullPointerException().isThrownBy(() -> clock.advance(null)).withMessage("by");
      assertThatNullPointerException().isThrownBy(() -> clock.elapse(null)).withMessage("time");
    }

    @Test
    void alarmsRingInOrderEachAtItsTime(ManualClock clock) {
      var rung = new ArrayList<String>();
      clock.schedule(() -> rung.add("late at " + clock.elapsed()), HOUR);
      clock.schedule(() -> rung.add("early at " + clock.elapsed()), Duration.ofMinutes(1));
      clock.schedule(() -> rung.add("second at " + clock.elapsed()), HOUR);
      LoopClock.Alarm cancelled = clock.schedule(() -> rung.add("cancelled"), HOUR);
      LoopClock.Alarm never = clock.schedule(() -> rung.add("never"), ENDLESS);
      cancelled.cancel();
      cancelled.cancel();
      assertThat(clock.alarms()).isEqualTo(4);

      clock.advance(HOUR.minusNanos(1));
      assertThat(rung).containsExactly("early at PT1M");
      clock.advance(HOUR);
      assertThat(rung).containsExactly("early at PT1M", "late at PT1H", "second at PT1H");
      never.cancel();
    }

    @Test
    void advancingWaitsForNobodyAndElapsingForEverybody(Loop loop, ManualClock clock)
        throws Exception {
      var ran = new CopyOnWriteArrayList<Duration>();
      Task<Void, RuntimeException> periodic =
          loop.createTask(() -> {
            while (true) {
              Task.sleep(HOUR);
              ran.add(clock.elapsed());
            }
          });
      clock.awaitAlarms(1);

      clock.advance(HOUR);
      clock.elapse(Duration.ZERO);
      assertThat(ran).containsExactly(HOUR);

      clock.elapse(HOUR.multipliedBy(2));
      assertThat(ran).containsExactly(HOUR, HOUR.multipliedBy(2), HOUR.multipliedBy(3));
      periodic.cancel();
    }

    @Test
    void runUntilIdleEndsWhenNoAlarmIsLeft(Loop loop, ManualClock clock) throws Exception {
      Task<Duration, RuntimeException> task =
          loop.createTask(() -> {
            for (int i = 0; i < 24; i++) {
              Task.sleep(HOUR);
            }
            return clock.elapsed();
          });
      loop.createTask(() -> Task.sleep(HOUR));
      clock.runUntilIdle();
      assertThat(task.result()).isEqualTo(Duration.ofDays(1));
      assertThat(clock.alarms()).isZero();
    }

    @Test
    void whatNeverHappensIsSaid(Loop loop, ManualClock clock) throws Exception {
      clock.patience = Duration.ofMillis(100);
      assertThatThrownBy(() -> clock.awaitAlarms(1))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining(
              "1 alarms were not armed within PT0.1S: ManualClock[PT0S, 0 alarms]");
      var stop = new AtomicBoolean();
      Task<Void, RuntimeException> busy =
          loop.createTask(
              "busy",
              () -> {
                while (!stop.get()) {
                  Thread.onSpinWait();
                }
              });
      assertThatThrownBy(() -> clock.elapse(HOUR))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("not everybody was blocked")
          .hasMessageContaining("busy");
      stop.set(true);
      busy.await();
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> clock.elapse(HOUR)).isInstanceOf(InterruptedException.class);
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> clock.awaitAlarms(1)).hasCauseInstanceOf(InterruptedException.class);
      assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void runUntilIdleRefusesToRunForEver(ManualClock clock) {
      var next = new AtomicReference<LoopClock.Alarm>();
      next.set(clock.schedule(() -> next.set(again(clock, next)), HOUR));
      assertThatThrownBy(() -> clock.runUntilIdle(50))
          .isInstanceOf(AssertionError.class)
          .hasMessageStartingWith("after 50 alarms there are more; is something periodic?");
      assertThat(clock.elapsed()).isBetween(HOUR.multipliedBy(50), HOUR.multipliedBy(51));
      next.get().cancel();
    }

    private static LoopClock.Alarm again(ManualClock clock, AtomicReference<LoopClock.Alarm> next) {
      return clock.schedule(() -> next.set(again(clock, next)), HOUR);
    }
  }

  @Nested
  class Jumping {
    @RegisterExtension
    final SelvedgeExtension selvedge =
        SelvedgeExtension.builder().clock(ManualClock::jumping).build();

    @Test
    void itJumpsWhenAllTasksAndTheTestWait(Loop loop, ManualClock clock) throws Exception {
      Task<Duration, RuntimeException> task =
          loop.createTask(() -> {
            Task.sleep(HOUR);
            return clock.elapsed();
          });
      assertThat(task.await()).isEqualTo(HOUR);
    }

    @Test
    void itStandsStillWhileTheTestRuns(Loop loop, ManualClock clock) throws Exception {
      Task<Void, RuntimeException> task = loop.createTask(() -> Task.sleep(HOUR));
      clock.awaitAlarms(1);
      long start = System.nanoTime();
      while (System.nanoTime() - start < Duration.ofMillis(50).toNanos()) {
        assertThat(clock.elapsed()).isZero();
      }
      clock.elapse(HOUR.minusNanos(1));
      SelvedgeAssertions.assertThat(task).isRunning();
      clock.elapse(Duration.ofNanos(1));
      SelvedgeAssertions.assertThat(task).isDone().succeeded();
    }

    @Test
    void limitsEndByIt(Loop loop, ManualClock clock) {
      Task<Void, Exception> limited =
          loop.createTask(() -> Timeout.within(HOUR, () -> new CountDownLatch(1).await()));
      SelvedgeAssertions.assertThat(limited).failedWith(TimeoutException.class);
      assertThat(clock.elapsed()).isEqualTo(HOUR);
    }

    @Test
    void whatNeverEndsIsNotJumpedTo(Loop loop, ManualClock clock) throws Exception {
      Task<Void, RuntimeException> endless = loop.createTask(() -> Task.sleep(ENDLESS));
      Task<Void, RuntimeException> day = loop.createTask(() -> Task.sleep(Duration.ofDays(1)));
      day.await();
      SelvedgeAssertions.assertThat(endless).isBlocked().isRunning();
      assertThat(clock.elapsed()).isEqualTo(Duration.ofDays(1));
      endless.cancel();
    }

    @Test
    void childrenOfScopesAreWaitedFor(ManualClock clock) throws Exception {
      var order = new CopyOnWriteArrayList<String>();
      try (TaskScope<RuntimeException> scope = TaskScope.open()) {
        for (int i = 3; i > 0; i--) {
          int hours = i;
          scope.fork(() -> {
            Task.sleep(HOUR.multipliedBy(hours));
            order.add(hours + " at " + clock.elapsed());
          });
        }
        scope.join();
      }
      assertThat(order).isEqualTo(List.of("1 at PT1H", "2 at PT2H", "3 at PT3H"));
    }
  }

  @Test
  @DisplayName("an alarm that throws is told of, and a jumping clock goes on")
  void anAlarmThatThrowsIsToldOfAndAJumpingClockGoesOn() {
    ManualClock clock = ManualClock.jumping();
    var failure = new IllegalStateException("the alarm's");
    var uncaught = new CopyOnWriteArrayList<Throwable>();
    Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((_, thrown) -> uncaught.add(thrown));
    try (Loop loop = Loop.builder().handleSignals(false).clock(clock).build()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> Task.sleep(HOUR.multipliedBy(2)));
      clock.schedule(
          () -> {
            throw failure;
          },
          HOUR);
      SelvedgeAssertions.assertThat(task).succeeded();
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
    assertThat(uncaught).containsExactly(failure);
  }

  @Test
  void aJumpingClockKeepsNoThreadThatNobodyNeeds() throws Exception {
    ManualClock clock = ManualClock.jumping();
    try (Loop loop = Loop.builder().handleSignals(false).clock(clock).build()) {
      loop.createTask(() -> Task.sleep(HOUR)).await();
    }
    // Armed by nobody's task, so that the thread finds no loop.
    LoopClock.Alarm forgotten = clock.schedule(() -> {}, HOUR);
    long start = System.nanoTime();
    while (jumpers() > 0) {
      assertThat(System.nanoTime() - start).isLessThan(Duration.ofSeconds(10).toNanos());
      Thread.sleep(1);
    }
    forgotten.cancel();
  }

  private static long jumpers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("selvedge-manual-clock"))
        .count();
  }
}
