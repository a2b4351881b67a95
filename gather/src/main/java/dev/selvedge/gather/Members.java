package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskTrace;
import dev.selvedge.Timeout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What a verb was given: bodies, each of which becomes a child, and existing tasks. A child that
 * stands for an existing task waits for it, and when it is cancelled itself, cancels the task with
 * the same reason and waits for that.
 */
final class Members {
  /** Longer than anything waits, but limited: a wait that others may end closes no circle. */
  static final Duration EVER = Duration.ofNanos(Long.MAX_VALUE);

  private Members() {}

  /** The next element; null if none comes within the limit, by the clock of the caller's loop. */
  static <E> @Nullable E poll(BlockingQueue<E> queue, @Nullable Duration limit)
      throws InterruptedException {
    if (limit == null) {
      return queue.take();
    }
    try {
      return Timeout.within(limit, () -> queue.take());
    } catch (TimeoutException none) {
      return null;
    }
  }

  /** What was given, none of which is null or the task that calls. */
  static <B extends Body<?, ?>> List<B> checked(Collection<? extends B> given, String argument) {
    var checked = new ArrayList<B>(requireNonNull(given, argument).size());
    for (B body : given) {
      if (body == null) {
        throw nullAt(argument, checked.size());
      }
      if (body instanceof Task<?, ?> task && Task.current().filter(task::equals).isPresent()) {
        throw new IllegalStateException(task.name() + " waits for itself: it would wait for ever");
      }
      checked.add(body);
    }
    return checked;
  }

  private static NullPointerException nullAt(String argument, int index) {
    return new NullPointerException(argument + "[" + index + "] is null: leave it out");
  }

  /** The same without the tasks that occur before. */
  static <B extends Body<?, ?>> List<B> distinct(List<B> bodies) {
    var seen = Collections.newSetFromMap(new IdentityHashMap<Object, Boolean>());
    return bodies.stream().filter(body -> !(body instanceof Task) || seen.add(body)).toList();
  }

  static <X extends Exception> List<Body<@Nullable Void, X>> bodies(Action<? extends X>[] actions) {
    var bodies = new ArrayList<Body<@Nullable Void, X>>(actions.length);
    for (Action<? extends X> action : actions) {
      if (action == null) {
        throw nullAt("actions", bodies.size());
      }
      bodies.add(body(action));
    }
    return bodies;
  }

  static <X extends Exception> Body<@Nullable Void, X> body(Action<? extends X> action) {
    return () -> {
      action.run();
      return null;
    };
  }

  static <X extends Exception> TaskScope<X> open(TaskScope.Policy policy, @Nullable String name) {
    return name == null ? TaskScope.open(policy) : TaskScope.open(policy, name);
  }

  /** Forks a child, named after the group if that has a name. */
  static <T extends @Nullable Object, X extends Exception> Task<T, X> fork(
      TaskScope<X> scope, @Nullable String name, int index, Body<? extends T, ? extends X> body) {
    return name == null ? scope.fork(body) : scope.fork(name + "-" + index, body);
  }

  /** Cancels a task unless its owner has: a second interrupt would hit its clean-up. */
  static void cancel(Task<?, ?> task, CancelReason reason) {
    if (!task.isCancelledWithOwner()) {
      task.cancel(reason);
    }
  }

