package dev.selvedge;

/**
 * A {@link Body} without a value.
 *
 * @param <X> the checked exception that it throws; inferred as {@link RuntimeException} if none
 * @since 0.1.0
 */
@FunctionalInterface
public interface Action<X extends Exception> {
  /**
   * Does the work, in the thread of its task.
   *
   * @throws X when the work fails
   * @throws InterruptedException when it was cancelled; javac leaves it out when it infers X
   */
  void run() throws X, InterruptedException;
}
