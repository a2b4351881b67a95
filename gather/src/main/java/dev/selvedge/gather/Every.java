package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Task;
import java.time.Duration;
import java.util.Map;

/**
 * Runs an action again and again in the caller's thread, until that is cancelled: the JDK's {@code
 * scheduleAtFixedRate} and {@code scheduleWithFixedDelay}, which go on after a failure.
 *
 * {@snippet file="dev/selvedge/gather/SamplesTest.java" region="every"}
 *
 * <p>At a fixed rate the times are multiples of the period from the first one on: they do not
 * drift. Those that pass while the action runs are missed, counted in the next {@link Tick}, and
 * not made up for. Time is that of the loop's {@link LoopClock}.
 *
 * <p><b>Failure:</b> each is given to the loop's exception handler, with the details {@code tick}
 * (its number) and {@code failuresInARow}, and the next run comes at its time. With {@link
 * #maxFailures} the last of so many in a row is thrown instead.
 *
 * <p><b>Cancellation:</b> ends the wait or interrupts the action, which is the caller's own code:
 * whoever awaits the caller waits for it. An action that must not be interrupted shields itself
 * with {@link Task#shielded}.
 *
 * <p><b>Pitfall:</b> an action that swallows its interrupt has declined the cancellation, as
 * anywhere.
 *
 * <p>Immutable; each option returns a new object.
 *
 * @since 0.1.0
 */
public final class Every {
  /** Longer than anything waits; two of them can be added. */
  private static final long LONGEST = Long.MAX_VALUE / 4;

  private static final int UNLIMITED = 0;

  private final boolean fixedRate;
  private final long period;
  private final long initialDelay;

  private Every(boolean fixedRate, long period, long initialDelay) {
    this.fixedRate = fixedRate;
    this.period = period;
    this.initialDelay = initialDelay;
  }

  /**
   * At a fixed rate, the first time at once.
   *
   * @param period from one time to the next; more than zero
   * @return to be run
   * @throws IllegalArgumentException if the period is zero or negative
   */
  public static Every fixedRate(Duration period) {
    return new Every(true, positive(period, "period"), 0);
  }

  /**
   * With a fixed delay, the first time at once.
   *
   * @param delay from one end to the next start; more than zero
   * @return to be run
   * @throws IllegalArgumentException if the delay is zero or negative
   */
  public static Every fixedDelay(Duration delay) {
    return new Every(false, positive(delay, "delay"), 0);
  }

  private static long positive(Duration duration, String argument) {
    if (!requireNonNull(duration, argument).isPositive()) {
      throw new IllegalArgumentException(argument + " must be more than zero: " + duration);
    }
    return nanos(duration);
  }

  private static long nanos(Duration duration) {
    return duration.compareTo(Duration.ofNanos(LONGEST)) < 0 ? duration.toNanos() : LONGEST;
  }

  /**
   * When the first time is.
   *
   * @param delay from the call of {@code run} on; zero or more
   * @return a new object
   * @throws IllegalArgumentException if it is negative
   */
  public Every initialDelay(Duration delay) {
    if (requireNonNull(delay, "delay").isNegative()) {
      throw new IllegalArgumentException("delay is negative: " + delay);
    }
    return new Every(fixedRate, period, nanos(delay));
  }

  /**
   * Ends after so many failures in a row, with the last of them.
   *
   * @param failures at least 1
   * @return to be run
   * @throws IllegalArgumentException if it is less than 1
   */
  public Limited maxFailures(int failures) {
    if (failures < 1) {
      throw new IllegalArgumentException("failures must be at least 1: " + failures);
    }
    return new Limited(this, failures);
  }

  /**
   * Runs an action until the caller is cancelled. Never returns.
   *
   * @param action what to run; what it throws is reported
   * @throws InterruptedException if the caller is cancelled, or the action throws it
   */
  public void run(Action<?> action) throws InterruptedException {
    requireNonNull(action, "action");
    this.<RuntimeException>repeat(_ -> action.run(), UNLIMITED);
  }

  /**
   * Runs an action that wants to know which time it is, until the caller is cancelled. Never
   * returns.
   *
   * @param action what to run; what it throws is reported
   * @throws InterruptedException if the caller is cancelled, or the action throws it
   */
  public void run(TickAction<?> action) throws InterruptedException {
    this.<RuntimeException>repeat(requireNonNull(action, "action"), UNLIMITED);
  }

  /** What ends after so many failures in a row. */
  public static final class Limited {
    private final Every every;
    private final int maxFailures;

    private Limited(Every every, int maxFailures) {
      this.every = every;
      this.maxFailures = maxFailures;
    }

    /**
     * Runs an action until the caller is cancelled or it has failed too often. Never returns.
     *
     * @param <X> the checked exception of the action
     * @param action what to run; what it throws is reported, but for the last
     * @throws X the last of the failures, the same object
     * @throws InterruptedException if the caller is cancelled, or the action throws it
     */
    public <X extends Exception> void run(Action<? extends X> action)
        throws X, InterruptedException {
      requireNonNull(action, "action");
      every.<X>repeat(_ -> action.run(), maxFailures);
    }

    /**
     * Runs an action that wants to know which time it is, until the caller is cancelled or it has
     * failed too often. Never returns.
     *
     * @param <X> the checked exception of the action
     * @param action what to run; what it throws is reported, but for the last
     * @throws X the last of the failures, the same object
     * @throws InterruptedException if the caller is cancelled, or the action throws it
     */
    public <X extends Exception> void run(TickAction<? extends X> action)
        throws X, InterruptedException {
      every.<X>repeat(requireNonNull(action, "action"), maxFailures);
    }
  }

  private <X extends Exception> void repeat(TickAction<?> action, int maxFailures)
      throws X, InterruptedException {
    LoopClock clock = Loop.current().clock();
    long due = clock.nanoTime() + initialDelay;
    long missed = 0;
    long failures = 0;
    for (long number = 0; ; number++) {
      // Also sees a cancellation when it is late.
      Task.sleep(Duration.ofNanos(due - clock.nanoTime()));
      try {
        action.run(new Tick(number, missed));
        failures = 0;
      } catch (InterruptedException cancelled) {
        throw cancelled;
      } catch (Throwable failure) {
        if (++failures == maxFailures) {
          throw Suppression.<RuntimeException>sneak(failure);
        }
        report(failure, number, failures);
      }
      long now = clock.nanoTime();
      if (fixedRate) {
        due += period;
        missed = now <= due ? 0 : (now - due - 1) / period + 1;
        due += missed * period;
      } else {
        due = now + period;
      }
    }
  }

  private static void report(Throwable failure, long number, long failures) {
    Loop.current()
        .callExceptionHandler(
            new ExceptionContext(
                "Periodic action failed",
                failure,
                Task.current().orElse(null),
                Map.of("tick", number, "failuresInARow", failures)));
  }

  @Override
  public String toString() {
    return "Every["
        + Duration.ofNanos(period)
        + (fixedRate ? ", fixed rate" : ", fixed delay")
        + (initialDelay == 0 ? "" : ", first after " + Duration.ofNanos(initialDelay))
        + "]";
  }
}
