package dev.selvedge.gather;

import org.jspecify.annotations.Nullable;

/**
 * What {@link Gather#forEach} does with each input.
 *
 * @param <A> the type of the input
 * @param <X> the checked exception
 * @since 0.1.0
 */
@FunctionalInterface
public interface Visitor<A extends @Nullable Object, X extends Exception> {
  /**
   * Visits one input, in a thread of its own.
   *
   * @param input the input
   * @throws X if it fails
   * @throws InterruptedException if it is cancelled
   */
  void accept(A input) throws X, InterruptedException;
}