  /** Waits for tasks that were cancelled; an interrupt is seen after it. */
  static void awaitUninterruptibly(List<? extends Task<?, ?>> tasks) {
    boolean interrupted = false;
    for (Task<?, ?> task : tasks) {
      while (!task.isDone()) {
        try {
          task.awaitDone();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** A body that ends as the task does. */
  static <T extends @Nullable Object, X extends Exception> Body<T, X> takeOver(
      Task<? extends T, ? extends X> task) {
    return () -> {
      waitFor(task, null);
      return end(task);
    };
  }

  /** The same for a wait that somebody else may end. */
  static <T extends @Nullable Object, X extends Exception> Body<? extends T, ? extends X> tentative(
      Body<? extends T, ? extends X> body) {
    if (!(body instanceof Task<? extends T, ? extends X> task)) {
      return body;
    }
    return () -> {
      waitFor(task, EVER);
      return end(task);
    };
  }

  /** The frames that matter are those of the group's caller: {@code result} would leave these. */
  private static <T extends @Nullable Object, X extends Exception> T end(
      Task<? extends T, ? extends X> task) throws X {
    Throwable failure = task.exception().orElse(null);
    if (failure != null) {
      throw Suppression.<RuntimeException>sneak(failure);
    }
    return task.result();
  }

  /** A body that waits for the task and says nothing about its end. */
  static Body<@Nullable Void, RuntimeException> waitingFor(Task<?, ?> task) {
    return () -> {
      waitFor(task, null);
      return null;
    };
  }

  /** Joins a scope that supervises, and so throws no failure of a child. */
  static void join(TaskScope<?> scope) throws InterruptedException {
    try {
      scope.join();
    } catch (InterruptedException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Ends a scope for a caller that was interrupted: its join cancels, waits, and says what failed.
   */
  static InterruptedException abandon(TaskScope<?> scope, InterruptedException cancelled) {
    Thread.currentThread().interrupt();
    try {
      join(scope);
    } catch (InterruptedException withFailures) {
      return Suppression.suppress(withFailures, failures(cancelled));
    }
    return cancelled;
  }

  /** The value of a task that has succeeded. */
  static <T extends @Nullable Object> T value(Task<? extends T, ?> task) {
    return switch (task.outcome()) {
      case Outcome.Success<? extends T>(var value) -> value;
      case Outcome<? extends T> other -> throw new AssertionError(other);
    };
  }

  @SuppressWarnings("unchecked") // an outcome is only read
  static <T extends @Nullable Object> Outcome<T> outcome(Task<? extends T, ?> task) {
    return (Outcome<T>) task.outcome();
  }

  /** Waits for a task and retrieves nothing, unless it is interrupted: see above. */
  static void waitFor(Task<?, ?> task, @Nullable Duration limit) throws InterruptedException {
    try {
      if (limit == null) {
        task.awaitDone();
      } else {
        task.awaitDone(limit);
      }
    } catch (InterruptedException cancelled) {
      cancel(task, reason());
      while (!task.isDone()) {
        try {
          task.awaitDone();
        } catch (InterruptedException again) {
          cancelled.addSuppressed(again);
        }
      }
      switch (task.outcome()) {
        case Outcome.Success<?> _ -> {}
        case Outcome.Failure<?> failed -> cancelled.addSuppressed(failed.exception());
        case Outcome.Cancelled<?> ended ->
            ended.exception().failures().forEach(cancelled::addSuppressed);
      }
      throw cancelled;
    }
  }

  /** What the tasks among these threw that have ended and failed. */
  static List<Throwable> failures(List<? extends Task<?, ?>> tasks) {
    var failures = new ArrayList<Throwable>();
    for (Task<?, ?> task : tasks) {
      if (task.isDone()) {
        switch (task.outcome()) {
          case Outcome.Success<?> _ -> {}
          case Outcome.Failure<?>(Throwable failure) -> failures.add(failure);
          case Outcome.Cancelled<?>(var cancelled) -> failures.addAll(cancelled.failures());
        }
      }
    }
    return failures;
  }

  /**
   * The failures that a cancellation has in tow, as core finds them: an interrupted wait left them
   * in it, or in another that it wraps or has suppressed.
   */
  static List<Throwable> failures(Exception cancelled) {
    var failures = new ArrayList<Throwable>();
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    seen.add(cancelled);
    var cancellations = new ArrayDeque<Throwable>(seen);
    for (Throwable each; (each = cancellations.poll()) != null; ) {
      for (Throwable suppressed : each.getSuppressed()) {
        if (!(suppressed instanceof TaskTrace) && seen.add(suppressed)) {
          (isCancellation(suppressed) ? cancellations : failures).add(suppressed);
        }
      }
      Throwable cause = each.getCause();
      if (cause != null && isCancellation(cause) && seen.add(cause)) {
        cancellations.add(cause);
      }
    }
    return failures;
  }

  private static boolean isCancellation(Throwable thrown) {
    return thrown instanceof InterruptedException || thrown instanceof CancellationException;
  }

  /** Why the caller is being cancelled. */
  static CancelReason reason() {
    return CancelReason.current()
        .orElseGet(() ->
            new CancelReason(CancelReason.Source.REQUEST, "the thread was interrupted", null));
  }
}
