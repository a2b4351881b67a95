package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;

import dev.selvedge.CancelReason;
import dev.selvedge.CancelReason.Source;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import dev.selvedge.gather.Child.Restart;
import dev.selvedge.gather.Child.State;
import dev.selvedge.gather.Supervisor.Strategy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One run of a {@link Supervisor}. What happens (a child ends, a wait is over, somebody adds one)
 * becomes an event, and one thread takes the events one by one: so nothing here is guarded, and
 * whoever is told something else meanwhile has told an event.
 *
 * <p>Every end of a task is handled once: {@code worker.task} is the task whose end was not handled
 * yet, and whoever handles it clears that. The event of an end that was handled while its worker
 * was being stopped finds another task there, or none.
 */
final class Supervision {
  private static final int LEAST_HISTORY = 100;
  private static final int MOST_DETAILS = 20;

  /** A restart that waits for its time. */
  static final class Pending {
    final List<Worker> workers;
    LoopClock.@Nullable Alarm alarm;

    Pending(Collection<Worker> workers) {
      this.workers = new ArrayList<>(workers);
    }
  }

  private final Supervisor supervisor;
  private final List<Worker> first;
  private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
  private final Loop loop = Loop.current();
  private final LoopClock clock = loop.clock();

  /** When restarts became necessary, as far as they are within the window. */
  private final Deque<Long> recent = new ArrayDeque<>();

  private final Deque<RestartLimitException.End> history = new ArrayDeque<>();

  /** That of the children. */
  private @Nullable TaskScope<Exception> opened;

  /** Why it ends. */
  private @Nullable CancelReason over;

  private @Nullable RestartLimitException gaveUp;

  Supervision(Supervisor supervisor, Collection<Worker> first) {
    this.supervisor = supervisor;
    this.first = List.copyOf(first);
  }

  // ---- from any thread

  void added(Worker worker) {
    events.add(() -> startWhenItMay(worker));
  }

  void removed(Worker worker) {
    worker.removed = true;
    events.add(() -> {
      stop(List.of(worker), reason(Source.REQUEST, "it was removed", null), "final");
      supervisor.forget(worker);
    });
  }

  void stopped(CancelReason why) {
    events.add(() -> over = why);
  }

  // ---- the thread of the supervision

  /** Returns, or throws, when every child has ended. */
  void run() throws RestartLimitException {
    try (var scope = TaskScope.<Exception>open(Policy.SUPERVISE, supervisor.name)) {
      opened = scope;
      scope.details(this::details);
      try {
        first.forEach(this::startWhenItMay);
        while (over == null) {
          events.take().run();
        }
      } catch (InterruptedException foreign) {
        // By nobody who uses the library: the shield would keep it off.
        over = reason(Source.REQUEST, "its thread was interrupted", null);
        Thread.currentThread().interrupt();
      } finally {
        CancelReason why =
            over == null ? reason(Source.PARENT, "the supervisor failed", null) : over;
        List<Worker> workers = supervisor.workers();
        workers.forEach(Supervision::forgetPending);
        stop(workers, why, "final");
      }
    }
    if (gaveUp != null) {
      throw gaveUp;
    }
  }

  private void startWhenItMay(Worker worker) {
    if (over != null || worker.state != State.PENDING || worker.pending != null) {
      return;
    }
    Pending group = supervisor.strategy == Strategy.ONE_FOR_ONE ? null : group();
    if (group == null) {
      start(worker);
    } else {
      worker.pending = group;
      group.workers.add(worker);
    }
  }

  /** The siblings that wait to be started again together. */
  private @Nullable Pending group() {
    for (Worker worker : supervisor.workers()) {
      if (worker.pending != null) {
        return worker.pending;
      }
    }
    return null;
  }

