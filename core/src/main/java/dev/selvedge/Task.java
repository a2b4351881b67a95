package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The handle of one virtual thread: asyncio's {@code Task}, with the checked exception of its body
 * in the type.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="await"}
 *
 * <p><b>Failure:</b> the task keeps what its body threw, and every {@link #await} re-throws that
 * very object. A failure that nobody retrieves reaches the loop's exception handler, once. {@link
 * #await}, {@link #result}, {@link #exception} and {@link #outcome} retrieve it; {@link #isDone},
 * {@link #state}, {@link #cancel}, {@link #onDone} and printing do not.
 *
 * <p><b>Cancellation:</b> {@link #cancel} is a request, delivered as an interrupt to the body and
 * forwarded to everything the task owns. Awaiting never cancels what is awaited.
 *
 * <p><b>Threads:</b> every method may be called from any thread.
 *
 * <p><b>Pitfall:</b> {@code catch (Exception e)} in a body catches its cancellation too, as it does
 * with any interrupt.
 *
 * @param <T> the type of the value
 * @param <X> the checked exception that the body throws
 * @since 0.1.0
 */
public sealed interface Task<T extends @Nullable Object, X extends Exception> extends Body<T, X>
    permits Handle {

  /**
   * Waits until the task is done. The wait is a checkpoint: an interrupt that is pending when it is
   * called is thrown, also if the task is done already.
   *
   * @return the value
   * @throws X the failure of the task, the same object each time, whatever its type
   * @throws TaskCancelledException if the task was cancelled
   * @throws InterruptedException if the <em>caller</em> is cancelled while it waits; the task goes
   *     on and its failure stays unretrieved
   * @throws IllegalStateException if the wait can never end because the awaited task waits for the
   *     caller; a circle of awaits fails at once, one through a join within a second
   */
  T await() throws X, InterruptedException;

  /**
   * Waits until the task is done, for a limited time. Reaching the limit stops the waiting and
   * cancels nothing.
   *
   * @param limit how long to wait; zero or less does not wait
   * @return the value
   * @throws X the failure of the task, the same object each time, whatever its type
   * @throws TaskCancelledException if the task was cancelled
   * @throws InterruptedException if the caller is cancelled while it waits
   * @throws TimeoutException if the task is not done within the limit
   */
  T await(Duration limit) throws X, InterruptedException, TimeoutException;

  /**
   * Waits until the task is done, whatever its end, and retrieves nothing: {@code asyncio.wait} of
   * one task. A checkpoint like {@link #await()}.
   *
   * @throws InterruptedException if the caller is cancelled while it waits
   * @throws IllegalStateException if the wait can never end
   */
  void awaitDone() throws InterruptedException;

  /**
   * Waits until the task is done, whatever its end, for a limited time, and retrieves nothing.
   *
   * @param limit how long to wait; zero or less does not wait
   * @return whether it is done
   * @throws InterruptedException if the caller is cancelled while it waits
   */
  boolean awaitDone(Duration limit) throws InterruptedException;

  /** {@inheritDoc} The same as {@link #await()}, so that a task stands where a body may. */
  @Override
  default T call() throws X, InterruptedException {
    return await();
  }

  /**
   * The value of a finished task.
   *
   * @return the value
   * @throws X the failure of the task
   * @throws TaskCancelledException if the task was cancelled
   * @throws IllegalStateException if the task is not done
   */
  T result() throws X;

  /**
   * The failure of a finished task. Counts as retrieving it.
   *
   * @return the failure; empty if the task succeeded
   * @throws TaskCancelledException if the task was cancelled
   * @throws IllegalStateException if the task is not done
   */
  Optional<Throwable> exception();

  /**
   * How a finished task ended. Counts as retrieving its failure.
   *
   * @return the outcome
   * @throws IllegalStateException if the task is not done
   */
  Outcome<T> outcome();

  /**
   * Asks the task to cancel, without a message.
   *
   * @return false if it is done already
   * @see #cancel(CancelReason)
   */
  default boolean cancel() {
    return cancel("");
  }

  /**
   * Asks the task to cancel.
   *
   * @param message why; part of the reason that the task and its awaiters see
   * @return false if it is done already
   * @see #cancel(CancelReason)
   */
  boolean cancel(String message);

  /**
   * Asks the task to cancel: interrupts its thread and cancels what it owns. A task that has not
   * begun never runs its body. Requests are counted; the reason of the first one is kept. A task
   * may decline by catching the {@link InterruptedException} and returning a value.
   *
   * @param reason who asks and why
   * @return false if it is done already; nothing changes then
   */
  boolean cancel(CancelReason reason);

  /**
   * Why the task was cancelled or is asked to.
   *
   * @return the first reason; empty if nobody asked
   */
  Optional<CancelReason> cancelReason();

  /**
   * How many cancel requests are outstanding: asyncio's {@code cancelling}.
   *
   * @return the requests less the {@linkplain #uncancel undone} ones
   */
  int cancelRequests();

  /**
   * Takes one request back, as asyncio's {@code uncancel}: for code that has handled a cancellation
   * which was meant for it. An interrupt that was delivered already stays delivered.
   *
   * @return the outstanding requests, never below zero
   */
  int uncancel();

  /**
   * Whether the task has a value, has failed or was cancelled.
   *
   * @return true once it has
   */
  boolean isDone();

  /**
   * Whether the task ended by cancellation.
   *
   * @return false while it runs, also when it was asked to cancel
   */
  boolean isCancelled();

  /**
   * Whether what owns the task was cancelled or closed, and the task with it. Who takes tasks over
   * and is cancelled together with them need not cancel them again: a second interrupt would hit
   * their clean-up.
   *
   * @return whether its owner has cancelled it; false for a {@linkplain #shield() shielding view}
   */
  boolean isCancelledWithOwner();

  /**
   * The state in the words of {@link Future}.
   *
   * @return the state
   */
  Future.State state();

  /**
   * Calls back when the task is done: on its thread, after its outcome is set, in the order of
   * registration, and before its owner sees it end. On a task that has ended it calls at once, in
   * the caller. Does not count as retrieving a failure. A callback that throws is reported to the
   * loop's exception handler and disturbs nothing.
   *
   * <p>A callback is not interrupted by a cancellation, which has nothing to end any more; the
   * scopes that it has open are cancelled with the owner of the task. The owner waits for callbacks
   * when it closes, so keep them short.
   *
   * @param callback is given this task
   * @return this task
   */
  Task<T, X> onDone(Consumer<? super Task<T, X>> callback);

  /**
   * Declares that a failure of this task needs no reader: it is never reported. It still cancels
   * the siblings in a scope that does so, and awaiting it still throws.
   *
   * @return this task
   */
  Task<T, X> ignoreFailure();

  /**
   * The name.
   *
   * @return the name it was given, or {@code task-} and its id
   */
  String name();

  /**
   * Whether it was given a name.
   *
   * @return false if {@link #name} is made of the id
   */
  boolean isNamed();

  /**
   * A number that no other task in this process has.
   *
   * @return the id
   */
  long id();

  /**
   * The name of the loop or scope that owns the task.
   *
   * @return the name; {@code loop} or {@code TaskScope} if it was given none
   */
  String ownerName();

  /**
   * Where the task is now: asyncio's {@code get_stack}.
   *
   * @return the frames of its thread, the innermost first; empty before its thread starts and after
   *     it has ended
   */
  List<StackTraceElement> stackTrace();

  /**
   * A view of this task whose cancellation does not reach it: {@code asyncio.shield}. The view ends
   * with the task, or at once, as cancelled, when the view is cancelled; the task then goes on and
   * still has to be awaited by somebody. It has the name and id of the task, and reads and
   * retrieves the same outcome.
   *
   * <p>It keeps off those who take over what they are given, such as {@link Timeout#waitFor}. What
   * owns the task still cancels it. Callbacks of a view that is cancelled run in the thread that
   * cancels it. A view of a view is one of the same task: it does not end with the other.
   *
   * @return the view; this task if it is done
   */
  Task<T, X> shield();

  /**
   * A copy as a {@link CompletableFuture}: completing or cancelling it changes nothing here. A
   * failure counts as retrieved from the moment that something is attached to the copy, or a read
   * gives it: {@code resultNow} does not. {@code CompletableFuture.allOf} is seen if it is called
   * before the task is done.
   *
   * @return a new future
   */
  CompletableFuture<T> toCompletableFuture();

  /**
   * Starts a task in the {@linkplain Loop#current() current loop}: {@code asyncio.create_task}.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param body what it does
   * @return its handle
   * @throws IllegalStateException if the loop is closed
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   */
  static <T extends @Nullable Object, X extends Exception> Task<T, X> create(
      Body<? extends T, ? extends X> body) {
    return Loop.current().createTask(body);
  }

  /**
   * Starts a task without a value in the {@linkplain Loop#current() current loop}.
   *
   * @param <X> the checked exception of the action
   * @param action what it does
   * @return its handle
   * @throws IllegalStateException if the loop is closed
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   */
  static <X extends Exception> Task<@Nullable Void, X> create(Action<? extends X> action) {
    return Loop.current().createTask(action);
  }

  /**
   * Starts a named task in the {@linkplain Loop#current() current loop}.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param name the name of the task and its thread
   * @param body what it does
   * @return its handle
   * @throws IllegalStateException if the loop is closed
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   */
  static <T extends @Nullable Object, X extends Exception> Task<T, X> create(
      String name, Body<? extends T, ? extends X> body) {
    return Loop.current().createTask(name, body);
  }

  /**
   * Starts a named task without a value in the {@linkplain Loop#current() current loop}.
   *
   * @param <X> the checked exception of the action
   * @param name the name of the task and its thread
   * @param action what it does
   * @return its handle
   * @throws IllegalStateException if the loop is closed
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   */
  static <X extends Exception> Task<@Nullable Void, X> create(
      String name, Action<? extends X> action) {
    return Loop.current().createTask(name, action);
  }

  /**
   * The task that is running this code: {@code asyncio.current_task}.
   *
   * <p>It is found through the uncaught-exception handler of the thread. Code that replaces that
   * handler is found by a search; code that sets it to null hides its task.
   *
   * @return the task; empty outside of tasks
   */
  static Optional<Task<?, ?>> current() {
    return Optional.ofNullable(TaskImpl.current());
  }

  /**
   * A checkpoint for code that never blocks.
   *
   * @throws InterruptedException if the thread is interrupted; the flag is cleared, as usual
   */
  static void checkCancelled() throws InterruptedException {
    if (Thread.interrupted()) {
      throw Failures.interrupted();
    }
  }

  /**
   * Waits by the clock of the current task's loop: {@code asyncio.sleep}. Like {@link
   * Thread#sleep(Duration)} unless the loop was given a {@linkplain Loop.Builder#clock clock} of
   * its own.
   *
   * @param delay how long; if zero or less, other threads may run and a cancellation is seen
   * @throws InterruptedException if the thread is interrupted before or meanwhile
   */
  static void sleep(Duration delay) throws InterruptedException {
    requireNonNull(delay, "delay");
    LoopClock clock = Loop.current().clock();
    if (!delay.isPositive() || clock.equals(LoopClock.system())) {
      Thread.sleep(delay.isNegative() ? Duration.ZERO : delay);
      return;
    }
    checkCancelled();
    var over = new CountDownLatch(1);
    LoopClock.Alarm alarm = clock.schedule(over::countDown, delay);
    try {
      over.await();
    } finally {
      alarm.cancel();
    }
  }

  /**
   * Runs clean-up in the caller's thread that no cancellation interrupts. One that is pending, or
   * arrives meanwhile, is seen after it, at the next blocking call. Scopes that the body opens are
   * shielded with it.
   *
   * <p><b>Pitfall:</b> a {@link Thread#interrupt} that does not come through the library reaches
   * the body all the same; if the body throws it, it comes out as the {@code InterruptedException}
   * that it is, undeclared.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param body what to shield
   * @return its value
   * @throws X what the body throws
   */
  static <T extends @Nullable Object, X extends Exception> T shielded(
      Body<? extends T, ? extends X> body) throws X {
    requireNonNull(body, "body");
    return Strand.current().shielded(body);
  }

  /**
   * Runs clean-up without a value that no cancellation interrupts.
   *
   * @param <X> the checked exception of the action
   * @param action what to shield
   * @throws X what the action throws
   * @see #shielded(Body)
   */
  static <X extends Exception> void shielded(Action<? extends X> action) throws X {
    Task.<@Nullable Void, X>shielded(Failures.body(action));
  }
}
