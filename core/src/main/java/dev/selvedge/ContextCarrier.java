package dev.selvedge;

import org.jspecify.annotations.Nullable;

/**
 * Takes something that belongs to a thread along to the tasks that it forks: a logging context, a
 * span, a transaction. For scoped values {@link Loop.Builder#inherit} does it.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="carrier"}
 *
 * <p><b>Failure:</b> what {@code carry} throws comes out of the fork, and nothing is started. What
 * the body that it returns throws is the failure of the task.
 *
 * <p><b>Threads:</b> called by the thread that forks, and once more in the task, by its own thread,
 * when its body throws: so that the exception handler runs in the context of the failure.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface ContextCarrier {
  /**
   * Captures the context of the calling thread, which is the one that forks.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param body the body of a new task
   * @return a body that puts the context in place, runs the given one, and takes it away again
   */
  <T extends @Nullable Object, X extends Exception> Body<T, X> carry(Body<T, X> body);
}
