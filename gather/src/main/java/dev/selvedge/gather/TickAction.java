package dev.selvedge.gather;

/**
 * What {@link Every} runs again and again, for those who want to know which time it is.
 *
 * @param <X> the checked exception that it throws
 * @since 0.1.0
 */
@FunctionalInterface
public interface TickAction<X extends Exception> {
  /**
   * Runs once.
   *
   * @param tick which time this is
   * @throws X if it fails
   * @throws InterruptedException if it is cancelled
   */
  void run(Tick tick) throws X, InterruptedException;
}
