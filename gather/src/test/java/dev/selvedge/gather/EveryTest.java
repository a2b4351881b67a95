package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.selvedge.Action;
import dev.selvedge.CancelReason;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import dev.selvedge.Timeout;
import dev.selvedge.testkit.ManualClock;
import dev.selvedge.testkit.SelvedgeAssertions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EveryTest extends LoopFixture {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration NANO = Duration.ofNanos(1);
  private static final Duration ENDLESS = Duration.ofSeconds(Long.MAX_VALUE);

  private record Ran(Duration at, long number, long missed) {}

  private ManualClock clock;
  private final List<Ran> ran = new CopyOnWriteArrayList<>();

  /** All that the handler may have been told of, in order. */
  private final List<Throwable> expected = new ArrayList<>();

  EveryTest() {
    super(Kit.builder().clock(ManualClock::new).expectAnything().build());
  }

  @BeforeEach
  void take(ManualClock clock) {
    this.clock = clock;
  }

  @AfterEach
  void nothingElseWasReported() {
    gate.open();
    loop.close();
    assertThat(reported.exceptions()).containsExactlyElementsOf(expected);
  }

  private Duration now() {
    return Duration.ofNanos(clock.nanoTime());
  }

  private void note(Tick tick) {
    ran.add(new Ran(now(), tick.number(), tick.missed()));
  }

  /** Notes each run and ends it as the list says, null being a success; then all succeed. */
  private TickAction<Exception> endingAs(@Nullable Throwable... ends) {
    return tick -> {
      note(tick);
      if (tick.number() < ends.length && ends[(int) tick.number()] != null) {
        throw Suppression.<RuntimeException>sneak(ends[(int) tick.number()]);
      }
    };
  }

  /**
   * Moves the clock to the next run, waits until that is over and the one after it is waited for.
   */
  private void advanceTo(Duration due) {
    clock.awaitAlarms(1);
    clock.advance(due.minus(now()));
    clock.awaitAlarms(1);
  }

  private static void assertEndsCancelled(Task<?, ?> task) {
    SelvedgeAssertions.assertThat(task).isCancelled();
  }

  // ---- when

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("the first run is at once, the next when the period is over, not a nanosecond less")
  void theFirstIsAtOnce(boolean rate) {
    Every every = rate ? Every.fixedRate(HOUR) : Every.fixedDelay(HOUR);
    Task<?, ?> task = loop.createTask(() -> every.run(this::note));

    clock.awaitAlarms(1);
    assertThat(ran).containsExactly(new Ran(Duration.ZERO, 0, 0));
    advanceTo(HOUR.minus(NANO));
    assertThat(ran).hasSize(1);
    advanceTo(HOUR);
    assertThat(ran).hasSize(2).endsWith(new Ran(HOUR, 1, 0));

    task.cancel();
    assertEndsCancelled(task);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("the initial delay puts off the first run to the nanosecond, and the others with it")
  void initialDelay(boolean rate) {
    Duration first = Duration.ofMinutes(5);
    Every every = rate ? Every.fixedRate(HOUR) : Every.fixedDelay(HOUR);
    clock.advance(Duration.ofDays(3));
    Duration start = now();
    Task<?, ?> task = loop.createTask(() -> every.initialDelay(first).run(this::note));

    advanceTo(start.plus(first).minus(NANO));
    assertThat(ran).isEmpty();
    advanceTo(start.plus(first));
    assertThat(ran).containsExactly(new Ran(start.plus(first), 0, 0));
    advanceTo(start.plus(first).plus(HOUR).minus(NANO));
    assertThat(ran).hasSize(1);
    advanceTo(start.plus(first).plus(HOUR));
    assertThat(ran).hasSize(2).endsWith(new Ran(start.plus(first).plus(HOUR), 1, 0));

    task.cancel();
    assertEndsCancelled(task);
  }

  @Test
  @DisplayName("a fixed rate does not drift, however long each run takes")
  void noDrift() {
    Duration period = Duration.ofNanos(1_000_000_007);
    Task<?, ?> task =
        loop.createTask(() ->
            Every.fixedRate(period)
                .run(tick -> {
                  note(tick);
                  clock.advance(Duration.ofNanos(tick.number() * 9_999_991 % 1_000_000_007));
                }));

    for (int i = 1; i <= 200; i++) {
      advanceTo(period.multipliedBy(i));
      assertThat(ran).hasSize(i + 1).endsWith(new Ran(period.multipliedBy(i), i, 0));
    }

    task.cancel();
    assertEndsCancelled(task);
  }

  @ParameterizedTest
  @CsvSource({
    "PT59M59.999999999S, PT1H, 0",
    "PT1H, PT1H, 0",
    "PT1H0.000000001S, PT2H, 1",
    "PT2H59M59.999999999S, PT3H, 2",
    "PT3H, PT3H, 2",
    "PT3H0.000000001S, PT4H, 3",
  })
  @DisplayName("what an overrun misses is counted and not made up for; what is due just now is run")
  void overrun(Duration took, Duration next, long missed) {
    Task<?, ?> task =
        loop.createTask(() ->
            Every.fixedRate(HOUR)
                .run(tick -> {
                  note(tick);
                  if (tick.number() == 0) {
                    clock.advance(took);
                  }
                }));

    advanceTo(next);
    assertThat(ran).containsExactly(new Ran(Duration.ZERO, 0, 0), new Ran(next, 1, missed));
    advanceTo(next.plus(HOUR).minus(NANO));
    assertThat(ran).hasSize(2);
    advanceTo(next.plus(HOUR));
    assertThat(ran).hasSize(3).endsWith(new Ran(next.plus(HOUR), 2, 0));

    task.cancel();
    assertEndsCancelled(task);
  }

  @Test
  @DisplayName("a fixed delay begins when the run has ended, and nothing is missed")
  void fixedDelay() {
    Duration took = HOUR.multipliedBy(5).plus(NANO);
    Task<?, ?> task =
        loop.createTask(() ->
            Every.fixedDelay(HOUR)
                .run(tick -> {
                  note(tick);
                  clock.advance(took);
                }));

    advanceTo(took.plus(HOUR).minus(NANO));
    assertThat(ran).hasSize(1);
    advanceTo(took.plus(HOUR));
    assertThat(ran).hasSize(2).endsWith(new Ran(took.plus(HOUR), 1, 0));

    task.cancel();
    assertEndsCancelled(task);
  }

  @Test
  @DisplayName("durations beyond all nanoseconds are for ever")
  void hugeDurations() {
    Task<?, ?> never =
        loop.createTask(() -> Every.fixedRate(HOUR).initialDelay(ENDLESS).run(this::note));
    Action<RuntimeException> anHour =
        () -> {
          ran.add(new Ran(now(), 0, 0));
          clock.advance(HOUR);
        };
    clock.awaitAlarms(1);
    Task<?, ?> rate = loop.createTask(() -> Every.fixedRate(ENDLESS).run(anHour));
    clock.awaitAlarms(2);
    Task<?, ?> delay = loop.createTask(() -> Every.fixedDelay(ENDLESS).run(anHour));
    clock.awaitAlarms(3);

    clock.advance(Duration.ofDays(365 * 100));

    assertThat(clock.alarms()).isEqualTo(3);
    assertThat(ran).hasSize(2);
    for (Task<?, ?> task : List.of(never, rate, delay)) {
      task.cancel();
      assertEndsCancelled(task);
    }
  }

  // ---- failures

  @Test
  @DisplayName("each failure is reported once, Errors and foreign cancellations too; it goes on")
  void failures() throws Exception {
    Task<?, ?> somebody = loop.createTask(() -> new CountDownLatch(1).await());
    somebody.cancel();
    Throwable cancelled = catchThrowable(somebody::await);
    clock.awaitAlarms(0); // the watch over who was asked to cancel
    assertThat(cancelled).isInstanceOf(TaskCancelledException.class);
    var failures =
        new Throwable[] {
          new IOException("first"),
          new AssertionError("second"),
          null,
          cancelled,
          new CancellationException("fifth"),
        };
    Task<?, RuntimeException> task =
        loop.createTask("refresh", () -> Every.fixedRate(HOUR).run(endingAs(failures)));
    for (int i = 1; i <= failures.length; i++) {
      advanceTo(HOUR.multipliedBy(i));
    }

    assertThat(ran).hasSize(failures.length + 1);
    Arrays.stream(failures).filter(each -> each != null).forEach(expected::add);
    assertThat(reported.contexts())
        .containsExactly(
            report(failures[0], task, 0, 1),
            report(failures[1], task, 1, 2),
            report(failures[3], task, 3, 1),
            report(failures[4], task, 4, 2));

    task.cancel();
    assertEndsCancelled(task);
  }

  private static ExceptionContext report(
      @Nullable Throwable failure, Task<?, ?> task, long tick, long inARow) {
    return new ExceptionContext(
        "Periodic action failed", failure, task, Map.of("tick", tick, "failuresInARow", inARow));
  }

  @Test
  @DisplayName("after so many failures in a row the last is thrown and not reported")
  void maxFailures() throws Exception {
    var early = List.of(new IOException("a"), new IOException("b"));
    var late = List.of(new IOException("c"), new IOException("d"), new IOException("e"));
    TickAction<Exception> ends =
        endingAs(early.get(0), early.get(1), null, late.get(0), late.get(1), late.get(2));
    Task<?, Exception> task =
        loop.createTask(() -> Every.fixedDelay(HOUR).maxFailures(3).run(ends));
    for (int i = 1; i < 5; i++) {
      advanceTo(HOUR.multipliedBy(i));
    }

    clock.awaitAlarms(1);
    clock.advance(HOUR);

    assertThatThrownBy(task::await).isSameAs(late.get(2));
    assertThat(ran).hasSize(6);
    expected.addAll(early);
    expected.addAll(late.subList(0, 2));
  }

  @Test
  @DisplayName("with one failure allowed it is the caller's, with its type, also outside of tasks")
  void oneFailure() throws Exception {
    var failure = new IOException("at once");
    IOException thrown = null;
    try {
      Every.fixedRate(HOUR)
          .maxFailures(1)
          .run(() -> {
            throw failure;
          });
    } catch (IOException e) {
      thrown = e;
    }
    assertThat(thrown).isSameAs(failure);

    var error = new StackOverflowError();
    assertThatThrownBy(() ->
            Every.fixedDelay(HOUR)
                .maxFailures(1)
                .run(tick -> {
                  throw error;
                }))
        .isSameAs(error);
  }

  @Test
  @DisplayName("what fails too often in a launched task is reported as that task's, once")
  void launchedAndFailed() {
    var failures = List.of(new IOException("a"), new IOException("b"));
    loop.launch(
        "refresh",
        () -> Every.fixedRate(HOUR).maxFailures(2).run(endingAs(failures.get(0), failures.get(1))));
    clock.awaitAlarms(1);
    clock.advance(HOUR);

    await().until(() -> reported.contexts().size() == 2);
    expected.addAll(failures);
  }

  // ---- cancellation

  @Test
  @DisplayName("cancelled while it waits, it ends at once and runs no more")
  void cancelledWhileWaiting() {
    Task<?, ?> task =
        loop.createTask(() -> Gather.every(HOUR, () -> ran.add(new Ran(now(), 0, 0))));
    clock.awaitAlarms(1);

    task.cancel("enough");

    assertEndsCancelled(task);
    assertThat(task.cancelReason().map(CancelReason::message)).contains("enough");
    assertThat(ran).hasSize(1);
  }

  @Test
  @DisplayName("cancelled before it begins, it runs nothing")
  void cancelledBefore() throws Exception {
    inTask(() -> {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> Every.fixedRate(HOUR).run(this::note))
          .isInstanceOf(InterruptedException.class);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
    assertThat(ran).isEmpty();
  }

  @Test
  @DisplayName("cancelled while the action runs, it ends after the clean-up of the action")
  void cancelledWhileRunning() {
    var begun = new CountDownLatch(1);
    var cleanUp = new CountDownLatch(1);
    var cleaned = new AtomicBoolean();
    Task<?, ?> task =
        loop.createTask(() ->
            Every.fixedRate(HOUR)
                .run(() -> {
                  begun.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } finally {
                    cleanUp.countDown();
                    gate.pass();
                    cleaned.set(true);
                  }
                }));
    await().until(() -> begun.getCount() == 0);

    task.cancel();
    await().until(() -> cleanUp.getCount() == 0);
    assertThat(task.isDone()).isFalse();
    gate.open();

    assertEndsCancelled(task);
    assertThat(cleaned).isTrue();
  }

  @Test
  @DisplayName("a shielded action is not interrupted; it is the last")
  void shielded() {
    var begun = new CountDownLatch(1);
    var undisturbed = new AtomicBoolean();
    Task<?, ?> task =
        loop.createTask(() ->
            Every.fixedRate(HOUR)
                .run(tick -> {
                  note(tick);
                  Task.shielded(() -> {
                    begun.countDown();
                    gate.pass();
                    undisturbed.set(!Thread.currentThread().isInterrupted());
                  });
                }));
    await().until(() -> begun.getCount() == 0);

    task.cancel();
    gate.open();

    assertEndsCancelled(task);
    assertThat(undisturbed).isTrue();
    assertThat(ran).hasSize(1);
  }

  @Test
  @DisplayName("an interrupt that the action leaves as the flag, or throws, ends it")
  void interrupted() throws Exception {
    var own = new InterruptedException("own");
    inTask(() -> {
      assertThatThrownBy(() ->
              Every.fixedRate(HOUR)
                  .run(tick -> {
                    note(tick);
                    Thread.currentThread().interrupt();
                  }))
          .isInstanceOf(InterruptedException.class);
      assertThatThrownBy(() -> Every.fixedRate(HOUR).maxFailures(1).run(endingAs(own)))
          .isSameAs(own);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
    assertThat(ran).hasSize(2);
  }

  @Test
  @DisplayName("an action that swallows the interrupt does not keep it alive")
  void swallowed() {
    Task<?, ?> task =
        loop.createTask(() ->
            Every.fixedRate(HOUR)
                .run(tick -> {
                  note(tick);
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    ran.add(new Ran(now(), -1, -1));
                  }
                }));
    await().until(() -> ran.size() == 1);

    task.cancel();

    assertEndsCancelled(task);
    assertThat(ran).hasSize(2);
  }

  @Test
  @DisplayName("an action that fails because of the interrupt is reported, and was the last")
  void swallowedIntoAFailure() {
    var failure = new IllegalStateException("interrupted");
    Task<?, ?> task =
        loop.createTask(() ->
            Every.fixedDelay(HOUR)
                .run(tick -> {
                  note(tick);
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    throw failure;
                  }
                }));
    await().until(() -> ran.size() == 1);

    task.cancel();

    assertEndsCancelled(task);
    assertThat(ran).hasSize(1);
    expected.add(failure);
  }

  @Test
  @DisplayName("a limit in time ends it, although the action swallows the interrupt")
  void withinALimit() {
    Task<?, TimeoutException> task =
        loop.createTask(() ->
            Timeout.within(
                HOUR,
                () ->
                    Every.fixedRate(HOUR.multipliedBy(2))
                        .run(tick -> {
                          note(tick);
                          try {
                            new CountDownLatch(1).await();
                          } catch (InterruptedException e) {
                            ran.add(new Ran(now(), -1, -1));
                          }
                        })));
    await().until(() -> ran.size() == 1);
    clock.awaitAlarms(1);
    clock.advance(HOUR);

    assertThatThrownBy(task::await).isInstanceOf(TimeoutException.class);
    assertThat(ran).hasSize(2);
  }

  @Test
  @DisplayName("a cancellation that the caller has seen before does not end it")
  void inCleanUp() {
    var begun = new CountDownLatch(1);
    Duration milli = Duration.ofMillis(1);
    var failures = List.of(new IOException("a"), new IOException("b"));
    Task<?, Exception> task =
        loop.createTask(() -> {
          try {
            begun.countDown();
            new CountDownLatch(1).await();
          } finally {
            Every.fixedRate(milli).maxFailures(2).run(endingAs(failures.get(0), failures.get(1)));
          }
        });
    await().until(() -> begun.getCount() == 0);
    task.cancel();

    clock.awaitAlarms(2); // one of them for the warning about stragglers
    clock.advance(milli);

    assertThatThrownBy(task::await).isSameAs(failures.get(1));
    expected.add(failures.get(0));
  }

  @Test
  @DisplayName("a cancellation that the action takes back does not end it")
  void uncancelled() throws Exception {
    var takenBack = new CountDownLatch(1);
    Task<?, ?> task =
        loop.createTask(() ->
            Every.fixedRate(HOUR)
                .run(tick -> {
                  note(tick);
                  if (tick.number() == 0) {
                    Task<?, ?> self = Task.current().orElseThrow();
                    self.cancel("meant for this run");
                    assertThatThrownBy(Task::checkCancelled)
                        .isInstanceOf(InterruptedException.class);
                    self.uncancel();
                    takenBack.countDown();
                  }
                }));

    takenBack.await(); // until then the clock has an alarm for the warning about stragglers
    advanceTo(HOUR);
    assertThat(ran).hasSize(2);

    task.cancel();
    assertEndsCancelled(task);
  }

  // ---- where

  @Test
  @DisplayName("in a scope: a failing sibling cancels it, its own failures cancel nobody")
  void inAScope() throws Exception {
    var own = new IOException("own");
    var siblings = new IOException("sibling's");
    var failNow = new CountDownLatch(1);
    Task<?, Exception> task =
        loop.createTask(() -> {
          try (TaskScope<Exception> scope = TaskScope.open()) {
            scope.fork(() -> Every.fixedRate(HOUR).run(endingAs(own)));
            scope.fork(() -> {
              failNow.await();
              throw siblings;
            });
            scope.join();
          }
        });
    advanceTo(HOUR);
    assertThat(ran).hasSize(2);

    failNow.countDown();

    assertThatThrownBy(task::await).isSameAs(siblings);
    expected.add(own);
  }

  @Test
  @DisplayName("launched on a loop: closing that waits for the action")
  void launched() {
    var begun = new CountDownLatch(1);
    var cleaned = new AtomicBoolean();
    loop.launch(
        "refresh",
        () ->
            Every.fixedRate(HOUR)
                .run(() -> {
                  begun.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } finally {
                    cleaned.set(true);
                  }
                }));
    await().until(() -> begun.getCount() == 0);

    loop.close();

    assertThat(cleaned).isTrue();
  }

  // ---- arguments

  @Test
  @DisplayName("bad arguments are named before anything runs")
  void badArguments() {
    for (Duration bad : List.of(Duration.ZERO, NANO.negated())) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Every.fixedRate(bad))
          .withMessage("the period is " + bad + ": it has to be more than zero");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Every.fixedDelay(bad))
          .withMessage("the delay is " + bad + ": it has to be more than zero");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Gather.every(bad, () -> ran.add(new Ran(now(), 0, 0))))
          .withMessageContaining("period");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Every.fixedRate(HOUR).initialDelay(NANO.negated()))
        .withMessageContaining("initialDelay");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Every.fixedRate(HOUR).maxFailures(0))
        .withMessageContaining("maxFailures is 0");
    assertThat(ran).isEmpty();
  }

  @Test
  @SuppressWarnings("NullAway") // that is the test
  @DisplayName("nulls are named before anything runs")
  void nulls() {
    Every every = Every.fixedRate(HOUR);
    assertThatNullPointerException().isThrownBy(() -> Every.fixedRate(null)).withMessage("period");
    assertThatNullPointerException().isThrownBy(() -> Every.fixedDelay(null)).withMessage("delay");
    assertThatNullPointerException()
        .isThrownBy(() -> every.initialDelay(null))
        .withMessage("initialDelay");
    assertThatNullPointerException()
        .isThrownBy(() -> every.run((Action<?>) null))
        .withMessage("action");
    assertThatNullPointerException()
        .isThrownBy(() -> every.run((TickAction<?>) null))
        .withMessage("action");
    assertThatNullPointerException()
        .isThrownBy(() -> every.maxFailures(1).run((Action<Exception>) null))
        .withMessage("action");
    assertThatNullPointerException()
        .isThrownBy(() -> every.maxFailures(1).run((TickAction<Exception>) null))
        .withMessage("action");
    assertThatNullPointerException()
        .isThrownBy(() -> Gather.every(HOUR, null))
        .withMessage("action");
  }

  @Test
  @DisplayName("options can be kept, and say what they are")
  void immutable() {
    Every hourly = Every.fixedRate(HOUR);
    assertThat(hourly.initialDelay(NANO)).isNotSameAs(hourly);
    assertThat(hourly).hasToString("Every[period=PT1H, initialDelay=PT0S]");
    assertThat(Every.fixedDelay(HOUR).initialDelay(HOUR).maxFailures(3))
        .hasToString("Every[delay=PT1H, initialDelay=PT1H] up to 3 failures in a row");
  }

  @Test
  @DisplayName("an action that swallows a second cancellation does not keep it alive, either")
  void swallowedAfterADeclinedOne() throws Exception {
    var declining = new CountDownLatch(1);
    Task<?, ?> task =
        loop.createTask(() -> {
          declineOne(declining);
          Every.fixedRate(HOUR)
              .run(tick -> {
                note(tick);
                declineOne(new CountDownLatch(1));
              });
        });
    declining.await();
    task.cancel("the first");
    await().until(() -> ran.size() == 1);

    task.cancel("the second");

    assertEndsCancelled(task);
    assertThat(ran).hasSize(1);
  }

  private static void declineOne(CountDownLatch begun) {
    begun.countDown();
    boolean declined = false;
    while (!declined) {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        declined = true;
      }
    }
  }

  @Test
  @DisplayName("within a shield a cancellation of the caller does not end it")
  void withinAShield() throws Exception {
    var begun = new CountDownLatch(1);
    var failure = new IOException("the third run");
    Task<?, ?> task =
        loop.createTask(() ->
            Task.<Exception>shielded(() ->
                Every.fixedRate(Duration.ofNanos(1))
                    .maxFailures(1)
                    .run(tick -> {
                      note(tick);
                      begun.countDown();
                      gate.pass();
                      if (tick.number() == 2) {
                        throw failure;
                      }
                      clock.advance(NANO);
                    })));
    begun.await();
    task.cancel();
    gate.open();

    assertThatThrownBy(task::await).isSameAs(failure);
    assertThat(ran).hasSize(3);
  }
}
