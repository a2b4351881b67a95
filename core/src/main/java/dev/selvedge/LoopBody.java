package dev.selvedge;

import org.jspecify.annotations.Nullable;

/**
 * A {@link Body} that is handed the loop it runs in: the main of {@link Loop#run(LoopBody)}.
 *
 * @param <T> the type of the value
 * @param <X> the checked exception that it throws; inferred as {@link RuntimeException} if none
 * @since 0.1.0
 */
@FunctionalInterface
public interface LoopBody<T extends @Nullable Object, X extends Exception> {
  /**
   * Does the work, in the thread of its task.
   *
   * @param loop the loop that runs it
   * @return the value of the task
   * @throws X when the work fails
   * @throws InterruptedException when it was cancelled; javac leaves it out when it infers X
   */
  T call(Loop loop) throws X, InterruptedException;
}
