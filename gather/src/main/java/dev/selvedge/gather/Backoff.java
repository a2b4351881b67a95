package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * How long a {@link Supervisor} waits before it starts a child again. Each wait is twice the one
 * before, up to a ceiling, and shortened at random, so that what failed together does not come back
 * together. A child that has run for long enough begins anew.
 *
 * <p>Immutable; each option returns a new object.
 *
 * @since 0.1.0
 */
public final class Backoff {
  private static final Backoff NONE =
      new Backoff(Duration.ZERO, Duration.ZERO, 0, Duration.ofNanos(Long.MAX_VALUE));
  private static final double USUAL_JITTER = 0.2;

  private final Duration first;
  private final Duration ceiling;
  private final double jitter;
  private final Duration quiet;

  private Backoff(Duration first, Duration ceiling, double jitter, Duration quiet) {
    this.first = first;
    this.ceiling = ceiling;
    this.jitter = jitter;
    this.quiet = quiet;
  }

  /**
   * No wait: children are started again at once, as in Erlang.
   *
   * @return always the same
   */
  public static Backoff none() {
    return NONE;
  }

  /**
   * Waits that double. Shortened by up to a fifth at random, and reset when a child has run for as
   * long as the ceiling, unless the options say otherwise.
   *
   * @param first the wait before the first restart; more than zero
   * @param ceiling the longest wait; not less than {@code first}
   * @return the backoff
   * @throws IllegalArgumentException if {@code first} is not positive or more than {@code ceiling}
   */
  public static Backoff exponential(Duration first, Duration ceiling) {
    if (!requireNonNull(first, "first").isPositive()) {
      throw new IllegalArgumentException("first must be more than zero: " + first);
    }
    if (requireNonNull(ceiling, "ceiling").compareTo(first) < 0) {
      throw new IllegalArgumentException("ceiling is less than first: " + ceiling + " < " + first);
    }
    return new Backoff(first, ceiling, USUAL_JITTER, ceiling);
  }

  /**
   * By how much a wait may be shortened.
   *
   * @param fraction from 0, none, to 1, down to no wait at all
   * @return a new backoff
   * @throws IllegalArgumentException if it is less than 0 or more than 1
   */
  public Backoff jitter(double fraction) {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new IllegalArgumentException("fraction must be from 0 to 1: " + fraction);
    }
    return new Backoff(first, ceiling, fraction, quiet);
  }

  /**
   * After how long a run without an end the next wait is the first again.
   *
   * @param quiet zero or more
   * @return a new backoff
   * @throws IllegalArgumentException if it is negative
   */
  public Backoff resetAfter(Duration quiet) {
    if (requireNonNull(quiet, "quiet").isNegative()) {
      throw new IllegalArgumentException("quiet is negative: " + quiet);
    }
    return new Backoff(first, ceiling, jitter, quiet);
  }

  boolean isReset(Duration ran) {
    return ran.compareTo(quiet) >= 0;
  }

  /** The wait after so many restarts since the last reset. */
  Duration delay(int restarts) {
    Duration wait = first;
    for (int i = 0; i < restarts && wait.compareTo(ceiling) < 0; i++) {
      wait = wait.compareTo(ceiling.dividedBy(2)) > 0 ? ceiling : wait.multipliedBy(2);
    }
    if (jitter == 0) {
      return wait;
    }
    double kept = 1 - jitter * ThreadLocalRandom.current().nextDouble();
    return Duration.ofNanos((long) (TimeUnit.NANOSECONDS.convert(wait) * kept));
  }

  @Override
  public String toString() {
    return equals(NONE)
        ? "Backoff[none]"
        : "Backoff["
            + first
            + " to "
            + ceiling
            + ", jitter "
            + jitter
            + ", reset after "
            + quiet
            + "]";
  }
}
