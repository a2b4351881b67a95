package dev.selvedge;

import org.jspecify.annotations.Nullable;

/**
 * How a task ended, as data for a {@code switch}: what {@code gather(return_exceptions=True)} of
 * asyncio lists, with the three cases told apart by type.
 *
 * @param <T> the type of the value
 * @since 0.1.0
 */
public sealed interface Outcome<T extends @Nullable Object> {
  /**
   * The task returned a value.
   *
   * @param <T> the type of the value
   * @param value what it returned
   */
  record Success<T extends @Nullable Object>(T value) implements Outcome<T> {}

  /**
   * The task failed.
   *
   * @param <T> the type of the value
   * @param exception the very object that it threw
   */
  record Failure<T extends @Nullable Object>(Throwable exception) implements Outcome<T> {}

  /**
   * The task was cancelled.
   *
   * @param <T> the type of the value
   * @param exception what awaiting the task throws
   */
  record Cancelled<T extends @Nullable Object>(TaskCancelledException exception)
      implements Outcome<T> {}
}