  private void start(Worker worker) {
    worker.pending = null;
    if (worker.removed) {
      return;
    }
    worker.startedAt = clock.nanoTime();
    worker.state = State.RUNNING;
    Task<?, ?> task;
    try {
      task = requireNonNull(opened).fork(worker.name(), worker.child.action);
    } catch (RejectedExecutionException rejected) {
      handle(worker, null, new Outcome.Failure<>(rejected));
      return;
    }
    worker.task = task;
    task.onDone(done -> {
      // Read at once: this may be busy for longer than a failure may stay unread.
      done.outcome();
      events.add(() -> ended(worker, task));
    });
  }

  private void ended(Worker worker, Task<?, ?> task) {
    if (task.equals(worker.task)) {
      worker.task = null;
      handle(worker, task, task.outcome());
    }
  }

  private void handle(Worker worker, @Nullable Task<?, ?> task, Outcome<?> outcome) {
    boolean failed = outcome instanceof Outcome.Failure;
    boolean again =
        !worker.removed
            && switch (worker.child.restart) {
              case PERMANENT -> true;
              case TRANSIENT -> failed;
              case TEMPORARY -> false;
            };
    if (!again) {
      endForGood(worker);
      report(worker, task, outcome, "final");
    } else if (mayRestart(worker, outcome)) {
      report(worker, task, outcome, "restarted");
      restart(worker, task);
    } else {
      worker.state = State.ENDED;
      report(worker, task, outcome, "final");
      gaveUp =
          new RestartLimitException(
              supervisor.name, supervisor.maxRestarts, supervisor.window, List.copyOf(history));
      over = reason(Source.SIBLING_FAILURE, "the supervisor gave up", task);
    }
  }

  private void endForGood(Worker worker) {
    worker.state = State.ENDED;
    if (worker.child.restart == Restart.TEMPORARY) {
      supervisor.forget(worker);
    }
  }

  private boolean mayRestart(Worker worker, Outcome<?> outcome) {
    if (supervisor.maxRestarts == Integer.MAX_VALUE) {
      return true;
    }
    long now = clock.nanoTime();
    long window = TimeUnit.NANOSECONDS.convert(supervisor.window);
    recent.addLast(now);
    while (now - recent.getFirst() > window) {
      recent.removeFirst();
    }
    Throwable failure = outcome instanceof Outcome.Failure<?>(Throwable thrown) ? thrown : null;
    history.addLast(
        new RestartLimitException.End(
            worker.name(), clock.instant(), worker.restarts + 1, failure));
    while (history.size() > Math.max(LEAST_HISTORY, recent.size())) {
      history.removeFirst();
    }
    return recent.size() <= supervisor.maxRestarts;
  }

  private void restart(Worker worker, @Nullable Task<?, ?> task) {
    Duration ran = Duration.ofNanos(clock.nanoTime() - worker.startedAt);
    if (supervisor.backoff.isReset(ran)) {
      worker.failedInARow = 0;
    }
    Duration delay = supervisor.backoff.delay(worker.failedInARow++);
    // It does not wait yet: the alarm of siblings that do is replaced before.
    worker.state = State.STOPPING;
    List<Worker> all = supervisor.workers();
    List<Worker> affected =
        switch (supervisor.strategy) {
          case ONE_FOR_ONE -> List.of(worker);
          case ONE_FOR_ALL -> all;
          case REST_FOR_ONE -> all.subList(all.indexOf(worker), all.size());
        };
    affected.forEach(Supervision::forgetPending);
    stop(
        affected,
        reason(Source.SIBLING_FAILURE, worker.name() + " is started again", task),
        "restarted");
    var pending = new Pending(affected);
    pending.workers.removeIf(each -> each.removed || isTemporaryAndEnded(each));
    for (Worker each : pending.workers) {
      each.pending = pending;
      if (each.state != State.PENDING) {
        each.state = State.WAITING;
      }
    }
    if (delay.isPositive()) {
      pending.alarm = clock.schedule(() -> events.add(() -> due(pending)), delay);
    } else {
      // Not at once: a start that fails would come back here.
      events.add(() -> due(pending));
    }
  }

  private static boolean isTemporaryAndEnded(Worker worker) {
    return worker.child.restart == Restart.TEMPORARY && worker.state != State.PENDING;
  }

