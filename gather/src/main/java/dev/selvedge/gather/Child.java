package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Supervisor} keeps running: Erlang's child specification.
 *
 * <p>Immutable; each option returns a new object.
 *
 * @since 0.1.0
 */
public final class Child {
  /** After which ends a child is started again. */
  public enum Restart {
    /** After every end, also a normal one. */
    PERMANENT,
    /** After a failure; not when it returned or was cancelled. */
    TRANSIENT,
    /** Never. When it has ended the supervisor forgets it. */
    TEMPORARY
  }

  /** What a child is doing. */
  public enum State {
    /** It was added and not started yet. */
    PENDING,
    /** Its task runs. */
    RUNNING,
    /** It has ended, or was stopped because another had, and will be started again. */
    WAITING,
    /** It was asked to end, or has ended and those that are started again with it are asked to. */
    STOPPING,
    /** It has ended for good. */
    ENDED
  }

  /**
   * A child at one moment.
   *
   * @param name the name
   * @param state what it is doing
   * @param restarts how often it was started again
   */
  public record Status(String name, State state, int restarts) {}

  private static final Duration USUAL_STOP_LIMIT = Duration.ofSeconds(5);

  final String name;
  final Action<?> action;
  final Restart restart;

  /** Null: as long as it takes. */
  final @Nullable Duration stopLimit;

  private Child(String name, Action<?> action, Restart restart, @Nullable Duration stopLimit) {
    this.name = name;
    this.action = action;
    this.restart = restart;
    this.stopLimit = stopLimit;
  }

  /**
   * A permanent child, which has 5 seconds to stop; a {@link Supervisor} as long as it takes.
   *
   * @param name names its task and thread; no other child of the supervisor has it
   * @param action what it does each time that it is started
   * @return the child
   */
  public static Child of(String name, Action<?> action) {
    requireNonNull(name, "name");
    requireNonNull(action, "action");
    return new Child(
        name, action, Restart.PERMANENT, action instanceof Supervisor ? null : USUAL_STOP_LIMIT);
  }

  /**
   * After which ends it is started again.
   *
   * @param restart the kind; {@link Restart#PERMANENT} if not set
   * @return a new child
   */
  public Child restart(Restart restart) {
    return new Child(name, action, requireNonNull(restart, "restart"), stopLimit);
  }

  /**
   * How long the supervisor waits for it to end before it stops the next one. A child that takes
   * longer is named to the loop's exception handler. It is not abandoned: nothing is started again,
   * and the supervisor does not end, before it has ended.
   *
   * @param limit zero or more
   * @return a new child
   * @throws IllegalArgumentException if it is negative
   */
  public Child stopLimit(Duration limit) {
    if (requireNonNull(limit, "limit").isNegative()) {
      throw new IllegalArgumentException("limit is negative: " + limit);
    }
    return new Child(name, action, restart, limit);
  }

  @Override
  public String toString() {
    return "Child[" + name + ", " + restart + "]";
  }
}
