package dev.selvedge;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Finds circles of waits that can never end.
 *
 * <p>A task that awaits another without a limit waits for that one; a task that joins waits for
 * each of its children, and one that reports for the exception handler. A wait is published before
 * anybody looks, so of the waits that form a circle the last one finds it. Reading is racy: a path
 * that was found counts only if, on a second look, each of its waits is the same object. All of
 * them then existed between the two looks, so it is a circle and not a mixture of moments; and a
 * task with an interrupt pending will leave, so it breaks none. Nobody is refused because of who
 * reports: that one goes on by itself.
 */
@SuppressWarnings("ReferenceEquality") // a replica, which is equal to its task, waits for nobody
final class Circle {
  /** More steps than any sane chain of awaits; beyond it the full search decides. */
  private static final int MAX_STEPS = 1000;

  private record Step(TaskImpl<?, ?> from, Object edge) {}

  private Circle() {}

  /** A cheap look along the chain of awaits. False is certain only for circles without joins. */
  static boolean mayClose(TaskImpl<?, ?> start) {
    TaskImpl<?, ?> task = start;
    for (int i = 0; i < MAX_STEPS; i++) {
      Object edge = edge(task);
      if (edge instanceof Cold.Waiter waiter) {
        task = waiter.target;
        if (task == start) {
          return true;
        }
      } else {
        return edge instanceof Owner.Join join && isBelow(start, join.owner());
      }
    }
    return true;
  }

  private static boolean isBelow(TaskImpl<?, ?> task, Owner owner) {
    for (TaskImpl<?, ?> each = task; each != null; ) {
      if (each.owner() == owner) {
        return true;
      }
      each = each.owner() instanceof TaskScope<?> scope ? scope.ownerTask() : null;
    }
    return false;
  }

  /**
   * Whether a circle could go through a join of this task: somebody awaits it, or a task that may
   * wait for it because it owns it.
   */
  static boolean mayPassThrough(TaskImpl<?, ?> joining) {
    for (TaskImpl<?, ?> task = joining; task != null; ) {
      if (task.hasCold() && task.cold().isAwaitedByTask()) {
        return true;
      }
      task = task.owner() instanceof TaskScope<?> scope ? scope.ownerTask() : null;
    }
    return false;
  }

  /**
   * Throws if what the caller waits for waits for the caller. Of several callers in one circle one
   * is refused.
   */
  static void refuse(@Nullable TaskImpl<?, ?> caller) {
    if (caller == null) {
      return;
    }
    synchronized (Circle.class) {
      List<TaskImpl<?, ?>> path = path(caller, caller, false);
      if (path != null) {
        caller.cold().blockedOn = null;
        throw new IllegalStateException(describe(path));
      }
    }
  }

  /**
   * Refuses a wait for a caller that cannot be refused itself, because it closes: a child that is
   * shielded from the cancellation and awaits its owner, say.
   */
  static void refuseWaitFor(TaskImpl<?, ?> caller) {
    synchronized (Circle.class) {
      List<TaskImpl<?, ?>> path = path(caller, caller, false);
      if (path != null && edge(path.getLast()) instanceof Cold.Waiter waiter) {
        waiter.refusal = describe(path);
        LockSupport.unpark(waiter.thread);
      }
    }
  }

  private static String describe(List<TaskImpl<?, ?>> path) {
    var text = new StringBuilder("a circle of waits that would never end: ");
    path.forEach(task -> text.append(task.name()).append(" -> "));
    return text.append(path.getFirst().name()).toString();
  }

  /** Whether one task waits, over whatever others, for another. */
  static boolean leads(TaskImpl<?, ?> from, TaskImpl<?, ?> to) {
    return path(from, to, true) != null;
  }

  private static @Nullable List<TaskImpl<?, ?>> path(
      TaskImpl<?, ?> from, TaskImpl<?, ?> to, boolean overReports) {
    var reached = new HashMap<TaskImpl<?, ?>, Step>();
    var queue = new ArrayDeque<TaskImpl<?, ?>>();
    queue.add(from);
    for (TaskImpl<?, ?> task; (task = queue.poll()) != null; ) {
      Object edge = edge(task);
      if (edge == null) {
        continue;
      }
      List<TaskImpl<?, ?>> targets =
          switch (edge) {
            case Cold.Waiter waiter -> waiter.isOver() ? List.of() : List.of(waiter.target);
            case Owner.Join join -> join.owner().unendedTasks();
            case Reports.Report report when overReports && !report.isDone() -> report.handling();
            case Reports.Report _ -> List.of();
            default -> throw new AssertionError(edge);
          };
      for (TaskImpl<?, ?> target : targets) {
        if (!reached.containsKey(target)) {
          reached.put(target, new Step(task, edge));
          if (target == to) {
            return confirm(reached, from, to);
          }
          queue.add(target);
        }
      }
    }
    return null;
  }

  private static @Nullable List<TaskImpl<?, ?>> confirm(
      Map<TaskImpl<?, ?>, Step> reached, TaskImpl<?, ?> from, TaskImpl<?, ?> to) {
    var path = new ArrayList<TaskImpl<?, ?>>();
    TaskImpl<?, ?> target = to;
    do {
      Step step = reached.get(target);
      if (step == null) {
        throw new AssertionError("a path has no gap");
      }
      TaskImpl<?, ?> task = step.from();
      Thread thread = task.thread();
      // The flag first: who leaves because of it drops the wait before it clears the flag.
      if (thread == null
          || thread.isInterrupted()
          || edge(task) != step.edge()
          || isOver(step.edge(), target)) {
        return null;
      }
      path.add(task);
      target = task;
    } while (target != from);
    Collections.reverse(path);
    return path;
  }

  private static boolean isOver(Object edge, TaskImpl<?, ?> target) {
    return switch (edge) {
      case Cold.Waiter waiter -> waiter.isOver();
      case Reports.Report report -> report.isDone();
      default -> target.hasEnded();
    };
  }

  private static @Nullable Object edge(TaskImpl<?, ?> task) {
    Object edge = task.hasCold() ? task.cold().blockedOn : null;
    return edge instanceof Cold.Waiter waiter && waiter.timed ? null : edge;
  }
}
