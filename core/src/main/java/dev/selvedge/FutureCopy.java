package dev.selvedge;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The copy of a task that is a {@link CompletableFuture}. It knows when its failure has a reader:
 * every dependent stage is made by {@link #newIncompleteFuture}, and {@code allOf} shows in the
 * number of dependents. It holds the task, which therefore is not taken for an orphan while the
 * copy is held.
 */
final class FutureCopy<T extends @Nullable Object> extends CompletableFuture<T> {
  private final Handle<? extends T, ?> task;

  // Who attaches or reads writes the one and reads the other; who fills the copy does the reverse.
  private volatile boolean hasReader;
  private volatile boolean tookFailure;

  FutureCopy(Handle<? extends T, ?> task) {
    this.task = task;
    task.onDone(ended -> fill());
  }

  private void fill() {
    Throwable ending = task.ending();
    if (ending == null) {
      complete(task.value());
    } else {
      boolean hasDependents = getNumberOfDependents() > 0;
      // False if somebody completed the copy: then the failure has not gone anywhere.
      if (completeExceptionally(ending)) {
        tookFailure = true;
        if (hasDependents || hasReader) {
          task.retrieve();
        }
      }
    }
  }

  @Override
  public <U> CompletableFuture<U> newIncompleteFuture() {
    noteReader();
    return new CompletableFuture<>();
  }

  @Override
  public CompletionStage<T> minimalCompletionStage() {
    noteReader();
    return super.minimalCompletionStage();
  }

  /** As the superclass, whose own attaches a stage that is no reader. */
  @Override
  public CompletableFuture<T> orTimeout(long timeout, TimeUnit unit) {
    return after(timeout, unit, () -> completeExceptionally(new TimeoutException()));
  }

  /** As the superclass, whose own attaches a stage that is no reader. */
  @Override
  public CompletableFuture<T> completeOnTimeout(T value, long timeout, TimeUnit unit) {
    return after(timeout, unit, () -> complete(value));
  }

  private CompletableFuture<T> after(long timeout, TimeUnit unit, Runnable completion) {
    if (!isDone()) {
      // Dependent stages run where the copy is completed, and may block.
      Timers.Timer timer =
          Timers.schedule(
              () -> Thread.startVirtualThread(completion), Duration.ofNanos(unit.toNanos(timeout)));
      task.onDone(_ -> timer.cancel());
    }
    return this;
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
      noteReader();
    }
  }

  private void noteReader() {
    hasReader = true;
    if (tookFailure) {
      task.retrieve();
    }
  }
}
