package dev.selvedge;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
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

  /** Who asked and why; written again by deserialization. */
  private transient CancelReason reason;

  /** The reason as text; null until somebody asks. */
  private @Nullable String message;

  TaskCancelledException(CancelReason reason, @Nullable Throwable cause) {
    this.reason = reason;
    initCause(cause);
  }

  /**
   * Says who asked and why.
   *
   * @return the reason as text
   */
  @Override
  public String getMessage() {
    // Made when somebody asks: many tasks that are cancelled together are never looked at.
    String text = message;
    if (text == null) {
      text = reason.toString();
      message = text;
    }
    return text;
  }

  /**
   * Writes the message, and the reason but for its task.
   *
   * @param out where to
   * @throws IOException if writing fails
   */
  @Serial
  private void writeObject(ObjectOutputStream out) throws IOException {
    message = getMessage();
    out.defaultWriteObject();
    out.writeObject(reason.source());
    out.writeObject(reason.message());
  }

  /**
   * Reads the message, and makes the reason anew, without its task.
   *
   * @param in where from
   * @throws IOException if reading fails
   * @throws ClassNotFoundException if the class of a cause is not there
   */
  @Serial
  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    reason =
        new CancelReason((CancelReason.Source) in.readObject(), (String) in.readObject(), null);
  }

  /**
   * Who asked for the cancellation, and why.
   *
   * @return the reason; without its task if this exception was serialized
   */
  public CancelReason reason() {
    return reason;
  }

  /**
   * The failures that came with the cancellation: of clean-up in what the task owned. They are
   * suppressed in the exception that ended the task, or in a cancellation that this one passed on.
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
