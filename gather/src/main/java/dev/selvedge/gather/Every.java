package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.CancelReason;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Task;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Runs an action again and again, in the caller's thread, until it is cancelled: {@code
 * ScheduledExecutorService.scheduleAtFixedRate} and {@code scheduleWithFixedDelay}. Immutable.
 *
 * {@snippet file="dev/selvedge/gather/SamplesTest.java" region="every"}
 *
 * <p>The JDK's stop silently at the first failure, and run what they are behind with at once, one
 * after another. Here:
 *
 * <p><b>Failure:</b> a run that fails, be it with an {@link Error}, is reported to the loop's
 * exception handler, with the number of the tick and of the failures in a row. The next one comes
 * at its time. {@link #maxFailures} ends that.
 *
 * <p><b>Time:</b> it is measured by the loop's {@linkplain Loop#clock clock}. With {@link
 * #fixedRate} no time adds up: the thousandth run is due a thousand periods after the first. Runs
 * whose time passes while another one takes too long are not made up for but {@linkplain
 * Tick#missed counted}. Runs never overlap.
 *
 * <p><b>Cancellation:</b> cancelling the caller interrupts its wait, or the action; whoever awaits
 * the caller, or closes what owns it, waits until the action has ended. It ends with {@link
 * InterruptedException} also if the action swallowed the interrupt or failed because of it. What
 * must not be interrupted is put into {@link Task#shielded}.
 *
 * <p><b>Threads:</b> it starts none. {@code loop.launch} or a fork gives it one of its own.
 *
 * <p><b>Pitfalls:</b> telling the handler is part of the run, so a slow handler delays the next
 * one. An {@code InterruptedException} that the action throws is taken for a cancellation, wherever
 * it comes from. Where a scope or limit around it was cancelled before it began, it does not notice
 * that the action swallows the cancellation of one further out; that of the task it does.
 *
 * @since 0.1.0
 */
public final class Every {
  private static final int UNLIMITED = 0;

  /** 146 years of nanoseconds, to which others may be added, also by the clock. */
  private static final long FOR_EVER = Long.MAX_VALUE / 2;

  private final boolean atFixedRate;
  private final Duration period;
  private final Duration initialDelay;

  private Every(boolean atFixedRate, Duration period, Duration initialDelay) {
    this.atFixedRate = atFixedRate;
    this.period = period;
    this.initialDelay = initialDelay;
  }

  /**
   * Runs that begin in step with the clock: {@code scheduleAtFixedRate}.
   *
   * @param period from the time at which one run is due to that of the next
   * @return the options; the first run is due at once
   * @throws IllegalArgumentException if it is not more than zero
   */
  public static Every fixedRate(Duration period) {
    return new Every(true, positive(period, "period"), Duration.ZERO);
  }

  /**
   * Runs with a pause in between: {@code scheduleWithFixedDelay}. None is ever missed.
   *
   * @param delay from the end of one run to the beginning of the next
   * @return the options; the first run is due at once
   * @throws IllegalArgumentException if it is not more than zero
   */
  public static Every fixedDelay(Duration delay) {
    return new Every(false, positive(delay, "delay"), Duration.ZERO);
  }

  private static Duration positive(Duration duration, String argument) {
    if (!requireNonNull(duration, argument).isPositive()) {
      throw new IllegalArgumentException(
          "the " + argument + " is " + duration + ": it has to be more than zero");
    }
    return duration;
  }

  /**
   * Puts off the first run, and the others with it.
   *
   * @param initialDelay from the call of {@code run}; zero or more
   * @return these options with the delay
   * @throws IllegalArgumentException if it is negative
   */
  public Every initialDelay(Duration initialDelay) {
    if (requireNonNull(initialDelay, "initialDelay").isNegative()) {
      throw new IllegalArgumentException(
          "the initialDelay is " + initialDelay + ": it has to be zero or more");
    }
    return new Every(atFixedRate, period, initialDelay);
  }

  /**
   * Gives up after so many failures in a row; a run that succeeds starts the count again. The last
   * of them is thrown, those before it were reported.
   *
   * @param maxFailures how many, at least 1
   * @return what throws the failures of its action
   * @throws IllegalArgumentException if it is less than 1
   */
  public Limited maxFailures(int maxFailures) {
    if (maxFailures < 1) {
      throw new IllegalArgumentException(
          "maxFailures is " + maxFailures + ": it takes at least one failure to give up");
    }
    return new Limited(this, maxFailures);
  }

  /**
   * Runs the action until the caller is cancelled.
   *
   * @param action what to do each time; what it throws is reported
   * @throws InterruptedException if the caller is cancelled: no run is left behind. It never
   *     returns
   */
  public void run(Action<?> action) throws InterruptedException {
    this.<RuntimeException>repeat(ignoringTick(action), UNLIMITED);
  }

  /**
   * Runs an action that asks for its {@link Tick} until the caller is cancelled.
   *
   * @param action what to do each time; what it throws is reported
   * @throws InterruptedException if the caller is cancelled: no run is left behind. It never
   *     returns
   */
  public void run(TickAction<?> action) throws InterruptedException {
    this.<RuntimeException>repeat(requireNonNull(action, "action"), UNLIMITED);
  }

  /**
   * The same with a limit of failures, whose type the compiler knows: see {@link #maxFailures}.
   *
   * @since 0.1.0
   */
  public static final class Limited {
    private final Every options;
    private final int maxFailures;

    private Limited(Every options, int maxFailures) {
      this.options = options;
      this.maxFailures = maxFailures;
    }

    /**
     * Runs the action until it has failed too often, or the caller is cancelled.
     *
     * @param <X> the checked exception of the action
     * @param action what to do each time
     * @throws X the last of so many failures in a row, the very object, which is not reported
     * @throws InterruptedException if the caller is cancelled: no run is left behind
     */
    public <X extends Exception> void run(Action<? extends X> action)
        throws X, InterruptedException {
      options.<X>repeat(ignoringTick(action), maxFailures);
    }

    /**
     * Runs an action that asks for its {@link Tick} until it has failed too often, or the caller is
     * cancelled.
     *
     * @param <X> the checked exception of the action
     * @param action what to do each time
     * @throws X the last of so many failures in a row, the very object, which is not reported
     * @throws InterruptedException if the caller is cancelled: no run is left behind
     */
    public <X extends Exception> void run(TickAction<? extends X> action)
        throws X, InterruptedException {
      options.<X>repeat(requireNonNull(action, "action"), maxFailures);
    }

    @Override
    public String toString() {
      return options + " up to " + maxFailures + " failures in a row";
    }
  }

  private static TickAction<?> ignoringTick(Action<?> action) {
    requireNonNull(action, "action");
    return _ -> action.run();
  }

  /** All times are nanoseconds since the call. */
  private <X extends Exception> void repeat(TickAction<?> action, int most)
      throws X, InterruptedException {
    Loop loop = Loop.current();
    LoopClock clock = loop.clock();
    Optional<CancelReason> before = CancelReason.current();
    int requestsBefore = cancelRequests();
    long start = clock.nanoTime();
    long due = nanos(initialDelay);
    long failuresInARow = 0;
    long missed = 0;
    for (long number = 0; ; number++) {
      do {
        Task.sleep(Duration.ofNanos(due - (clock.nanoTime() - start)));
      } while (clock.nanoTime() - start < due);
      try {
        action.run(new Tick(number, missed));
        failuresInARow = 0;
      } catch (InterruptedException cancelled) {
        throw cancelled;
      } catch (Throwable failure) {
        failuresInARow++;
        if (failuresInARow == most) {
          throw Suppression.<X>sneak(failure);
        }
        loop.callExceptionHandler(
            new ExceptionContext(
                "Periodic action failed",
                failure,
                Task.current().orElse(null),
                Map.of("tick", number, "failuresInARow", failuresInARow)));
      }
      // An interrupt comes once. If the action kept it to itself, nothing else would end this.
      Optional<CancelReason> reason = CancelReason.current();
      boolean isAskedAgain = reason.isPresent() && cancelRequests() > requestsBefore;
      if (isAskedAgain || !reason.equals(before)) {
        Task.checkCancelled();
        throw new InterruptedException("cancelled while a periodic action ran");
      }
      long now = clock.nanoTime() - start;
      if (atFixedRate) {
        long steps = Math.max(1, Math.ceilDiv(now - due, nanos(period)));
        missed = steps - 1;
        due = Math.min(due + steps * nanos(period), FOR_EVER);
      } else {
        due = Math.min(now + nanos(period), FOR_EVER);
      }
    }
  }

  /** Of which only the first has given its reason. */
  private static int cancelRequests() {
    return Task.current().map(Task::cancelRequests).orElse(0);
  }

  private static long nanos(Duration duration) {
    return Math.min(TimeUnit.NANOSECONDS.convert(duration), FOR_EVER);
  }

  @Override
  public String toString() {
    return "Every["
        + (atFixedRate ? "period=" : "delay=")
        + period
        + ", initialDelay="
        + initialDelay
        + "]";
  }
}
