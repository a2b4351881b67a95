package dev.selvedge.gather;

import org.jspecify.annotations.Nullable;

/**
 * The body of a {@link TaskGroup}.
 *
 * @param <T> the type of the value
 * @since 0.1.0
 */
@FunctionalInterface
public interface GroupBody<T extends @Nullable Object> {
  /**
   * Runs in the caller's thread.
   *
   * @param group the group, in which it creates tasks
   * @return the value of the call
   * @throws Exception whatever it throws is in the group's exception
   */
  T call(TaskGroup group) throws Exception;
}
