package dev.selvedge.testkit;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelReason;
import dev.selvedge.Task;
import dev.selvedge.internal.Seams;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.AbstractAssert;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ObjectAssert;
import org.jspecify.annotations.Nullable;

/**
 * Assertions about a task. Those about its end wait for the end, at most ten seconds of the
 * system's time, and retrieve its failure, as an await would. The others look at once.
 *
 * @param <T> the type of its value
 * @since 0.1.0
 */
public final class TaskAssert<T extends @Nullable Object>
    extends AbstractAssert<TaskAssert<T>, Task<T, ?>> {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long PAUSE_NANOS = 500_000;

  TaskAssert(@Nullable Task<T, ?> task) {
    super(task, TaskAssert.class);
  }

  // ---- now

  /**
   * It is not done at this moment.
   *
   * @return this
   */
  public TaskAssert<T> isRunning() {
    isNotNull();
    if (actual.isDone()) {
      throw failure("%nExpecting%n  %s%nto be running", actual);
    }
    return this;
  }

  /**
   * It is done at this moment.
   *
   * @return this
   */
  public TaskAssert<T> isDone() {
    isNotNull();
    if (!actual.isDone()) {
      throw failure("%nExpecting%n  %s%nto be done", actual);
    }
    return this;
  }

  /**
   * So many requests to cancel it are outstanding.
   *
   * @param requests how many
   * @return this
   */
  public TaskAssert<T> hasCancelRequests(int requests) {
    isNotNull();
    if (actual.cancelRequests() != requests) {
      throw failure(
          "%nExpecting%n  %s%nto have %s cancel requests, but it has %s",
          actual, requests, actual.cancelRequests());
    }
    return this;
  }

  /**
   * It is called so.
   *
   * @param name the name
   * @return this
   */
  public TaskAssert<T> hasName(String name) {
    isNotNull();
    if (!actual.name().equals(name)) {
      throw failure("%nExpecting%n  %s%nto have the name%n  %s", actual, name);
    }
    return this;
  }

  /**
   * Its thread is parked, asleep, or waits for a lock; waits until that is so, at most ten seconds.
   *
   * @return this
   */
  public TaskAssert<T> isBlocked() {
    isNotNull();
    if (!waits(this::hasBlockedThread)) {
      throw failure("%nExpecting%n  %s%nto be blocked, but it was not within %s", actual, PATIENCE);
    }
    return this;
  }

  private boolean hasBlockedThread() {
    Thread thread = Seams.get().thread(actual);
    return thread != null
        && switch (thread.getState()) {
          case WAITING, TIMED_WAITING, BLOCKED -> true;
          case NEW, RUNNABLE, TERMINATED -> false;
        };
  }

  private static boolean waits(BooleanSupplier condition) {
    boolean interrupted = false;
    long start = System.nanoTime();
    boolean seen = condition.getAsBoolean();
    while (!seen && System.nanoTime() - start < PATIENCE.toNanos()) {
      LockSupport.parkNanos(PAUSE_NANOS);
      interrupted |= Thread.interrupted();
      seen = condition.getAsBoolean();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return seen;
  }

  // ---- in the end

  /**
   * It is done within that time, by the system's clock.
   *
   * @param limit how long to wait
   * @return this
   */
  public TaskAssert<T> endsWithin(Duration limit) {
    isNotNull();
    requireNonNull(limit, "limit");
    var done = new CountDownLatch(1);
    actual.onDone(_ -> done.countDown());
    try {
      if (!done.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS)) {
        throw failure("%nExpecting%n  %s%nto end, but it did not within %s", actual, limit);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      AssertionError error =
          failure("%nExpecting%n  %s%nto end, but the waiting was interrupted", actual);
      error.initCause(e);
      throw error;
    }
    return this;
  }

  private OutcomeAssert<T> ended() {
    endsWithin(PATIENCE);
    return new OutcomeAssert<T>(actual.outcome(), actual.toString()).as(info.description());
  }

  /**
   * It has a value in the end.
   *
   * @return this
   */
  public TaskAssert<T> succeeded() {
    ended().succeeded();
    return this;
  }

  /**
   * It has that value in the end.
   *
   * @param value what its value is equal to
   * @return this
   */
  public TaskAssert<T> succeededWith(@Nullable Object value) {
    ended().succeededWith(value);
    return this;
  }

  /**
   * It has a value in the end, of which more is to be asserted.
   *
   * @return assertions about the value
   */
  public ObjectAssert<T> value() {
    return ended().value();
  }

  /**
   * It fails, and of the failure more is to be asserted.
   *
   * @return assertions about the failure
   */
  public AbstractThrowableAssert<?, Throwable> failed() {
    return ended().failed();
  }

  /**
   * It fails with an exception of that type.
   *
   * @param <E> the type
   * @param type the class of the exception, or one above it
   * @return assertions about the failure
   */
  public <E extends Throwable> AbstractThrowableAssert<?, E> failedWith(Class<E> type) {
    return ended().failedWith(type);
  }

  /**
   * It fails with that very exception.
   *
   * @param same the exception
   * @return this
   */
  public TaskAssert<T> failedWith(Throwable same) {
    ended().failedWith(same);
    return this;
  }

  /**
   * It is cancelled in the end. A task that was asked to and has returned a value is not.
   *
   * @return this
   */
  public TaskAssert<T> isCancelled() {
    ended().isCancelled();
    return this;
  }

  /**
   * It is cancelled in the end, and this is why.
   *
   * @param source what kind of cancellation it was
   * @return this
   */
  public TaskAssert<T> wasCancelledBecause(CancelReason.Source source) {
    ended().wasCancelledBecause(source);
    return this;
  }

  /**
   * It is cancelled in the end, and this is why.
   *
   * @param source what kind of cancellation it was
   * @param message the whole message of whoever cancelled it
   * @return this
   */
  public TaskAssert<T> wasCancelledBecause(CancelReason.Source source, String message) {
    ended().wasCancelledBecause(source, message);
    return this;
  }
}
