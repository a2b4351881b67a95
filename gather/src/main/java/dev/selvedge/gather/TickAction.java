package dev.selvedge.gather;

/**
 * A periodic action that is told which run it is.
 *
 * @param <X> the checked exception
 * @see Every
 * @since 0.1.0
 */
@FunctionalInterface
public interface TickAction<X extends Exception> {
  /**
   * Does the work once, in the caller's thread.
   *
   * @param tick its number, and what was missed
   * @throws X when this run fails
   * @throws InterruptedException when it was cancelled
   */
  void run(Tick tick) throws X, InterruptedException;
}
