package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A task whose cancellation ends this view alone.
 *
 * <p>Its end is decided once: whoever first sees that the task is done writes {@code PASSED}, who
 * cancels the view before that writes the cancellation. Nobody therefore sees it end in two ways.
 */
final class ShieldView<T extends @Nullable Object, X extends Exception> implements Handle<T, X> {
  private static final Object PASSED = new Object();
  private static final VarHandle END;

  static {
    try {
      END = MethodHandles.lookup().findVarHandle(ShieldView.class, "end", Object.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final TaskImpl<T, X> task;

  /** {@code PASSED}, or the {@link TaskCancelledException} of this view. */
  private volatile @Nullable Object end;

  /** What has to be called if this is cancelled; null once it was. */
  private @Nullable List<Consumer<Task<T, X>>> callbacks = new ArrayList<>(); // guarded by this

  ShieldView(TaskImpl<T, X> task) {
    this.task = task;
  }

  private @Nullable Object end() {
    if (end == null && task.isDone()) {
      END.compareAndSet(this, null, PASSED);
    }
    return end;
  }

  /** The cancellation of this view, if that has ended it. */
  private @Nullable TaskCancelledException cancellation() {
    return end() instanceof TaskCancelledException cancelled ? cancelled : null;
  }

  // ---- awaiting

  @Override
  public T await() throws X, InterruptedException {
    awaitDone();
    return result();
  }

  @Override
  public T await(Duration limit) throws X, InterruptedException, TimeoutException {
    if (!awaitDone(limit)) {
      throw new TimeoutException(name() + " is not done within " + limit);
    }
    return result();
  }

  @Override
  public void awaitDone() throws InterruptedException {
    task.awaitDone(this, 0, false);
  }

  @Override
  public boolean awaitDone(Duration limit) throws InterruptedException {
    return task.awaitDone(this, Timers.nanos(limit), true);
  }

  // ---- the outcome

  @Override
  public T result() throws X {
    TaskCancelledException cancelled = cancellation();
    if (cancelled != null) {
      TaskTrace.awaited(cancelled);
      throw cancelled;
    }
    return task.result();
  }

  @Override
  public Optional<Throwable> exception() {
    TaskCancelledException cancelled = cancellation();
    if (cancelled != null) {
      throw cancelled;
    }
    return task.exception();
  }

  @Override
  public Outcome<T> outcome() {
    TaskCancelledException cancelled = cancellation();
    return cancelled != null ? new Outcome.Cancelled<>(cancelled) : task.outcome();
  }

  @Override
  public @Nullable Throwable ending() {
    TaskCancelledException cancelled = cancellation();
    return cancelled != null ? cancelled : task.ending();
  }

  @Override
  public T value() {
    return task.value();
  }

  @Override
  public void retrieve() {
    if (cancellation() == null) {
      task.retrieve();
    }
  }

  @Override
  public void retrieveSuppressed() {
    if (cancellation() == null) {
      task.retrieveSuppressed();
    }
  }

  // ---- cancelling

  @Override
  public boolean cancel(String message) {
    return cancel(CancelReason.request(requireNonNull(message, "message")));
  }

  @Override
  public boolean cancel(CancelReason reason) {
    requireNonNull(reason, "reason");
    if (end() != null || !END.compareAndSet(this, null, new TaskCancelledException(reason, null))) {
      return false;
    }
    task.cold().wake(this);
    List<Consumer<Task<T, X>>> due;
    synchronized (this) {
      due = requireNonNull(callbacks);
      callbacks = null;
    }
    if (!due.isEmpty()) {
      forget(due);
    }
    due.forEach(task::callBack);
    return true;
  }

  /** Takes callbacks back from the task, which may live on for long. */
  private void forget(Collection<? extends Consumer<Task<T, X>>> due) {
    Cold rest = task.cold();
    synchronized (rest) {
      if (rest.callbacks != null) {
        rest.callbacks.removeAll(Set.copyOf(due));
      }
    }
  }

  @Override
  public boolean isCancelledWithOwner() {
    return false;
  }

  @Override
  public Optional<CancelReason> cancelReason() {
    TaskCancelledException cancelled = cancellation();
    return cancelled != null ? Optional.of(cancelled.reason()) : task.cancelReason();
  }

  @Override
  public int cancelRequests() {
    return cancellation() != null ? 1 : task.cancelRequests();
  }

  @Override
  public int uncancel() {
    return cancelRequests();
  }

  @Override
  public boolean isDone() {
    return end() != null;
  }

  @Override
  public boolean isCancelled() {
    return state() == Future.State.CANCELLED;
  }

  @Override
  public Future.State state() {
    Object ended = end();
    if (ended == null) {
      return Future.State.RUNNING;
    }
    return ended == PASSED ? task.state() : Future.State.CANCELLED;
  }

  // ---- the rest

  @Override
  public Task<T, X> onDone(Consumer<? super Task<T, X>> callback) {
    requireNonNull(callback, "callback");
    var called = new AtomicBoolean();
    Consumer<Task<T, X>> once =
        _ -> {
          if (!called.getAndSet(true)) {
            callback.accept(this);
          }
        };
    boolean cancelled;
    synchronized (this) {
      cancelled = callbacks == null;
      if (callbacks != null) {
        callbacks.add(once);
      }
    }
    if (cancelled) {
      task.callBack(once);
    } else {
      task.onDone(once);
      if (cancellation() != null) {
        forget(List.of(once));
      }
    }
    return this;
  }

  @Override
  public Task<T, X> ignoreFailure() {
    task.ignoreFailure();
    return this;
  }

  @Override
  public Task<T, X> shield() {
    return cancellation() != null ? this : task.shield();
  }

  @Override
  public CompletableFuture<T> toCompletableFuture() {
    return new FutureCopy<>(this);
  }

  @Override
  public String name() {
    return task.name();
  }

  @Override
  public boolean isNamed() {
    return task.isNamed();
  }

  @Override
  public long id() {
    return task.id();
  }

  @Override
  public String ownerName() {
    return task.ownerName();
  }

  @Override
  public List<StackTraceElement> stackTrace() {
    return task.stackTrace();
  }

  @Override
  public String toString() {
    TaskCancelledException cancelled = cancellation();
    return "shield of " + task + (cancelled == null ? "" : ", cancelled: " + cancelled.reason());
  }
}
