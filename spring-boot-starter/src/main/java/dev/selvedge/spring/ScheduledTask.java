package dev.selvedge.spring;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelReason;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import java.lang.reflect.UndeclaredThrowableException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.Delayed;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.springframework.scheduling.Trigger;
import org.springframework.scheduling.support.SimpleTriggerContext;

/** Something scheduled: the body of its task, and the future that its scheduler returns. */
final class ScheduledTask implements ScheduledFuture<@Nullable Void> {
  private enum State {
    WAITING,
    RUNNING,
    STOPPED
  }

  private final LoopTaskScheduler scheduler;
  private final Runnable command;
  private final Trigger trigger;
  private final boolean periodic;

  // Guarded by this.
  private State state = State.WAITING;
  private Instant due = Instant.EPOCH;
  private @Nullable CancelReason cancelled; // through the future, without an interrupt
  private @Nullable Task<@Nullable Void, Exception> task;
  private @Nullable TaskFuture<@Nullable Void> future;

  ScheduledTask(LoopTaskScheduler scheduler, Runnable command, Trigger trigger, boolean periodic) {
    this.scheduler = scheduler;
    this.command = command;
    this.trigger = trigger;
    this.periodic = periodic;
  }

  synchronized void start(Loop loop, @Nullable String name) {
    if (state == State.STOPPED) {
      throw new RejectedExecutionException(LoopTaskScheduler.STOPPED);
    }
    Task<@Nullable Void, Exception> created =
        name == null ? loop.createTask(this::run) : loop.createTask(name, this::run);
    task = created;
    future = new TaskFuture<>(created);
    created.onDone(_ -> scheduler.ended(this));
  }

  private synchronized Task<@Nullable Void, Exception> task() {
    return requireNonNull(task);
  }

  private synchronized TaskFuture<@Nullable Void> future() {
    return requireNonNull(future);
  }

  // ---- the body

  private void run() throws Exception {
    Task<?, ?> self = Task.current().orElseThrow();
    Clock clock = scheduler.getClock();
    var runs = new SimpleTriggerContext(clock);
    while (true) {
      Instant next = trigger.nextExecution(runs);
      if (next == null) {
        return;
      }
      setDue(next);
      while (clock.instant().isBefore(next)) {
        Task.sleep(Duration.between(clock.instant(), next));
      }
      if (!enter(State.WAITING, State.RUNNING)) {
        endIfCancelled(self);
        return;
      }
      Instant began = clock.instant();
      try {
        runOnce();
      } catch (Throwable failure) {
        boolean interrupted = failure instanceof InterruptedException;
        if (interrupted && self.cancelRequests() > 0) {
          throw failure;
        }
        if (periodic) {
          report(failure, self);
        } else if (interrupted) {
          throw new UndeclaredThrowableException(
              failure, "interrupted, but nobody has cancelled it");
        } else {
          throw failure;
        }
      }
      boolean goesOn = enter(State.RUNNING, State.WAITING);
      endIfCancelled(self);
      if (!goesOn) {
        return;
      }
      runs.update(next, began, clock.instant());
    }
  }

  /**
   * Runs the command; what Spring had to wrap because a Runnable must not throw it is unwrapped.
   */
  private void runOnce() throws Exception {
    try {
      command.run();
    } catch (UndeclaredThrowableException wrapped) {
      switch (wrapped.getUndeclaredThrowable()) {
        case Exception checked -> throw checked;
        case Error error -> throw error;
        case null, default -> throw wrapped;
      }
    }
  }

  /** Whatever a run has made of the interrupt, and whether or not it has left a flag of its own. */
  private void endIfCancelled(Task<?, ?> self) throws InterruptedException {
    CancelReason reason = cancelled();
    if (reason != null) {
      self.cancel(reason);
    }
    Thread.interrupted();
    if (self.cancelRequests() > 0) {
      throw new InterruptedException(self.cancelReason().map(CancelReason::toString).orElse(null));
    }
  }

  private synchronized @Nullable CancelReason cancelled() {
    return cancelled;
  }

  private static void report(Throwable failure, Task<?, ?> self) {
    Loop.current()
        .callExceptionHandler(
            new ExceptionContext("Scheduled run failed", failure, self, Map.of()));
  }

  private synchronized void setDue(Instant next) {
    due = next;
  }

  /** Changes the state unless it was stopped meanwhile. */
  private synchronized boolean enter(State from, State to) {
    if (state != from) {
      return false;
    }
    state = to;
    return true;
  }

  /** Lets a run that has begun end; no other begins. */
  synchronized void stop(CancelReason reason) {
    State before = state;
    state = State.STOPPED;
    if (before == State.WAITING && task != null) {
      task.cancel(reason);
    }
  }

  /** The same, for the future: it will have been cancelled. */
  private synchronized boolean cancelGently(CancelReason reason) {
    if (cancelled != null) {
      return false;
    }
    cancelled = reason;
    stop(reason);
    return true;
  }

  // ---- the future

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    if (isDone()) {
      return false;
    }
    var reason =
        new CancelReason(CancelReason.Source.REQUEST, "the scheduled task was cancelled", null);
    return mayInterruptIfRunning ? task().cancel(reason) : cancelGently(reason);
  }

  @Override
  public boolean isCancelled() {
    return task().isCancelled();
  }

  @Override
  public boolean isDone() {
    return task().isDone();
  }

  @Override
  public @Nullable Void get() throws InterruptedException, ExecutionException {
    return future().get();
  }

  @Override
  public @Nullable Void get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    return future().get(timeout, unit);
  }

  @Override
  public synchronized long getDelay(TimeUnit unit) {
    return unit.convert(Duration.between(scheduler.getClock().instant(), due));
  }

  @Override
  public int compareTo(Delayed other) {
    return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  @Override
  public String toString() {
    return "ScheduledTask[" + command + "]";
  }
}
