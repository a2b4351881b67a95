package dev.selvedge;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Is told what happens to the tasks of a loop and of the scopes below it: for metrics, tracing and
 * tests.
 *
 * <p>Every task is {@code started} once and then {@code finished} once. Every failure that a task
 * leaves behind is told once more, when it is known what becomes of it: {@code awaited}, {@code
 * suppressed}, {@code tolerated} or {@code orphaned}. Looking at the state of a task here counts as
 * little as anywhere; {@link Task#exception}, {@link Task#outcome} and {@link Task#result} would
 * retrieve its failure, and are not for listeners.
 *
 * <p><b>Failure:</b> what a listener throws is reported to the loop's exception handler, and
 * disturbs nothing else.
 *
 * <p><b>Threads:</b> called while holding no lock, by the thread in which the thing happens, and so
 * by several threads at a time. {@code orphaned}, {@code reported}, {@code handlerFailed} and
 * {@code straggling} are called one at a time, by the thread of the exception handler.
 *
 * <p><b>Pitfall:</b> who calls waits for the listener to return, so it has to be quick.
 *
 * @since 0.1.0
 */
public interface LoopListener {
  /**
   * A task was created; its thread starts next. Called by the forking thread. A task of a cancelled
   * owner is finished at once and never runs.
   *
   * @param task the task
   */
  default void started(Task<?, ?> task) {}

  /**
   * A task is done. Called by its thread before those who wait for it are woken; who begins to
   * await it in that moment may be faster.
   *
   * @param task the task; its {@link Task#state} says how it ended
   * @param exception what awaiting it throws; null if it succeeded
   */
  default void finished(Task<?, ?> task, @Nullable Throwable exception) {}

  /**
   * The same with the time that the body took. This is what is called; unless overridden it calls
   * {@link #finished(Task, Throwable)}.
   *
   * @param task the task; its {@link Task#state} says how it ended
   * @param exception what awaiting it throws; null if it succeeded
   * @param nanos how long its body ran, by the loop's clock, in nanoseconds; 0 if it never did
   */
  default void finished(Task<?, ?> task, @Nullable Throwable exception, long nanos) {
    finished(task, exception);
  }

  /**
   * A task was asked to cancel. Called for each request that was accepted, by the thread that asks,
   * which for limits in time is the one timer thread of the library; the task may have ended
   * meanwhile.
   *
   * @param task the task
   * @param reason who asks and why
   */
  default void cancelled(Task<?, ?> task, CancelReason reason) {}

  /**
   * A failure was given to somebody: thrown where the task was awaited or its scope joined, or
   * taken by {@link Task#exception} or {@link Task#outcome}.
   *
   * @param task the task, or one that is equal to it
   * @param exception its failure
   */
  default void awaited(Task<?, ?> task, Throwable exception) {}

  /**
   * A failure was suppressed in the exception that is thrown for several: that of a sibling, a
   * limit, or an interrupted join.
   *
   * @param task the task, or one that is equal to it
   * @param exception its failure
   */
  default void suppressed(Task<?, ?> task, Throwable exception) {}

  /**
   * A failure will not be reported because somebody said so: {@link Task#ignoreFailure}.
   *
   * @param task the task, or one that is equal to it
   * @param exception its failure
   */
  default void tolerated(Task<?, ?> task, Throwable exception) {}

  /**
   * A failure reached nobody. {@link #reported} follows.
   *
   * @param task the task, or one that is equal to it
   * @param exception its failure
   */
  default void orphaned(Task<?, ?> task, Throwable exception) {}

  /**
   * A task has to wait for a place, because its loop or scope has as many as its {@link Admission}
   * permits.
   *
   * @param task the task; it has not started
   */
  default void queued(Task<?, ?> task) {}

  /**
   * A queued task waits no longer: it has a place, was cancelled, or cannot be started. Called once
   * for each that was queued, before {@link #started}.
   *
   * @param task the task
   * @param waited how long it was queued
   */
  default void admitted(Task<?, ?> task, Duration waited) {}

  /**
   * A task was refused by an {@link Admission}.
   *
   * @param task the task; it never starts
   */
  default void rejected(Task<?, ?> task) {}

  /**
   * A failure or a warning is given to the exception handler. What a listener throws is reported
   * without this call.
   *
   * @param context what the handler is given
   */
  default void reported(ExceptionContext context) {}

  /**
   * The exception handler threw. The report and this are printed.
   *
   * @param context what the handler was given
   * @param exception what it threw
   */
  default void handlerFailed(ExceptionContext context, Throwable exception) {}

  /**
   * Several bodies begin to run as one: a gather or one of its kin.
   *
   * @param verb which of them: {@code gather}, {@code any}, and so on
   * @param width how many bodies
   */
  default void gathered(String verb, int width) {}

  /**
   * A supervisor has started a child again. {@link #started} came before.
   *
   * @param task the new task
   * @param restarts how often the child has been started again, this time included
   */
  default void restarted(Task<?, ?> task, int restarts) {}

  /**
   * A task has not ended although it was asked to cancel. Called again and again until it ends,
   * before the handler is warned.
   *
   * @param task the task
   * @param asked how long ago it was asked
   */
  default void straggling(Task<?, ?> task, Duration asked) {}
}
