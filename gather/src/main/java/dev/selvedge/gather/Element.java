package dev.selvedge.gather;

import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One input on its way: the body of its task, the callback at its end, and the place of its value.
 * The task itself has no value, because the scope may keep it for longer than the value is needed.
 */
final class Element<
        A extends @Nullable Object, T extends @Nullable Object, X extends Exception>
    implements Body<@Nullable Void, X>, Consumer<Task<@Nullable Void, X>> {
  private final Pull<A, T, X> pull;

  /** Until the mapper has it. */
  private @Nullable A input;

  /** Written by the task before it is done, taken by the caller after that. */
  private @Nullable T value;

  /** The caller's. */
  private @Nullable Task<@Nullable Void, X> task;

  Element(Pull<A, T, X> pull, A input) {
    this.pull = pull;
    this.input = input;
  }

  void forkedAs(Task<@Nullable Void, X> forked) {
    task = forked;
    forked.onDone(this);
  }

  @Override
  @SuppressWarnings("NullAway") // a null input is one of the user's
  public @Nullable Void call() throws X, InterruptedException {
    A given = input;
    input = null;
    value = pull.mapping().mapper().apply(given);
    return null;
  }

  @Override
  public void accept(Task<@Nullable Void, X> ended) {
    pull.ended(this, ended);
  }

  Task<@Nullable Void, X> task() {
    if (task == null) {
      throw new AssertionError("not forked");
    }
    return task;
  }

  boolean isDone() {
    return task().isDone();
  }

  boolean hasSucceeded() {
    return task().state() == Future.State.SUCCESS;
  }

  /** Hands the value out, once. */
  @SuppressWarnings("NullAway") // a null value is one of the mapper's
  T take() {
    T taken = value;
    value = null;
    return taken;
  }

  /** How it ended; counts as retrieving a failure. */
  @SuppressWarnings("unchecked") // without a value, an outcome is one of any type
  Outcome<T> outcome() {
    return hasSucceeded() ? new Outcome.Success<>(take()) : (Outcome<T>) task().outcome();
  }
}
