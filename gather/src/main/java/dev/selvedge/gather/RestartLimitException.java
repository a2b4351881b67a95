package dev.selvedge.gather;

import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Supervisor} gave up: its children had to be started again more often than it permits.
 * Its cause is the last failure. Every failure in it has been given to the loop's exception handler
 * too.
 *
 * @since 0.1.0
 */
public final class RestartLimitException extends Exception {
  private static final long serialVersionUID = 1;

  /** Oldest first. */
  @SuppressWarnings("serial") // of List.copyOf
  private final List<End> history;

  /**
   * An end of a child after which it had to be started again.
   *
   * @param child its name
   * @param when when it ended
   * @param restart the number of the restart that this end made necessary, from 1, counted for each
   *     child
   * @param failure what it threw; null if it returned or was cancelled
   */
  public record End(String child, Instant when, int restart, @Nullable Throwable failure)
      implements Serializable {
    @Override
    public String toString() {
      return child
          + " at "
          + when
          + ", restart "
          + restart
          + ": "
          + (failure == null ? "no failure" : ExceptionGroup.describe(failure));
    }
  }

  RestartLimitException(String supervisor, int most, Duration window, List<End> history) {
    super(
        supervisor
            + " gave up: more than "
            + most
            + (most == 1 ? " restart" : " restarts")
            + " within "
            + window
            + "; last "
            + history.getLast(),
        history.getLast().failure());
    this.history = List.copyOf(history);
  }

  /**
   * The ends that made restarts necessary, all those within the window and, of earlier ones, so
   * many that there are at most a hundred.
   *
   * @return the oldest first, unmodifiable
   */
  public List<End> history() {
    return history;
  }
}
