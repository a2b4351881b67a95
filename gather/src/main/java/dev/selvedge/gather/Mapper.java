package dev.selvedge.gather;

import org.jspecify.annotations.Nullable;

/**
 * What {@link Gather#map} does with each input.
 *
 * @param <A> the type of the input
 * @param <T> the type of the value
 * @param <X> the checked exception
 * @since 0.1.0
 */
@FunctionalInterface
public interface Mapper<
    A extends @Nullable Object, T extends @Nullable Object, X extends Exception> {
  /**
   * Maps one input, in a thread of its own.
   *
   * @param input the input
   * @return the value
   * @throws X if it fails
   * @throws InterruptedException if it is cancelled
   */
  T apply(A input) throws X, InterruptedException;
}
