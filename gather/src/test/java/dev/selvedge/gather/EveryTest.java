package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.Action;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import dev.selvedge.ManualClock;
import dev.selvedge.Oracle;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class EveryTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration NANO = Duration.ofNanos(1);

  private final Threads.Reported reported = new Threads.Reported();
  private final ManualClock clock = new ManualClock();
  private final Loop loop = Threads.builder().exceptionHandler(reported).clock(clock).build();

  /** When the action ran, in seconds. */
  private final List<Double> times = new CopyOnWriteArrayList<>();

  private final List<Tick> ticks = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    loop.close();
    assertThat(clock.armed()).isZero();
  }

  private void record(Tick tick) {
    times.add(clock.nanoTime() / 1e9);
    ticks.add(tick);
  }

  private Task<Void, RuntimeException> start(Every every) {
    return loop.createTask("every", () -> every.run(this::record));
  }

  /** Moves the time when the next wait has begun. */
  private void advance(Duration by) {
    clock.awaitArmed(1);
    clock.advance(by);
  }

  private void awaitTicks(int count) {
    await("ticks").until(() -> ticks.size() == count);
  }

  @Test
  @DisplayName(
      "the first time is at once, the others are multiples of the period, to the nanosecond")
  void fixedRate() {
    start(Every.fixedRate(SECOND)).ignoreFailure();
    for (int i = 1; i <= 5; i++) {
      awaitTicks(i);
      advance(SECOND.minus(NANO));
      assertThat(ticks).hasSize(i);
      clock.advance(NANO);
    }
    awaitTicks(6);
    assertThat(times).containsExactly(0.0, 1.0, 2.0, 3.0, 4.0, 5.0);
    assertThat(ticks).last().isEqualTo(new Tick(5, 0));
  }

  @Test
  @DisplayName("the first time is after the initial delay, and the others count from it")
  void initialDelay() {
    start(Every.fixedRate(SECOND).initialDelay(Duration.ofSeconds(10))).ignoreFailure();
    advance(Duration.ofSeconds(10).minus(NANO));
    assertThat(ticks).isEmpty();
    clock.advance(NANO);
    awaitTicks(1);
    advance(SECOND);
    awaitTicks(2);
    assertThat(times).containsExactly(10.0, 11.0);
  }

  @Test
  @DisplayName("what passes while the action runs is missed and counted; a time that is now is not")
  void overrun() {
    Duration[] takes = {
      SECOND.minus(NANO),
      SECOND,
      SECOND.plus(NANO),
      Duration.ofMillis(3500),
      Duration.ofMillis(1),
      SECOND.multipliedBy(5)
    };
    loop.createTask(() ->
            Every.fixedRate(SECOND)
                .run(tick -> {
                  record(tick);
                  if (tick.number() < takes.length) {
                    clock.advance(takes[(int) tick.number()]);
                  }
                }))
        .ignoreFailure();
    awaitTicks(1);
    advance(NANO); // 1: at once for the one that took a second, then 2 comes
    awaitTicks(3);
    advance(SECOND.minus(NANO)); // at 4, because 3 was missed by a nanosecond
    awaitTicks(4);
    advance(Duration.ofMillis(500)); // at 8: 5, 6 and 7 were missed
    awaitTicks(5);
    advance(Duration.ofMillis(999)); // at 9
    awaitTicks(7); // that took until 14, which is now
    assertThat(times).containsExactly(0.0, 1.0, 2.0, 4.0, 8.0, 9.0, 14.0);
    assertThat(ticks).extracting(Tick::missed).containsExactly(0L, 0L, 0L, 1L, 3L, 0L, 4L);
    assertThat(ticks).extracting(Tick::number).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L);
  }

  @Test
  @DisplayName("with a fixed delay the next starts so long after the end of the one before")
  void fixedDelay() {
    loop.createTask(() ->
            Every.fixedDelay(SECOND)
                .run(tick -> {
                  record(tick);
                  clock.advance(Duration.ofMillis(2500));
                }))
        .ignoreFailure();
    for (int i = 1; i < 4; i++) {
      awaitTicks(i);
      advance(SECOND);
    }
    awaitTicks(4);
    assertThat(times).containsExactly(0.0, 3.5, 7.0, 10.5);
    assertThat(ticks).extracting(Tick::missed).containsOnly(0L);
  }

  @Test
  @DisplayName("each failure is reported, an Error too, and it goes on")
  void failures() {
    List<Throwable> failures =
        List.of(new IOException("0"), new StackOverflowError("1"), new IllegalStateException("2"));
    Task<Void, RuntimeException> task =
        loop.createTask(() ->
            Every.fixedRate(SECOND)
                .run(tick -> {
                  record(tick);
                  if (tick.number() < failures.size()) {
                    throw Suppression.<RuntimeException>sneak(failures.get((int) tick.number()));
                  }
                }));
    for (int i = 1; i <= 4; i++) {
      awaitTicks(i);
      advance(SECOND);
    }
    awaitTicks(5);
    assertThat(reported.exceptions()).isEqualTo(failures);
    assertThat(reported.messages()).containsOnly("Periodic action failed");
    assertThat(reported.contexts).extracting(ExceptionContext::future).containsOnly(task);
    assertThat(reported.contexts)
        .extracting(context -> context.details().get("tick"))
        .containsExactly(0L, 1L, 2L);
    assertThat(reported.contexts)
        .extracting(context -> context.details().get("failuresInARow"))
        .containsExactly(1L, 2L, 3L);
  }

  @Test
  @DisplayName("so many failures in a row end it with the last, which is not reported too")
  void maxFailures() {
    Action<IOException> failingButForTheThird =
        () -> {
          times.add(clock.nanoTime() / 1e9);
          if (times.size() != 3) {
            throw new IOException("failure " + times.size());
          }
        };
    Task<Void, IOException> task =
        loop.createTask(() -> Every.fixedRate(SECOND).maxFailures(3).run(failingButForTheThird));
    for (int i = 1; i < 6; i++) {
      int count = i;
      await().until(() -> times.size() == count);
      advance(SECOND);
    }
    assertThatThrownBy(task::await).isInstanceOf(IOException.class).hasMessage("failure 6");
    assertThat(reported.exceptions())
        .extracting(Throwable::getMessage)
        .containsExactly("failure 1", "failure 2", "failure 4", "failure 5");
  }

  @Test
  @DisplayName("with a limit of one the first failure ends it")
  void oneFailure() {
    var failure = new IllegalStateException("first");
    Task<Void, RuntimeException> task =
        loop.createTask(() ->
            Every.fixedDelay(SECOND)
                .maxFailures(1)
                .run(tick -> {
                  throw failure;
                }));
    assertThatThrownBy(task::await).isSameAs(failure);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("cancelled while it waits, it ends at once")
  void cancelledWhileWaiting() {
    Task<Void, RuntimeException> task = start(Every.fixedRate(SECOND));
    awaitTicks(1);
    clock.awaitArmed(1);
    task.cancel();
    assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    assertThat(ticks).hasSize(1);
  }

  @Test
  @DisplayName("cancelled while the action runs, it is waited for, with its clean-up")
  void cancelledWhileRunning() throws Exception {
    var begun = new CountDownLatch(1);
    var gate = new Gate();
    Task<Void, RuntimeException> task =
        loop.createTask(() ->
            Gather.every(
                SECOND,
                () -> {
                  begun.countDown();
                  gate.pass(); // keeps the interrupt
                  times.add(0.0);
                }));
    begun.await();
    task.cancel();
    assertThat(task.isDone()).isFalse();
    gate.open();
    assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    assertThat(times).hasSize(1);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("somebody else's cancellation that the action throws is a failure like any other")
  void foreignCancellation() {
    Task<Void, RuntimeException> other = loop.createTask(() -> Task.sleep(SECOND));
    other.cancel();
    Task<Void, RuntimeException> task =
        loop.createTask(() -> Every.fixedRate(SECOND).maxFailures(2).run(() -> other.await()));
    await().until(() -> !reported.contexts.isEmpty());
    advance(SECOND);
    assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    assertThat(reported.exceptions()).singleElement().isInstanceOf(TaskCancelledException.class);
    assertThat(task.isCancelled()).isFalse();
  }

  @Test
  @DisplayName("the longest of durations overflow nothing")
  void longDurations() {
    Duration longest = Duration.ofSeconds(Long.MAX_VALUE);
    Task<Void, RuntimeException> rate = start(Every.fixedRate(longest));
    Task<Void, RuntimeException> delay = start(Every.fixedDelay(longest).initialDelay(longest));
    awaitTicks(1);
    clock.awaitArmed(2);
    clock.advance(Duration.ofDays(10_000));
    assertThat(ticks).hasSize(1);
    rate.cancel();
    delay.cancel();
  }

  @Test
  @DisplayName("what is wrong is refused where it is said")
  void badInput() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Every.fixedRate(Duration.ZERO))
        .withMessageContaining("period");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Every.fixedDelay(SECOND.negated()))
        .withMessageContaining("delay");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Every.fixedRate(SECOND).initialDelay(NANO.negated()))
        .withMessageContaining("delay");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Every.fixedRate(SECOND).maxFailures(0))
        .withMessageContaining("failures");
    assertThatNullPointerException()
        .isThrownBy(() -> Gather.every(SECOND, nil()))
        .withMessage("action");
    assertThatNullPointerException().isThrownBy(() -> Every.fixedRate(nil())).withMessage("period");
    assertThat(Every.fixedRate(SECOND).initialDelay(NANO))
        .hasToString("Every[PT1S, fixed rate, first after PT0.000000001S]");
    assertThat(Every.fixedDelay(SECOND)).hasToString("Every[PT1S, fixed delay]");
  }

  @SuppressWarnings("NullAway") // on purpose
  private static <T> T nil() {
    return null;
  }
}
