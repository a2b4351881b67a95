package dev.selvedge;

import java.time.Duration;
import java.time.Instant;

/**
 * The time of a loop: asyncio's {@code loop.time} and {@code call_later}. Limits, delays and
 * periods of its tasks are measured by it, so that a test can give the loop a clock that it moves
 * by hand.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="clock"}
 *
 * <p>What a task does with the JDK's own means, such as {@link Thread#sleep(Duration)}, is measured
 * by the system; {@link Task#sleep} by the loop's clock.
 *
 * <p><b>Threads:</b> every method may be called from any thread, by the library also while it holds
 * a lock: so none of them blocks or runs an action in the thread that schedules it.
 *
 * @since 0.1.0
 */
public interface LoopClock {
  /** An action that waits for its time. */
  @FunctionalInterface
  interface Alarm {
    /** Forgets the action, unless it runs already or has run. */
    void cancel();
  }

  /**
   * The clock of loops that are given none: {@link System#nanoTime}, {@link Instant#now}, and the
   * library's own timer thread.
   *
   * @return always the same
   */
  static LoopClock system() {
    return Timers.SYSTEM;
  }

  /**
   * For measuring: {@link System#nanoTime}.
   *
   * @return nanoseconds since some fixed moment; never less than before
   */
  long nanoTime();

  /**
   * The time of day, for deadlines.
   *
   * @return the moment; goes on as {@link #nanoTime} does
   */
  Instant instant();

  /**
   * Runs an action once, later: {@code loop.call_later}.
   *
   * @param action neither blocks nor throws
   * @param delay more than zero
   * @return cancels it
   */
  Alarm schedule(Runnable action, Duration delay);
}
