package dev.selvedge;

import java.io.Serial;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Somebody <em>else</em> was cancelled: thrown by awaiting a cancelled task, or by a {@link
 * CancelScope} whose own cancellation ended its body. One's own cancellation arrives as {@link
 * InterruptedException}.
 *
 * <p>The exception that ended the task is the {@linkplain #getCause() cause}; it is null when the
 * task was cancelled before it started.
 *
 * @since 0.1.0
 */
public final class TaskCancelledException extends CancellationException {
  @Serial private static final long serialVersionUID = 1L;

  /** Who asked and why. */
  private final transient CancelReason reason;

  TaskCancelledException(CancelReason reason, @Nullable Throwable cause) {
    super(reason.toString());
    this.reason = reason;
    initCause(cause);
  }

  /**
   * Who asked for the cancellation, and why.
   *
   * @return the reason
   */
  public CancelReason reason() {
    return reason;
  }

  /**
   * The failures that came with the cancellation: of clean-up in what the task owned. They are
   * suppressed in the exception that ended the task.
   *
   * @return the failures, in that order; usually empty
   */
  public List<Throwable> failures() {
    return List.copyOf(Failures.suppressedFailures(getCause()));
  }

  /**
   * The cause has the trace of the task; a second one, of the library's own frames, says nothing.
   */
  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
