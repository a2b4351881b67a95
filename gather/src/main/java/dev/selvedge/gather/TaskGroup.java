package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.CancelScope;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that are created as one goes and end together: {@code asyncio.TaskGroup}.
 *
 * {@snippet file="dev/selvedge/gather/SamplesTest.java" region="task-group"}
 *
 * <p>It differs from {@link TaskScope} in that a failing task interrupts the body too, and in what
 * it throws: always an {@link ExceptionGroup} with every failure, in order of completion.
 *
 * <p><b>Failure:</b> the first failure of a task, or of the body, cancels the others. When all have
 * ended, the failures are thrown together, that of the body last. Being cancelled is no failure; a
 * task that somebody cancels disturbs nobody.
 *
 * <p><b>Cancellation:</b> cancelling the caller cancels the body and all tasks, waits for them, and
 * throws {@link InterruptedException}. If something failed meanwhile the {@link ExceptionGroup} is
 * thrown in its place, and the cancellation stays pending as the interrupt flag.
 *
 * <p><b>Threads:</b> the body runs in the caller's thread. Any thread may create tasks while the
 * call runs, also while it waits for tasks at its end.
 *
 * @since 0.1.0
 */
public final class TaskGroup {
  private final @Nullable String name;
  private final TaskScope<Exception> scope;
  private final CancelScope bodyScope = CancelScope.create();
  private final List<Throwable> failures = new ArrayList<>(); // guarded by itself

  /** Written under the monitor of the failures. */
  private volatile boolean ended;

  private TaskGroup(@Nullable String name, TaskScope<Exception> scope) {
    this.name = name;
    this.scope = scope;
  }

  /**
   * Runs a body that creates tasks, and waits for all of them.
   *
   * @param <T> the type of the value
   * @param body what to run
   * @return the value of the body; null if {@link #cancel} ended the body
   * @throws ExceptionGroup if a task or the body failed
   * @throws InterruptedException if the caller was cancelled and nothing failed
   */
  public static <T extends @Nullable Object> T call(GroupBody<? extends T> body)
      throws ExceptionGroup, InterruptedException {
    return call(null, requireNonNull(body, "body"));
  }

  /**
   * Runs an action that creates tasks, and waits for all of them.
   *
   * @param action what to run
   * @throws ExceptionGroup if a task or the action failed
   * @throws InterruptedException if the caller was cancelled and nothing failed
   */
  public static void run(GroupAction action) throws ExceptionGroup, InterruptedException {
    requireNonNull(action, "action");
    TaskGroup.<@Nullable Void>call(group -> {
      action.run(group);
      return null;
    });
  }

  static <T extends @Nullable Object> T call(@Nullable String name, GroupBody<? extends T> body)
      throws ExceptionGroup, InterruptedException {
    try (TaskScope<Exception> scope = Members.open(Policy.SUPERVISE, name)) {
      return new TaskGroup(name, scope).execute(body);
    }
  }

  private <T extends @Nullable Object> T execute(GroupBody<? extends T> body)
      throws ExceptionGroup, InterruptedException {
    T value = null;
    Throwable thrown = null;
    try {
      value = bodyScope.<T, Exception>call(() -> body.call(this));
    } catch (Throwable t) {
      thrown = t;
      scope.cancel(
          bodyScope
              .cancelReason()
              .orElseGet(() ->
                  new CancelReason(
                      CancelReason.Source.PARENT, "the body of the group ended", null)));
    }
    InterruptedException cancelled = thrown instanceof InterruptedException e ? e : null;
    try {
      Members.join(scope);
    } catch (InterruptedException outside) {
      cancelled = cancelled == null ? outside : cancelled;
    } catch (IllegalStateException circle) {
      thrown = thrown == null ? circle : thrown;
    }
    return end(value, thrown, cancelled);
  }

  /** Decides between what happened: failures, a cancellation from outside, or neither. */
  @SuppressWarnings({
    "NullAway", // null is the body's own value, or says that it was cancelled
    "ReferenceEquality" // the very object
  })
  private <T extends @Nullable Object> T end(
      @Nullable T value, @Nullable Throwable thrown, @Nullable InterruptedException cancelled)
      throws ExceptionGroup, InterruptedException {
    List<Throwable> all;
    synchronized (failures) {
      ended = true;
      all = new ArrayList<>(failures);
    }
    if (thrown instanceof CancellationException ended && (cancelled != null || isOwn(ended))) {
      all.addAll(Members.failures(ended));
    } else if (thrown != null && thrown != cancelled) {
      all.add(thrown);
    }
    if (!all.isEmpty()) {
      if (cancelled != null) {
        all.addAll(Members.failures(cancelled));
        Thread.currentThread().interrupt();
      }
      Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
      all.removeIf(failure -> !seen.add(failure));
      throw name == null ? ExceptionGroup.of(all) : ExceptionGroup.of(name, all);
    }
    if (cancelled != null) {
      throw cancelled;
    }
    return value;
  }

