package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import dev.selvedge.Timeout;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** {@code waitUntil}: children wait for the tasks, and are cancelled when enough has happened. */
final class Waiting<T extends @Nullable Object, X extends Exception> {
  private final ReturnWhen until;
  private final List<Task<T, X>> tasks;

  private Waiting(ReturnWhen until, List<Task<T, X>> tasks) {
    this.until = until;
    this.tasks = tasks;
  }

  static <T extends @Nullable Object, X extends Exception> Waiting<T, X> of(
      ReturnWhen until, Collection<? extends Task<T, X>> tasks) {
    requireNonNull(until, "until");
    List<Task<T, X>> checked = Members.checked(tasks, "tasks");
    if (checked.isEmpty()) {
      throw new IllegalArgumentException("tasks is empty: there is nothing to wait for");
    }
    return new Waiting<>(until, checked);
  }

  Waited<T, X> await(@Nullable Duration limit) throws InterruptedException {
    Task.checkCancelled();
    if (until == ReturnWhen.ALL_COMPLETED) {
      awaitAll(limit);
    } else if (!isOver()) {
      try {
        awaitFirst(limit);
      } catch (TimeoutException reached) {
        // Not an error: those that are pending say so.
      }
    }
    Set<Task<T, X>> done = new LinkedHashSet<>();
    Set<Task<T, X>> pending = new LinkedHashSet<>();
    for (Task<T, X> task : tasks) {
      (task.isDone() ? done : pending).add(task);
    }
    return new Waited<>(Collections.unmodifiableSet(done), Collections.unmodifiableSet(pending));
  }

  private void awaitAll(@Nullable Duration limit) throws InterruptedException {
    LoopClock clock = Loop.current().clock();
    long start = clock.nanoTime();
    for (Task<T, X> task : tasks) {
      if (limit == null) {
        task.awaitDone();
      } else {
        task.awaitDone(limit.isPositive() ? limit.minusNanos(clock.nanoTime() - start) : limit);
      }
    }
  }

  private void awaitFirst(@Nullable Duration limit) throws InterruptedException, TimeoutException {
    if (limit == null) {
      awaitFirst();
    } else {
      Timeout.within(limit, () -> awaitFirst());
    }
  }

  private void awaitFirst() throws InterruptedException {
    try (TaskScope<RuntimeException> scope = Members.open(Policy.SUPERVISE, "waitUntil")) {
      for (Task<T, X> task : tasks) {
        scope.fork(() -> {
          // For a limited time: a wait that others may end closes no circle.
          task.awaitDone(Members.EVER);
          if (decides(task)) {
            scope.cancel(
                new CancelReason(CancelReason.Source.NOT_NEEDED, "enough has happened", task));
          }
        });
      }
      scope.join();
    }
  }

  private boolean isOver() {
    return tasks.stream().anyMatch(this::decides) || tasks.stream().allMatch(Task::isDone);
  }

  private boolean decides(Task<T, X> task) {
    return switch (until) {
      case FIRST_COMPLETED -> task.isDone();
      case FIRST_EXCEPTION -> task.state() == Future.State.FAILED;
      case ALL_COMPLETED -> false;
    };
  }
}
