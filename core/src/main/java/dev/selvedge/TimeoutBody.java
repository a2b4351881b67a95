package dev.selvedge;

import org.jspecify.annotations.Nullable;

/**
 * What {@link Timeout#within(java.time.Duration, TimeoutBody)} runs: a {@link Body} that is handed
 * its own timeout, so that it can move the deadline.
 *
 * @param <T> the type of the value
 * @param <X> the checked exception that it may throw
 * @since 0.1.0
 */
@FunctionalInterface
public interface TimeoutBody<T extends @Nullable Object, X extends Exception> {
  /**
   * Does the work.
   *
   * @param timeout the timeout around it
   * @return its value
   * @throws X its failure
   * @throws InterruptedException if it was cancelled
   */
  T call(Timeout timeout) throws X, InterruptedException;
}
