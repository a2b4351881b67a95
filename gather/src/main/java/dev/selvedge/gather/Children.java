package dev.selvedge.gather;

import dev.selvedge.Body;
import dev.selvedge.Loop;
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
 * cancelled before it begins, its end cancels the task. What is left of the tasks when all children
 * have ended, the call cancels and waits for.
 */
final class Children<X extends Exception> implements AutoCloseable {
  private final @Nullable String name;
  private final TaskScope<X> scope;
  private final @Nullable Semaphore permits;

  /** What stands for the tasks; null for those whose turn has not come. Empty without tasks. */
  private final Map<Task<?, ?>, @Nullable StandIn<?, X>> takenOver;

  private int forked;

  /** The body of a child that stands for a task. */
  private static final class StandIn<T extends @Nullable Object, X extends Exception>
      implements Body<T, X> {
    private final Body<? extends T, ? extends X> waiting;
    private volatile boolean begun;
    private @Nullable Task<T, X> child;

    StandIn(Body<? extends T, ? extends X> waiting) {
      this.waiting = waiting;
    }

    @Override
    public T call() throws X, InterruptedException {
      begun = true;
      return waiting.call();
    }
  }

  Children(
      String verb,
      Policy policy,
      @Nullable String name,
      int concurrency,
      List<? extends Body<?, ?>> bodies) {
    this.name = name;
    this.takenOver = tasks(bodies);
    this.scope = name == null ? TaskScope.open(policy) : TaskScope.open(policy, name);
    this.permits = concurrency < bodies.size() ? new Semaphore(concurrency) : null;
    int width = bodies.size();
    Loop.current().callListeners(listener -> listener.gathered(verb, width));
  }

  private static <S> Map<Task<?, ?>, @Nullable S> tasks(List<? extends Body<?, ?>> bodies) {
    Map<Task<?, ?>, @Nullable S> tasks = Map.of();
    for (Body<?, ?> body : bodies) {
      if (body instanceof Task<?, ?> task) {
        if (tasks.isEmpty()) {
          tasks = new LinkedHashMap<>();
        }
        tasks.put(task, null);
      }
    }
    return tasks;
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
      Body<? extends T, ? extends X> waiting,
      @Nullable Consumer<? super Task<T, X>> onEnd) {
    var standIn = new StandIn<T, X>(waiting);
    Task<T, X> child = fork(standIn, onEnd);
    standIn.child = child;
    takenOver.put(task, standIn);
    return child.onDone(ended -> {
      if (!standIn.begun) {
        Members.cancel(task, ended.cancelReason().orElseGet(Members::reason));
      }
    });
  }

  /** The child that stands for a task, if it was forked before. */
  @Nullable Task<?, X> childFor(Task<?, ?> task) {
    StandIn<?, X> standIn = takenOver.get(task);
    return standIn == null ? null : standIn.child;
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

  /**
   * Once all children have ended: cancels the tasks that go on, and waits for them. An interrupt
   * meanwhile is seen after it.
   *
   * @return what was thrown by tasks for which no child has waited
   */
  List<Throwable> left() {
    List<Task<?, ?>> left = new ArrayList<>();
    takenOver.forEach((task, standIn) -> {
      if (!task.isDone()) {
        Members.cancel(task, Members.reason());
        left.add(task);
      } else if (standIn != null && !standIn.begun) {
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
