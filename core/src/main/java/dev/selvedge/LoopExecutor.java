package dev.selvedge;

import static java.util.Comparator.comparingLong;
import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** {@link Loop#asExecutor}: a task of the loop for each command. */
final class LoopExecutor extends AbstractExecutorService {
  private final Loop loop;

  // Guarded by this.
  private final Map<TaskImpl<?, ?>, Command<?>> started = new HashMap<>();
  private boolean shutdown;

  LoopExecutor(Loop loop) {
    this.loop = loop;
  }

  /**
   * What a task of the executor does. It is taken once: by the task, or by {@link #shutdownNow}.
   */
  private static final class Command<T extends @Nullable Object> implements Body<T, Exception> {
    private final AtomicBoolean taken = new AtomicBoolean();
    private final Callable<T> body;

    /** What was given to {@code execute}; null if somebody has a future. */
    private final @Nullable Runnable executed;

    Command(Callable<T> body, @Nullable Runnable executed) {
      this.body = body;
      this.executed = executed;
    }

    /** True for one caller. */
    boolean take() {
      return taken.compareAndSet(false, true);
    }

    @Override
    public T call() throws Exception {
      if (!take()) {
        throw Failures.interrupted();
      }
      return body.call();
    }
  }

  /**
   * A task as a {@link Future}: reading it retrieves the failure, cancelling it cancels the task.
   */
  private record TaskFuture<T extends @Nullable Object>(TaskImpl<T, Exception> task)
      implements Future<T> {
    @Override
    public T get() throws InterruptedException, ExecutionException {
      task.awaitDone();
      return read();
    }

    @Override
    public T get(long timeout, TimeUnit unit)
        throws InterruptedException, ExecutionException, TimeoutException {
      if (!task.awaitDone(unit.toNanos(timeout))) {
        throw new TimeoutException(task.name() + " is not done in time");
      }
      return read();
    }

    private T read() throws ExecutionException {
      return switch (task.outcome()) {
        case Outcome.Success<T>(T value) -> value;
        case Outcome.Failure<T>(Throwable exception) -> throw new ExecutionException(exception);
        case Outcome.Cancelled<T>(TaskCancelledException exception) -> throw exception;
      };
    }

    /** {@inheritDoc} A task is always interrupted; the flag makes no difference. */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      return task.cancel();
    }

    @Override
    public boolean isCancelled() {
      return task.isCancelled();
    }

    @Override
    public boolean isDone() {
      return task.isDone();
    }

    @Override
    public State state() {
      return task.state();
    }

    /** {@inheritDoc} It does not throw the failure, and so is no reader of it. */
    @Override
    public T resultNow() {
      if (state() != State.SUCCESS) {
        throw new IllegalStateException(task + " has no result");
      }
      return task.value();
    }
  }

  @Override
  public void execute(Runnable command) {
    requireNonNull(command, "command");
    start(new Command<>(Executors.callable(command), command), TaskImpl.LAUNCHED);
  }

  @Override
  public <T extends @Nullable Object> Future<T> submit(Callable<T> task) {
    requireNonNull(task, "task");
    return new TaskFuture<>(start(new Command<>(task, null), 0));
  }

  @Override
  public Future<?> submit(Runnable task) {
    return submit(Executors.callable(task));
  }

  @Override
  public <T extends @Nullable Object> Future<T> submit(Runnable task, T result) {
    return submit(Executors.callable(task, result));
  }

  @Override
  public <T extends @Nullable Object> List<Future<T>> invokeAll(
      Collection<? extends Callable<T>> tasks) throws InterruptedException {
    return invokeAll(tasks, Long.MAX_VALUE, TimeUnit.NANOSECONDS);
  }

  @Override
  public <T extends @Nullable Object> List<Future<T>> invokeAll(
      Collection<? extends Callable<T>> tasks, long timeout, TimeUnit unit)
      throws InterruptedException {
    long deadline = System.nanoTime() + Math.min(unit.toNanos(timeout), Long.MAX_VALUE / 2);
    var futures = new ArrayList<Future<T>>(tasks.size());
    try {
      for (Callable<T> task : tasks) {
        futures.add(submit(task));
      }
      for (Future<T> future : futures) {
        ((TaskFuture<T>) future).task().awaitDone(deadline - System.nanoTime());
      }
      return futures;
    } finally {
      // As the JDK has it: what is not done by now is cancelled and returned as it is.
      futures.forEach(future -> future.cancel(true));
    }
  }

  private <T extends @Nullable Object> TaskImpl<T, Exception> start(Command<T> command, int state) {
    var task = new ListedTask<T, Exception>(loop, null, command, state);
    synchronized (this) {
      if (shutdown) {
        throw new RejectedExecutionException("the executor of " + loop + " is shut down");
      }
      started.put(task, command);
    }
    boolean running = false;
    try {
      loop.startNew(task);
      running = true;
    } catch (IllegalStateException closed) {
      throw new RejectedExecutionException(closed.getMessage(), closed);
    } finally {
      if (running) {
        task.onDone(this::ended);
      } else {
        ended(task);
      }
    }
    return task;
  }

  private synchronized void ended(Task<?, ?> task) {
    started.remove(task);
    notifyAll();
  }

  @Override
  public synchronized void shutdown() {
    shutdown = true;
    notifyAll();
  }

  /**
   * Cancels what runs or waits for a place.
   *
   * @return what was given to {@code execute} and has not started, the oldest first
   */
  @Override
  public List<Runnable> shutdownNow() {
    var running = new TreeMap<TaskImpl<?, ?>, Command<?>>(comparingLong(TaskImpl::id));
    synchronized (this) {
      shutdown();
      running.putAll(started);
    }
    // The newest first: a place that becomes free goes to the oldest that waits.
    running.descendingMap().keySet().forEach(task -> task.cancel("the executor was shut down"));
    var waiting = new ArrayList<Runnable>();
    for (Command<?> command : running.values()) {
      if (command.executed != null && command.take()) {
        waiting.add(command.executed);
      }
    }
    return waiting;
  }

  @Override
  public synchronized boolean isShutdown() {
    return shutdown;
  }

  @Override
  public synchronized boolean isTerminated() {
    return shutdown && started.isEmpty();
  }

  @Override
  public synchronized boolean awaitTermination(long timeout, TimeUnit unit)
      throws InterruptedException {
    long deadline = System.nanoTime() + Math.min(unit.toNanos(timeout), Long.MAX_VALUE / 2);
    while (!isTerminated()) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    return true;
  }
}