  /** Whether the body was ended by this group. */
  @SuppressWarnings("ReferenceEquality") // the very request
  private boolean isOwn(CancellationException ended) {
    return ended instanceof TaskCancelledException cancelled
        && bodyScope.cancelReason().filter(own -> own == cancelled.reason()).isPresent();
  }

  /**
   * Starts a task that the group waits for. In a group that is cancelled, or in which something has
   * failed, the task is cancelled and its body never runs.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param body what it does
   * @return its handle
   * @throws IllegalStateException if the group has ended
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   */
  public <T extends @Nullable Object, X extends Exception> Task<T, X> createTask(
      Body<? extends T, ? extends X> body) {
    requireNonNull(body, "body");
    return this.<T, X>created(this.<X>scope().fork(body));
  }

  /**
   * Starts a task without a value that the group waits for.
   *
   * @param <X> the checked exception of the action
   * @param action what it does
   * @return its handle
   * @throws IllegalStateException if the group has ended
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   * @see #createTask(Body)
   */
  public <X extends Exception> Task<@Nullable Void, X> createTask(Action<? extends X> action) {
    requireNonNull(action, "action");
    return created(this.<X>scope().fork(action));
  }

  /**
   * Starts a named task that the group waits for.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param name the name of the task and its thread
   * @param body what it does
   * @return its handle
   * @throws IllegalStateException if the group has ended
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   * @see #createTask(Body)
   */
  public <T extends @Nullable Object, X extends Exception> Task<T, X> createTask(
      String name, Body<? extends T, ? extends X> body) {
    requireNonNull(name, "name");
    requireNonNull(body, "body");
    return this.<T, X>created(this.<X>scope().fork(name, body));
  }

  /**
   * Starts a named task without a value that the group waits for.
   *
   * @param <X> the checked exception of the action
   * @param name the name of the task and its thread
   * @param action what it does
   * @return its handle
   * @throws IllegalStateException if the group has ended
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   * @see #createTask(Body)
   */
  public <X extends Exception> Task<@Nullable Void, X> createTask(
      String name, Action<? extends X> action) {
    requireNonNull(name, "name");
    requireNonNull(action, "action");
    return created(this.<X>scope().fork(name, action));
  }

  @SuppressWarnings("unchecked") // it throws nothing itself
  private <X extends Exception> TaskScope<X> scope() {
    if (ended) {
      throw new IllegalStateException(this + ": create tasks while its call runs");
    }
    return (TaskScope<X>) scope;
  }

  private <T extends @Nullable Object, X extends Exception> Task<T, X> created(Task<T, X> task) {
    return task.onDone(this::collect);
  }

  /** Runs in the task's own thread, before the scope counts it down. */
  private void collect(Task<?, ?> task) {
    if (ended) {
      // Created by a stranger at the last moment, and unread: the scope reports it.
      return;
    }
    // Not under the monitor: listeners are told of it.
    switch (task.outcome()) {
      case Outcome.Success<?> _ -> {}
      case Outcome.Failure<?>(CancellationException awaited)
          when bodyScope.cancelReason().isPresent() ->
          // What it awaited has heard of the group's cancellation before it.
          add(Members.failures(awaited));
      case Outcome.Failure<?>(Throwable failure) -> {
        add(List.of(failure));
        cancel(
            new CancelReason(
                CancelReason.Source.SIBLING_FAILURE, ExceptionGroup.describe(failure), task));
      }
      case Outcome.Cancelled<?>(var cancelled) -> add(cancelled.failures());
    }
  }

  private void add(List<Throwable> more) {
    boolean late;
    synchronized (failures) {
      late = ended;
      if (!late) {
        failures.addAll(more);
      }
    }
    if (late) {
      // It ended in this moment, and nobody else knows of them.
      Suppression.report(more);
    }
  }

  /**
   * Ends the group early: cancels the body and the tasks. No exception is made of that. Nothing
   * happens if it was cancelled before, or has ended.
   *
   * @param message why
   */
  public void cancel(String message) {
    requireNonNull(message, "message");
    cancel(new CancelReason(CancelReason.Source.REQUEST, message, Task.current().orElse(null)));
  }

  /** The body first: if it awaits a task of the group, it was asked before that ends. */
  private void cancel(CancelReason reason) {
    bodyScope.cancel(reason);
    scope.cancel(reason);
  }

  @Override
  public String toString() {
    int failed;
    synchronized (failures) {
      failed = failures.size();
    }
    return "TaskGroup["
        + (name == null ? "" : name + ", ")
        + (ended ? "ended" : bodyScope.cancelReason().isPresent() ? "cancelled" : "open")
        + (failed == 0 ? "" : ", failures: " + failed)
        + "]";
  }
}
