package dev.selvedge.spring;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.TaskRejectedException;

/**
 * Spring's executor of a {@link Loop}: each command is one of its tasks. The task of an
 * {@code @Async} method is named after its bean and method.
 *
 * <p><b>Failure:</b> that of a command, or of an {@code @Async} method which returns nothing, is
 * reported at once. That of a future goes to who reads it; if nobody does, it is reported when the
 * future is unreachable, after {@code selvedge.orphan-after}, or when the loop closes.
 *
 * <p><b>Cancellation:</b> cancelling a future cancels its task. A {@link CompletableFuture} is the
 * exception, everywhere in Java: what completes it is not told.
 *
 * @since 0.1.0
 */
public final class LoopTaskExecutor implements AsyncTaskExecutor {
  private final Loop loop;
  private final TaskDecorator decorator;

  /**
   * An executor without decorator.
   *
   * @param loop whose tasks the commands are
   */
  public LoopTaskExecutor(Loop loop) {
    this(loop, command -> command);
  }

  /**
   * An executor with a decorator.
   *
   * @param loop whose tasks the commands are
   * @param decorator wraps each command, in the thread that gives it
   */
  public LoopTaskExecutor(Loop loop, TaskDecorator decorator) {
    this.loop = requireNonNull(loop, "loop");
    this.decorator = requireNonNull(decorator, "decorator");
  }

  /**
   * Starts a task that nobody awaits.
   *
   * @param command what it does
   * @throws TaskRejectedException if the loop is shut down or closed, or no thread can be had
   */
  @Override
  public void execute(Runnable command) {
    launch(decorated(Executors.callable(requireNonNull(command, "command"))));
  }

  /**
   * Starts a task.
   *
   * @param command what it does
   * @return its future
   * @throws TaskRejectedException if the loop is shut down or closed, or no thread can be had
   */
  @Override
  public Future<?> submit(Runnable command) {
    return submit(Executors.callable(requireNonNull(command, "command")));
  }

  /**
   * Starts a task.
   *
   * @param <T> the type of its value
   * @param command what it does
   * @return its future; of an {@code @Async} method that returns nothing one that Spring drops
   * @throws TaskRejectedException if the loop is shut down or closed, or no thread can be had
   */
  @Override
  public <T extends @Nullable Object> Future<T> submit(Callable<T> command) {
    requireNonNull(command, "command");
    AsyncCall call = AsyncCall.current();
    if (call == null || !call.isVoid()) {
      return new TaskFuture<>(created(command));
    }
    Callable<T> decorated = decorated(command);
    launch(() -> {
      UncaughtAsyncFailure.rethrowing(decorated);
      return null;
    });
    return new CompletableFuture<>();
  }

  /**
   * Starts a task.
   *
   * @param command what it does
   * @return its future
   * @throws TaskRejectedException if the loop is shut down or closed, or no thread can be had
   */
  @Override
  public CompletableFuture<Void> submitCompletable(Runnable command) {
    return submitCompletable(Executors.callable(requireNonNull(command, "command"), null));
  }

  /**
   * Starts a task.
   *
   * @param <T> the type of its value
   * @param command what it does
   * @return its future
   * @throws TaskRejectedException if the loop is shut down or closed, or no thread can be had
   */
  @Override
  public <T extends @Nullable Object> CompletableFuture<T> submitCompletable(Callable<T> command) {
    return created(requireNonNull(command, "command")).toCompletableFuture();
  }

  private <T extends @Nullable Object> Task<T, Exception> created(Callable<T> command) {
    Body<T, Exception> body = decorated(command)::call;
    AsyncCall call = AsyncCall.current();
    try {
      return call == null ? loop.createTask(body) : loop.createTask(call.name(), body);
    } catch (RejectedExecutionException | IllegalStateException e) {
      throw rejected(e);
    }
  }

  private void launch(Callable<?> command) {
    Action<Exception> action = command::call;
    AsyncCall call = AsyncCall.current();
    try {
      if (call == null) {
        loop.launch(action);
      } else {
        loop.launch(call.name(), action);
      }
    } catch (RejectedExecutionException | IllegalStateException e) {
      throw rejected(e);
    }
  }

  private TaskRejectedException rejected(Exception cause) {
    return new TaskRejectedException(loop + " starts no task: " + cause.getMessage(), cause);
  }

  private <T extends @Nullable Object> Callable<T> decorated(Callable<T> command) {
    var run = new Decorated<T>(command);
    Runnable decorated = decorator.decorate(run);
    return () -> {
      decorated.run();
      return run.result();
    };
  }

  /**
   * What a decorator sees: a Runnable, which must neither lose a value nor throw what is checked.
   */
  private static final class Decorated<T extends @Nullable Object> implements Runnable {
    private final Callable<T> command;
    private @Nullable Callable<T> result;

    Decorated(Callable<T> command) {
      this.command = command;
    }

    @Override
    public void run() {
      try {
        T value = command.call();
        result = () -> value;
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        result =
            () -> {
              throw e;
            };
      }
    }

    T result() throws Exception {
      Callable<T> present = result;
      if (present == null) {
        throw new IllegalStateException("the TaskDecorator has not run the command " + command);
      }
      return present.call();
    }
  }
}
