package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why a task was asked to cancel, and by whom: the data that an interrupt cannot carry.
 *
 * @param source what kind of request it was
 * @param message what the requester said; may be empty
 * @param by the task that asked, or whose end was the cause; null when no task was involved
 * @since 0.1.0
 */
public record CancelReason(Source source, String message, @Nullable Task<?, ?> by) {
  /** Checks the components. */
  public CancelReason {
    requireNonNull(source, "source");
    requireNonNull(message, "message");
  }

  /** What kind of request it was. */
  public enum Source {
    /** Somebody called {@code cancel}, or interrupted the thread. */
    REQUEST,
    /** A sibling failed. */
    SIBLING_FAILURE,
    /** The result is no longer needed. */
    NOT_NEEDED,
    /** What owns the task was cancelled or closed. */
    PARENT,
    /** A limit in time was reached. */
    TIMEOUT,
    /** The loop closes, or the process ends. */
    SHUTDOWN,
    /** Ctrl-C. */
    KEYBOARD_INTERRUPT
  }

  /**
   * Why the caller is being cancelled: what an {@link InterruptedException} cannot say to who
   * catches it.
   *
   * @return the reason of the innermost thing around the caller that was cancelled: a {@link
   *     Timeout}, a {@link CancelScope}, or its task; empty if none was, or within {@link
   *     Task#shielded}
   */
  public static Optional<CancelReason> current() {
    return Optional.ofNullable(Strand.cancellation());
  }

  static CancelReason request(String message) {
    return new CancelReason(Source.REQUEST, message, TaskImpl.current());
  }

  /** This, but for a task that must not be kept alive by its own failure. */
  CancelReason withoutTask(Task<?, ?> task) {
    return task.equals(by) ? new CancelReason(source, message, null) : this;
  }

  @Override
  public String toString() {
    return source
        + (message.isEmpty() ? "" : ": " + message)
        + (by == null ? "" : " (by " + by.name() + ")");
  }
}
