package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class ClockTest {
  private static final Duration HOUR = Duration.ofHours(1);

  private final Threads.Reported reported = new Threads.Reported();
  private final ManualClock clock = new ManualClock();

  private Loop.Builder builder() {
    return Threads.builder().exceptionHandler(reported).clock(clock);
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(clock.armed()).isZero();
  }

  @Test
  @DisplayName("a sleep ends when the loop's clock says so, and not a nanosecond earlier")
  void sleep() throws Exception {
    try (Loop loop = builder().build()) {
      Task<Long, RuntimeException> sleeper =
          loop.createTask(() -> {
            Task.sleep(HOUR);
            return loop.clock().nanoTime();
          });
      clock.awaitArmed(1);
      clock.advance(HOUR.minusNanos(1));
      assertThat(sleeper.isDone()).isFalse();
      clock.advance(Duration.ofNanos(1));
      assertThat(sleeper.await()).isEqualTo(HOUR.toNanos());
    }
  }

  @Test
  @DisplayName("a sleep of zero or less arms nothing and sees a cancellation")
  void noSleep() throws Exception {
    try (Loop loop = builder().build()) {
      loop.runUntilComplete(() -> {
        Task.sleep(Duration.ZERO);
        Task.sleep(HOUR.negated());
        for (Duration delay : new Duration[] {HOUR, Duration.ZERO, HOUR.negated()}) {
          Thread.currentThread().interrupt();
          assertThatThrownBy(() -> Task.sleep(delay)).isInstanceOf(InterruptedException.class);
          assertThat(Thread.interrupted()).isFalse();
        }
      });
    }
    assertThat(clock.nanoTime()).isZero();
  }

  @Test
  @DisplayName("outside of tasks, and in loops without a clock, a sleep is the system's")
  void systemSleep() throws Exception {
    assertThat(Loop.current().clock()).isSameAs(LoopClock.system());
    long start = LoopClock.system().nanoTime();
    Task.sleep(Duration.ofMillis(2));
    assertThat(LoopClock.system().nanoTime() - start)
        .isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(2));
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> Task.sleep(HOUR)).isInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("the system's clock prints its name")
  void theSystemsClock() {
    assertThat(LoopClock.system()).hasToString("LoopClock.system");
  }

  @Test
  @DisplayName("a cancelled sleep leaves no alarm")
  void cancelledSleep() {
    try (Loop loop = builder().build()) {
      Task<Void, RuntimeException> sleeper = loop.createTask(() -> Task.sleep(HOUR));
      clock.awaitArmed(1);
      sleeper.cancel();
      assertThatThrownBy(sleeper::await).isInstanceOf(TaskCancelledException.class);
    }
  }

  @Test
  @DisplayName("limits, deadlines and moved deadlines are the clock's")
  void within() throws Exception {
    var moved = new CountDownLatch(1);
    try (Loop loop = builder().build()) {
      Task<Void, TimeoutException> limited =
          loop.createTask(() -> {
            Timeout.within(
                HOUR,
                timeout -> {
                  assertThat(timeout.when()).isEqualTo(clock.instant().plus(HOUR));
                  assertThat(Timeout.deadline()).contains(timeout.when());
                  timeout.reschedule(timeout.when().plus(HOUR));
                  moved.countDown();
                  new CountDownLatch(1).await();
                  return null;
                });
          });
      moved.await();
      clock.advance(HOUR.multipliedBy(2).minusNanos(1));
      assertThat(limited.isDone()).isFalse();
      clock.advance(Duration.ofNanos(1));
      assertThatThrownBy(limited::await).isInstanceOf(TimeoutException.class);
    }
  }

  @Test
  @DisplayName("an await with a limit gives up, or has the value, by the caller's clock")
  void limitedAwait() throws Exception {
    var gate = new Gate();
    try (Loop loop = builder().build()) {
      Task<Integer, RuntimeException> slow =
          loop.createTask(() -> {
            gate.pass();
            return 1;
          });
      Task<Integer, TimeoutException> impatient = loop.createTask(() -> slow.await(HOUR));
      Task<Integer, TimeoutException> patient =
          loop.createTask(() -> slow.await(HOUR.multipliedBy(2)));
      clock.awaitArmed(2);
      clock.advance(HOUR);
      assertThatThrownBy(impatient::await).isInstanceOf(TimeoutException.class);
      assertThat(patient.isDone()).isFalse();
      gate.open();
      assertThat(patient.await()).isOne();
    }
  }

  @Test
  @DisplayName("in a thread that a loop was given to, limits and waits go by the loop's clock")
  void asCurrent() throws Exception {
    var gate = new Gate();
    var begun = new CountDownLatch(2);
    try (Loop loop = builder().build()) {
      Task<Void, RuntimeException> slow = loop.createTask(gate::pass);
      var patient =
          new FutureTask<Boolean>(() ->
              loop.asCurrent(() -> {
                begun.countDown();
                return slow.awaitDone(HOUR);
              }));
      var limited =
          new FutureTask<Void>(() ->
              loop.asCurrent(() -> {
                begun.countDown();
                Timeout.within(HOUR, () -> new CountDownLatch(1).await());
                return null;
              }));
      Thread.ofVirtual().start(patient);
      Thread.ofVirtual().start(limited);
      begun.await();
      clock.awaitArmed(2);
      clock.advance(HOUR);
      assertThat(patient.get()).isFalse();
      assertThatThrownBy(limited::get).hasCauseInstanceOf(TimeoutException.class);
      gate.open();
    }
  }

  @Test
  @DisplayName("waitFor cancels the task by the clock")
  void waitFor() throws Exception {
    try (Loop loop = builder().build()) {
      Task<Void, RuntimeException> slow = loop.createTask(() -> new CountDownLatch(1).await());
      Task<Void, Exception> waiting = loop.createTask(() -> Timeout.waitFor(slow, HOUR));
      clock.awaitArmed(1);
      clock.advance(HOUR);
      assertThatThrownBy(waiting::await).isInstanceOf(TimeoutException.class);
      assertThat(slow.isCancelled()).isTrue();
    }
  }

  @Test
  @DisplayName("orphanAfter and the warnings about stragglers are the clock's")
  void warnings() throws Exception {
    var gate = new Gate();
    try (Loop loop = builder().orphanAfter(HOUR).stragglerWarning(HOUR.multipliedBy(2)).build()) {
      var failure = new IllegalStateException("unread");
      Task<Void, RuntimeException> failing =
          loop.createTask(() -> {
            throw failure;
          });
      failing.awaitDone();
      clock.awaitArmed(1);
      assertThat(reported.contexts).isEmpty();
      clock.advance(HOUR);
      await().until(() -> reported.exceptions().contains(failure));

      Task<Void, RuntimeException> stubborn = loop.createTask("stubborn", gate::pass);
      Gate.awaitBlocked(stubborn);
      stubborn.cancel();
      clock.advance(HOUR.multipliedBy(2));
      await().until(() -> reported.messages().contains("Task ignores its cancellation"));
      assertThat(reported.contexts.peek()).isNotNull();
      assertThat(
              reported.contexts.stream()
                  .filter(each -> each.exception() == null)
                  .map(each -> each.details().get("asked")))
          .containsExactly(HOUR.multipliedBy(2));
      gate.open();
    }
  }

  /** Breaks the contract: it goes backwards. Its alarms ring as before. */
  private final class Backwards implements LoopClock {
    volatile long nanosBack;

    @Override
    public long nanoTime() {
      return clock.nanoTime() - nanosBack;
    }

    @Override
    public Instant instant() {
      return clock.instant().minusNanos(nanosBack);
    }

    @Override
    public Alarm schedule(Runnable action, Duration delay) {
      return clock.schedule(action, delay);
    }
  }

  @Test
  @DisplayName("a clock that goes backwards delays no limit and makes no duration negative")
  void goesBackwards() throws Exception {
    var backwards = new Backwards();
    var durations = new ConcurrentLinkedQueue<Long>();
    var listener =
        new LoopListener() {
          @Override
          public void finished(Task<?, ?> task, @Nullable Throwable exception, long nanos) {
            durations.add(nanos);
          }
        };
    try (Loop loop = builder().clock(backwards).listener(listener).build()) {
      Task<?, Exception> limited =
          loop.createTask(() -> Timeout.within(HOUR, () -> new CountDownLatch(1).await()));
      clock.awaitArmed(1);
      backwards.nanosBack = HOUR.multipliedBy(5).toNanos();
      assertThat(loop.snapshot().toString()).doesNotContain("-5h");
      clock.advance(HOUR);
      assertThatThrownBy(limited::await).isInstanceOf(TimeoutException.class);
    }
    assertThat(durations).containsOnly(0L);
  }
}
