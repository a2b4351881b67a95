package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A limit in time for a body, which runs in the caller's thread: {@code asyncio.timeout}; or for a
 * task: {@code asyncio.wait_for}.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="timeout"}
 *
 * <p><b>Failure:</b> when the limit is reached the body is cancelled. If it ends by that, {@link
 * TimeoutException} is thrown, whose cause is the exception that ended the body; failures of
 * children are suppressed in it. A value that the body returns all the same is returned. A
 * different exception that it throws comes out as it is, with a {@code TimeoutException} suppressed
 * in it. {@link #expired} tells a limit that was reached from a {@code TimeoutException} of the
 * body's own.
 *
 * <p><b>Cancellation:</b> a cancellation of the caller from outside wins over the limit, and comes
 * out as {@link InterruptedException}. When several limits around one another are reached together
 * the outermost one throws. No interrupt of its own is left behind.
 *
 * <p><b>Threads:</b> limits are watched by a timer thread of the library's own, which other work
 * does not delay.
 *
 * <p><b>Pitfall:</b> cancelling is an interrupt, so a limit ends nothing that ignores interrupts;
 * it is waited for. And one interrupt flag cannot say who set it: a {@link Thread#interrupt} by
 * other code at the moment at which the limit is reached may be taken for the limit's own.
 *
 * @since 0.1.0
 */
public final class Timeout {
  private final Duration limit;
  private final @Nullable TaskImpl<?, ?> task = TaskImpl.current();
  private final LoopClock clock = task == null ? Strand.foreignClock() : task.loop().clock();
  private final CancelScope scope = new CancelScope(this);

  /** Written under the monitor of the scope. */
  private volatile Instant when;

  // Guarded by the scope.
  private LoopClock.@Nullable Alarm timer;
  private int armed;
  private boolean moved;

  private Timeout(Duration limit) {
    this.limit = requireNonNull(limit, "limit");
    this.when = after(limit);
  }

  private Instant after(Duration limit) {
    try {
      return clock.instant().plus(limit);
    } catch (DateTimeException | ArithmeticException beyond) {
      return limit.isNegative() ? Instant.MIN : Instant.MAX;
    }
  }

  // ---- limiting what runs in the caller's thread

  /**
   * Runs a body with a limit.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param limit how long it may take; if zero or less the body starts interrupted, so that its
   *     first blocking call throws
   * @param body what to run
   * @return its value, also if it was reached after the limit
   * @throws X what the body throws
   * @throws TimeoutException if the limit ended the body
   * @throws InterruptedException if the caller was cancelled
   */
  public static <T extends @Nullable Object, X extends Exception> T within(
      Duration limit, Body<? extends T, ? extends X> body)
      throws X, InterruptedException, TimeoutException {
    requireNonNull(body, "body");
    return new Timeout(limit).<T, X>call(body);
  }

  /**
   * Runs an action with a limit.
   *
   * @param <X> the checked exception of the action
   * @param limit how long it may take
   * @param action what to run
   * @throws X what the action throws
   * @throws TimeoutException if the limit ended the action
   * @throws InterruptedException if the caller was cancelled
   * @see #within(Duration, Body)
   */
  public static <X extends Exception> void within(Duration limit, Action<? extends X> action)
      throws X, InterruptedException, TimeoutException {
    Body<@Nullable Void, X> body = Failures.body(action);
    new Timeout(limit).<@Nullable Void, X>call(body);
  }

  /**
   * Runs a body with a limit that the body can move.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param limit how long it may take, to begin with
   * @param body what to run; is handed the timeout
   * @return its value
   * @throws X what the body throws
   * @throws TimeoutException if the limit ended the body
   * @throws InterruptedException if the caller was cancelled
   * @see #within(Duration, Body)
   */
  public static <T extends @Nullable Object, X extends Exception> T within(
      Duration limit, TimeoutBody<? extends T, ? extends X> body)
      throws X, InterruptedException, TimeoutException {
    requireNonNull(body, "body");
    var timeout = new Timeout(limit);
    return timeout.<T, X>call(() -> body.call(timeout));
  }

  private <T extends @Nullable Object, X extends Exception> T call(
      Body<? extends T, ? extends X> body) throws X, InterruptedException, TimeoutException {
    arm(limit);
    try {
      return scope.<T, X>call(body);
    } finally {
      disarm();
    }
  }

  private void arm(Duration left) {
    if (!left.isPositive()) {
      expire(armed);
      return;
    }
    synchronized (scope) {
      int arming = ++armed;
      timer = clock.schedule(() -> expire(arming), left);
    }
  }

  private void disarm() {
    Points.reach("disarm");
    synchronized (scope) {
      armed++;
      if (timer != null) {
        timer.cancel();
      }
    }
  }

  /** Cancels the body, unless the limit was moved meanwhile. */
  private void expire(int arming) {
    var reason = new CancelReason(CancelReason.Source.TIMEOUT, message(), task);
    var below = new ArrayDeque<Owner>();
    Points.reach("expire");
    synchronized (scope) {
      if (arming != armed || !scope.request(reason, below)) {
        return;
      }
    }
    Owner.cancelAll(below, reason);
  }

  private String message() {
    return moved ? "not done by " + when : "not done within " + limit;
  }

  /** What is thrown when the limit has ended the body. */
  TimeoutException exception(@Nullable Throwable ending) {
    var exception = new TimeoutException(message());
    exception.initCause(ending);
    return exception;
  }

  /** Leaves the limit in a different exception of a body that was cancelled by it, once. */
  void explain(Throwable failure) {
    synchronized (failure) {
      for (Throwable suppressed : failure.getSuppressed()) {
        if (suppressed instanceof TimeoutException) {
          return;
        }
      }
      Failures.suppress(failure, exception(null));
    }
  }

  // ---- for the body

  /**
   * Whether the limit was reached before the body ended: {@code asyncio.Timeout.expired}.
   *
   * @return true from the moment at which the body is cancelled
   */
  public boolean expired() {
    return scope.cancelReason().isPresent();
  }

  /**
   * When this limit is, or was, reached: {@code asyncio.Timeout.when}.
   *
   * @return the deadline; {@link Instant#MAX} if it is further away than that
   */
  public Instant when() {
    return when;
  }

  /**
   * Moves the deadline: {@code asyncio.Timeout.reschedule}. Any thread may do so while the body
   * runs.
   *
   * @param deadline the new one; one that is past cancels the body at once
   * @throws IllegalStateException if the limit was reached before, or the body has ended
   */
  public void reschedule(Instant deadline) {
    requireNonNull(deadline, "deadline");
    int arming;
    synchronized (scope) {
      if (scope.hasEnded()) {
        throw new IllegalStateException(this + " cannot be moved: its body has ended");
      }
      if (expired()) {
        throw new IllegalStateException(this + " cannot be moved: it has expired");
      }
      disarm();
      when = deadline;
      moved = true;
      arming = armed;
      Duration left = Duration.between(clock.instant(), deadline);
      if (left.isPositive()) {
        arm(left);
        return;
      }
    }
    expire(arming);
  }

  /**
   * The nearest of the deadlines around the caller: those of the limits in whose bodies it runs,
   * and, because cancelling goes down along ownership, those around the scopes that own it. The
   * tasks of a loop inherit none, and {@link Task#shielded} keeps them off.
   *
   * @return the deadline; empty if there is none
   */
  public static Optional<Instant> deadline() {
    return Optional.ofNullable(Strand.deadline());
  }

  // ---- limiting a task

  /**
   * Waits for a task, and takes it over: when the limit is reached, or the caller is cancelled, the
   * task is cancelled and waited for. ({@link Task#await(Duration)} only stops waiting.)
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the task
   * @param task the task
   * @param limit how long to wait; if zero or less, a task that is not done is cancelled at once
   * @return its value, also if it was reached after the limit
   * @throws X the failure of the task
   * @throws TimeoutException if the limit was reached and the task then ended as cancelled, which
   *     is the cause
   * @throws TaskCancelledException if the task was cancelled by somebody else within the limit
   * @throws InterruptedException if the caller was cancelled; a failure of the task is suppressed
   *     in it
   * @throws IllegalStateException if the task is the caller
   */
  public static <T extends @Nullable Object, X extends Exception> T waitFor(
      Task<? extends T, ? extends X> task, Duration limit)
      throws X, InterruptedException, TimeoutException {
    requireNonNull(limit, "limit");
    var awaited = (Handle<? extends T, ? extends X>) requireNonNull(task, "task");
    TaskImpl<?, ?> caller = TaskImpl.current();
    if (awaited.equals(caller)) {
      throw new IllegalStateException(task.name() + " waits for itself: it would wait for ever");
    }
    String message = task.name() + " was not done within " + limit;
    try {
      if (awaited.awaitDone(limit)) {
        Task.checkCancelled();
        return awaited.result();
      }
    } catch (InterruptedException outside) {
      CancelReason why = Strand.cancellation();
      String said = why == null ? "the thread that waits for it was interrupted" : why.message();
      if (!awaited.isCancelledWithOwner()) {
        // Else it was asked together with the caller, and a second interrupt would hit its
        // clean-up.
        awaited.cancel(new CancelReason(CancelReason.Source.PARENT, said, caller));
      }
      try {
        if (awaited.awaitPassingInterrupts(() -> {})) {
          Thread.currentThread().interrupt();
        }
      } catch (IllegalStateException circle) {
        Thread.currentThread().interrupt();
        throw circle;
      }
      throw account(outside, awaited);
    }
    awaited.cancel(new CancelReason(CancelReason.Source.TIMEOUT, message, caller));
    if (awaited.awaitPassingInterrupts(() -> {})) {
      throw account(Failures.interrupted(), awaited);
    }
    if (!awaited.isCancelled()) {
      return awaited.result();
    }
    var timeout = new TimeoutException(message);
    timeout.initCause(awaited.ending());
    throw account(timeout, awaited);
  }

  /** Takes the failures of a task along. */
  private static <E extends Throwable> E account(E primary, Handle<?, ?> task) {
    task.retrieveSuppressed();
    switch (task.outcome()) {
      case Outcome.Success<?> _ -> {}
      case Outcome.Failure<?> failed -> suppress(primary, failed.exception(), task);
      case Outcome.Cancelled<?> ended ->
          ended.exception().failures().forEach(failure -> suppress(primary, failure, task));
    }
    return primary;
  }

  /** Suppresses a failure of a task; what is not taken, and stands nowhere else, is reported. */
  private static void suppress(Throwable primary, Throwable failure, Handle<?, ?> task) {
    if (!Failures.suppress(primary, failure) && primary.getCause() == null) {
      Loop.current()
          .callExceptionHandler(
              new ExceptionContext("Task exception was never retrieved", failure, task, Map.of()));
    }
  }

  @Override
  public String toString() {
    String state = scope.hasEnded() ? "ended" : "until " + when;
    return "Timeout[" + limit + ", " + (expired() ? "expired" : state) + "]";
  }
}
