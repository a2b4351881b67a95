package dev.selvedge.gather;

import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The children of one call, no more at once than it permits. An existing task has a child that
 * stands for it, waits for it, and cancels it when it is cancelled itself. If that child is
 * cancelled before it begins, its end cancels the task, and who called waits for that.
 */
final class Children<X extends Exception> implements AutoCloseable {
  private final @Nullable String name;
  private final TaskScope<X> scope;
  private final @Nullable Semaphore permits;

  /** Those that stand for tasks, by their task; made on demand. */
  private @Nullable Map<Task<?, ?>, Task<?, X>> takenOver;

  private int forked;

  Children(Policy policy, @Nullable String name, int concurrency, int most) {
    this.name = name;
    this.scope = name == null ? TaskScope.open(policy) : TaskScope.open(policy, name);
    this.permits = concurrency < most ? new Semaphore(concurrency) : null;
  }

  @Override
  public void close() {
    scope.close();
  }

  TaskScope<X> scope() {
    return scope;
  }

  /** Forks a child when it may run. */
  <T extends @Nullable Object> Task<T, X> fork(Body<? extends T, ? extends X> body) {
    return fork(body, null);
  }

  /** Forks a child when it may run, and says when it has ended, before another may. */
  <T extends @Nullable Object> Task<T, X> fork(
      Body<? extends T, ? extends X> body, @Nullable Consumer<? super Task<T, X>> onEnd) {
    if (permits != null) {
      acquire(permits);
    }
    Task<T, X> child = name == null ? scope.fork(body) : scope.fork(name + "-" + forked, body);
    forked++;
    if (onEnd != null) {
      child.onDone(onEnd);
    }
    return permits == null ? child : child.onDone(_ -> permits.release());
  }

  /** Forks a child that stands for a task. */
  <T extends @Nullable Object> Task<T, X> forkFor(
      Task<?, ?> task,
      Body<? extends T, ? extends X> body,
      @Nullable Consumer<? super Task<T, X>> onEnd) {
    Task<T, X> child = fork(body, onEnd);
    if (takenOver == null) {
      takenOver = new LinkedHashMap<>();
    }
    takenOver.put(task, child);
    return child.onDone(ended -> {
      if (!hasRun(ended)) {
        task.cancel(ended.cancelReason().orElseGet(Members::reason));
      }
    });
  }

  /** The child that stands for a task, if it was forked before. */
  @Nullable Task<?, X> childFor(Task<?, ?> task) {
    return takenOver == null ? null : takenOver.get(task);
  }

  /**
   * If the caller is cancelled while it waits for a permit there is none, and forks come out
   * cancelled; the join, which sees the interrupt, throws.
   */
  private void acquire(Semaphore permits) {
    try {
      permits.acquire();
    } catch (InterruptedException e) {
      scope.cancel(Members.reason());
      Thread.currentThread().interrupt();
    }
  }

  /** Whether a child has begun: what ends a child that runs is the cause of its cancellation. */
  private static boolean hasRun(Task<?, ?> child) {
    return !child.isCancelled()
        || !(child.outcome() instanceof Outcome.Cancelled<?>(var cancelled))
        || cancelled.getCause() != null;
  }

  /**
   * Waits for the tasks whose child has never run, once all children have ended. An interrupt
   * meanwhile is seen after it.
   *
   * @return what those tasks threw
   */
  List<Throwable> left() {
    if (takenOver == null) {
      return List.of();
    }
    List<Task<?, ?>> left = new ArrayList<>();
    takenOver.forEach((task, child) -> {
      if (!hasRun(child)) {
        left.add(task);
      }
    });
    Members.awaitUninterruptibly(left);
    return Members.failures(left);
  }

  /** Throws what ended the call, with the failures of the tasks that are left. */
  RuntimeException end(Throwable thrown) {
    List<? extends Throwable> others;
    try {
      others = left();
    } catch (IllegalStateException circle) {
      others = List.of(circle);
    }
    throw Suppression.<RuntimeException>sneak(Suppression.suppress(thrown, others));
  }
}
