package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * What a task does: a {@link java.util.concurrent.Callable} whose checked exception has a type.
 *
 * <p>{@code InterruptedException} stands in the throws clause so that javac leaves it out when it
 * infers {@code X}: a lambda that sleeps and reads a file is a {@code Body<String, IOException>}.
 *
 * @param <T> the type of the value
 * @param <X> the checked exception that it throws; inferred as {@link RuntimeException} if none
 * @since 0.1.0
 */
@FunctionalInterface
public interface Body<T extends @Nullable Object, X extends Exception> {
  /**
   * Does the work, in the thread of its task.
   *
   * @return the value of the task
   * @throws X when the work fails
   * @throws InterruptedException when it was cancelled; javac leaves it out when it infers X
   */
  T call() throws X, InterruptedException;

  /**
   * A body that waits for a future of another library and passes on its value or the very exception
   * that it failed with, unwrapped.
   *
   * <p><b>Cancellation:</b> cancelling the task ends its wait; the future itself is left alone,
   * because awaiting never cancels what is awaited. A future that somebody else cancelled throws
   * its {@link java.util.concurrent.CancellationException}, which is a failure of a task that
   * nobody asked to cancel.
   *
   * @param <T> the type of the value
   * @param future what to wait for
   * @return the body
   */
  static <T extends @Nullable Object> Body<T, Exception> ofFuture(Future<? extends T> future) {
    requireNonNull(future, "future");
    return () -> {
      try {
        return future.get();
      } catch (ExecutionException e) {
        Throwable cause = e.getCause();
        // An interrupt of somebody else's thread, thrown here, would look like this task's own.
        throw Failures.sneak(cause == null || cause instanceof InterruptedException ? e : cause);
      }
    };
  }

  /**
   * A body that waits for a completion stage of another library, as {@link #ofFuture} does.
   *
   * @param <T> the type of the value
   * @param stage what to wait for
   * @return the body
   */
  static <T extends @Nullable Object> Body<T, Exception> ofStage(
      CompletionStage<? extends T> stage) {
    requireNonNull(stage, "stage");
    return () -> Body.<T>ofFuture(stage.toCompletableFuture()).call();
  }
}