  private static void forgetPending(Worker worker) {
    Pending pending = worker.pending;
    if (pending != null && pending.alarm != null) {
      pending.alarm.cancel();
    }
    worker.pending = null;
  }

  private void due(Pending pending) {
    for (Worker worker : pending.workers) {
      // One that could not be started may have changed what becomes of those after it.
      if (over == null && pending.equals(worker.pending)) {
        boolean again = worker.state == State.WAITING;
        if (again) {
          worker.countRestart();
        }
        start(worker);
        Task<?, ?> task = worker.task;
        if (again && task != null) {
          int restarts = worker.restarts;
          loop.callListeners(listener -> listener.restarted(task, restarts));
        }
      }
    }
  }

  /**
   * Stops those that run, the last first, and waits until all have ended. Each has its own limit
   * before the next one is asked.
   */
  private void stop(List<Worker> workers, CancelReason reason, String then) {
    Map<Worker, Task<?, ?>> stopping = new LinkedHashMap<>();
    for (Worker worker : workers.reversed()) {
      Task<?, ?> task = worker.task;
      if (task != null) {
        worker.state = State.STOPPING;
        task.cancel(reason);
        Duration limit = worker.child.stopLimit;
        if (!await(task, limit == null ? Members.EVER : limit)) {
          loop.callExceptionHandler(
              new ExceptionContext(
                  "Supervised task does not stop within its limit",
                  null,
                  task,
                  Map.of(
                      "supervisor", supervisor.name,
                      "child", worker.name(),
                      "limit", String.valueOf(limit))));
        }
        stopping.put(worker, task);
      }
    }
    stopping.forEach((worker, task) -> {
      await(task, Members.EVER);
      worker.task = null;
      endForGood(worker);
      report(worker, task, task.outcome(), then);
    });
  }

  /** Whether it ended within the limit; an interrupt meanwhile is seen later. */
  private boolean await(Task<?, ?> task, Duration limit) {
    long start = clock.nanoTime();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          // For a limited time: a wait that others may end closes no circle.
          return task.awaitDone(limit.minusNanos(clock.nanoTime() - start));
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  // ---- telling

  private void report(Worker worker, @Nullable Task<?, ?> task, Outcome<?> outcome, String then) {
    List<Throwable> failures =
        switch (outcome) {
          case Outcome.Success<?> _ -> List.of();
          case Outcome.Failure<?>(Throwable failure) -> List.of(failure);
          case Outcome.Cancelled<?>(var cancelled) -> cancelled.failures();
        };
    for (Throwable failure : failures) {
      loop.callExceptionHandler(
          new ExceptionContext(
              "Supervised task failed",
              failure,
              task,
              Map.of(
                  "supervisor",
                  supervisor.name,
                  "child",
                  worker.name(),
                  "restarts",
                  worker.restarts,
                  "then",
                  then)));
    }
  }

  private static CancelReason reason(Source source, String message, @Nullable Task<?, ?> by) {
    return new CancelReason(source, message, by);
  }

  private Map<String, String> details() {
    List<Child.Status> told =
        supervisor.children().stream()
            .filter(child -> child.state() != State.RUNNING || child.restarts() > 0)
            .toList();
    var details = new HashMap<String, String>();
    details.put("strategy", supervisor.strategy.toString());
    details.put("restarts", String.valueOf(told.stream().mapToLong(Child.Status::restarts).sum()));
    String children =
        told.stream().limit(MOST_DETAILS).map(Supervision::describe).collect(joining(", "));
    if (told.size() > MOST_DETAILS) {
      children += " and " + (told.size() - MOST_DETAILS) + " others";
    }
    if (!children.isEmpty()) {
      details.put("children", children);
    }
    return details;
  }

  private static String describe(Child.Status child) {
    String state = child.name() + " " + child.state().name().toLowerCase(Locale.ROOT);
    return child.restarts() == 0 ? state : state + " (restarts: " + child.restarts() + ")";
  }
}
