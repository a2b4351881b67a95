package dev.selvedge;

import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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

  /** While a failure comes, for which whoever waits in get has been counted as a dependent. */
  private volatile boolean filling;

  FutureCopy(Handle<? extends T, ?> task) {
    this.task = task;
    task.onDone(ended -> fill());
  }

  private void fill() {
    Throwable ending = task.ending();
    if (ending == null) {
      complete(task.value());
    } else {
      fail(ending);
    }
  }

  private void fail(Throwable ending) {
    filling = true;
    try {
      boolean hasDependents = getNumberOfDependents() > 0;
      // False if somebody completed the copy: then the failure has not gone anywhere.
      if (completeExceptionally(ending)) {
        tookFailure = true;
        if (hasDependents || hasReader) {
          task.retrieve();
        }
      }
    } finally {
      filling = false;
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
    } catch (ExecutionException | CancellationException ending) {
      noteReader();
      throw ending;
    } catch (InterruptedException early) {
      return outcomeInsteadOf(early);
    }
  }

  @Override
  public T get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    try {
      return super.get(timeout, unit);
    } catch (ExecutionException | CancellationException ending) {
      noteReader();
      throw ending;
    } catch (TimeoutException early) {
      return outcomeInsteadOf(early);
    } catch (InterruptedException early) {
      return outcomeInsteadOf(early);
    }
  }

  /**
   * What get gives to one who was about to leave it, if the outcome is there by now. Who leaves is
   * no dependent any more, and then looks; who fills the copy does the reverse: so a failure that
   * has counted the leaver as its reader is received.
   */
  private <E extends Exception> T outcomeInsteadOf(E early)
      throws E, InterruptedException, ExecutionException {
    while (filling && !isDone()) {
      Thread.onSpinWait();
    }
    if (!isDone()) {
      throw early;
    }
    if (early instanceof InterruptedException) {
      Thread.currentThread().interrupt();
    }
    return get();
  }

  @Override
  public T join() {
    try {
      return super.join();
    } catch (CompletionException | CancellationException ending) {
      noteReader();
      throw ending;
    }
  }

  @Override
  public T getNow(T valueIfAbsent) {
    try {
      return super.getNow(valueIfAbsent);
    } catch (CompletionException | CancellationException ending) {
      noteReader();
      throw ending;
    }
  }

  @Override
  public Throwable exceptionNow() {
    Throwable ending = super.exceptionNow();
    noteReader();
    return ending;
  }

  private void noteReader() {
    hasReader = true;
    if (tookFailure) {
      task.retrieve();
    }
  }
}
