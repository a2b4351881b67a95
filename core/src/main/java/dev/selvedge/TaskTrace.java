package dev.selvedge;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Frames that explain a failure and are none themselves: where a task was awaited, or, in debug
 * mode, where it was created. A failure has at most one of each among its suppressed exceptions,
 * and an exception that refuses suppression has none.
 *
 * @since 0.1.0
 */
public final class TaskTrace extends Throwable {
  private static final long serialVersionUID = 1;

  /** What the frames show. */
  public enum Kind {
    /** Where the failure was first thrown again. */
    AWAITED,
    /** Where the task was created. */
    CREATED
  }

  /** What the frames show. */
  private final Kind kind;

  private TaskTrace(Kind kind, String message) {
    super(message, null, false, true);
    this.kind = kind;
  }

  /** The caller's frames, in debug mode. */
  static @Nullable TaskTrace created(Loop loop) {
    return loop.isDebug() ? new TaskTrace(Kind.CREATED, "created here") : null;
  }

  /** Leaves the caller's frames in a failure that is about to be thrown again. */
  static void awaited(Throwable failure) {
    synchronized (failure) {
      if (!has(failure, Kind.AWAITED)) {
        TaskImpl<?, ?> task = TaskImpl.current();
        String by = task == null ? StackText.name(Thread.currentThread()) : task.name();
        failure.addSuppressed(new TaskTrace(Kind.AWAITED, "awaited here by " + by));
      }
    }
  }

  /** Leaves the frames of a creation in the failure of that task. */
  static void created(Throwable failure, @Nullable TaskTrace created) {
    if (created != null) {
      synchronized (failure) {
        if (!has(failure, Kind.CREATED)) {
          failure.addSuppressed(created);
        }
      }
    }
  }

  private static boolean has(Throwable failure, Kind kind) {
    for (Throwable suppressed : failure.getSuppressed()) {
      if (suppressed instanceof TaskTrace trace && trace.kind == kind) {
        return true;
      }
    }
    return false;
  }

  /** The frame in which a user's code called the library. */
  String where() {
    return StackText.caller(List.of(getStackTrace()));
  }

  /** The frames in one line. */
  String frames() {
    return StackText.of(getStackTrace());
  }

  /**
   * What the frames show.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }
}
