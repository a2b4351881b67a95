package dev.selvedge.spring;

import dev.selvedge.Task;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A task as the JDK's future: reading it retrieves the failure, cancelling it cancels the task. */
final class TaskFuture<T extends @Nullable Object> implements Future<T> {
  private final Task<T, ?> task;
  private final CompletableFuture<T> copy;

  TaskFuture(Task<T, ?> task) {
    this.task = task;
    this.copy = task.toCompletableFuture();
  }

  @Override
  public T get() throws InterruptedException, ExecutionException {
    return copy.get();
  }

  @Override
  public T get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    return copy.get(timeout, unit);
  }

  /** {@inheritDoc} A task is always interrupted; the flag makes no difference. */
  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    return task.cancel();
  }

  @Override
  public boolean isCancelled() {
    return task.isCancelled();
  }

  @Override
  public boolean isDone() {
    return task.isDone();
  }
}
