package dev.selvedge;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The copy of a task that is a {@link CompletableFuture}. It knows when its failure has a reader: every
 * dependent stage is made by {@link #newIncompleteFuture}, and {@code allOf} shows in the number of
 * dependents. It holds the task, which therefore is not taken for an orphan while the copy is held.
 */
final class FutureCopy<T extends @Nullable Object> extends CompletableFuture<T> {
  private final TaskImpl<? extends T, ?> task;

  FutureCopy(TaskImpl<? extends T, ?> task) {
    this.task = task;
    task.onDone(ended -> fill());
  }

  private void fill() {
    Throwable ending = task.ending();
    if (ending == null) {
      complete(task.value());
    } else {
      if (getNumberOfDependents() > 0) {
        task.retrieve();
      }
      completeExceptionally(ending);
    }
  }

  @Override
  public <U> CompletableFuture<U> newIncompleteFuture() {
    task.retrieve();
    return new CompletableFuture<>();
  }

  @Override
  public T get() throws InterruptedException, ExecutionException {
    try {
      return super.get();
    } finally {
      retrieveIfDone();
    }
  }

  @Override
  public T get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    try {
      return super.get(timeout, unit);
    } finally {
      retrieveIfDone();
    }
  }

  @Override
  public T join() {
    try {
      return super.join();
    } finally {
      retrieveIfDone();
    }
  }

  @Override
  public T getNow(T valueIfAbsent) {
    try {
      return super.getNow(valueIfAbsent);
    } finally {
      retrieveIfDone();
    }
  }

  @Override
  public T resultNow() {
    try {
      return super.resultNow();
    } finally {
      retrieveIfDone();
    }
  }

  @Override
  public Throwable exceptionNow() {
    try {
      return super.exceptionNow();
    } finally {
      retrieveIfDone();
    }
  }

  private void retrieveIfDone() {
    if (isDone()) {
      task.retrieve();
    }
  }
}
