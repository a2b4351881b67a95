package dev.selvedge.stress.soak;

import dev.selvedge.TaskScope.Policy;
import dev.selvedge.gather.Supervisor.Strategy;
import java.util.List;

/** What a body of the soak does: a tree of pure data, made from the seed by {@link Planner}. */
sealed interface Plan {
  /** What is thrown. */
  enum Kind {
    CHECKED,
    UNCHECKED,
    ERROR,
    /** With a stack trace. */
    TRACED,
    /** Refuses suppression. */
    BARE,
    /** One object a round. */
    SHARED,
    /** One object a round, which refuses suppression. */
    SHARED_BARE,
    /** The JVM's own {@code StackOverflowError}. */
    OVERFLOW
  }

  /** What a body does with an interrupt. */
  enum Reaction {
    PASS,
    FAIL,
    SWALLOW
  }

  /** What becomes of what a call threw. */
  enum Then {
    PASS,
    TAKE,
    /** Of an {@code ExceptionGroup}: its {@code throwIf}. */
    SPLIT
  }

  // ---- bodies without tasks of their own

  record Give() implements Plan {}

  record Fail(Kind kind) implements Plan {}

  record Pause(int micros, Reaction reaction, Plan then) implements Plan {}

  /** Ends only if it is cancelled. */
  record UntilCancelled(Reaction reaction) implements Plan {}

  /** Goes on for so long whatever interrupts it. */
  record Deaf(int micros, Plan then) implements Plan {}

  /** Fails in its {@code finally}, however its body ends. */
  record Cleanup(Plan body, Kind kind) implements Plan {}

  /** What a body does to a task that others have left on the board. */
  enum Deed {
    AWAIT,
    AWAIT_FOR_A_TIME,
    AWAIT_SHIELDED,
    READ,
    PEEK,
    CANCEL,
    IGNORE,
    CALL_BACK,
    COPY
  }

  record Meddle(Deed deed, int pick) implements Plan {}

  // ---- owners

  /** How the owner of a scope goes on when it has forked. */
  enum Ending {
    JOIN,
    /** Joins, takes what that threw, and joins again. */
    JOIN_TWICE,
    AWAIT_EACH,
    /** Joins and reads the outcomes. */
    READ_EACH,
    CLOSE,
    /** Cancels it, and forks once more. */
    CANCEL,
    /** Leaves it open. */
    FORGET
  }

  /**
   * A scope.
   *
   * @param limit how many children may be alive; 0 without a limit
   * @param strangers how many bodies the first child forks into it meanwhile
   */
  record Scope(
      Policy policy, int limit, int strangers, Ending ending, List<Plan> children, Then then)
      implements Plan {}

  record Group(List<Plan> tasks, Plan body, boolean cancels, Then then) implements Plan {}

  enum Verb {
    GATHER,
    GATHER_TASKS,
    SETTLE,
    MAP,
    ANY,
    WINNER,
    RACE,
    QUORUM,
    HEDGE,
    STREAM,
    AS_COMPLETED
  }

  /** A verb of {@code Gather}; {@code number} is its limit, quorum or pick. */
  record Together(Verb verb, int number, List<Plan> bodies, Then then) implements Plan {}

  /** {@code Supervisor}, for so long: each child fails so often before it returns. */
  record Supervise(Strategy strategy, int most, int failures, int micros, List<Plan> children)
      implements Plan {}

  record Inner(Plan body, Then then) implements Plan {}

  // ---- in the same thread

  /** {@code Timeout.within}; what follows runs unless the limit let something else out. */
  record Limit(int micros, Plan body, Then then, Plan after) implements Plan {}

  /** A {@code CancelScope} that another task cancels, sooner or later. */
  record Cut(int micros, Plan body, Plan after) implements Plan {}

  record Shield(Plan body) implements Plan {}

  // ---- tasks of the loop

  enum Handling {
    /** Others may do to it what they like. */
    BOARD,
    /** The same, and it ends only if it is cancelled. */
    SERVICE,
    DROP,
    LAUNCH,
    AWAIT,
    WAIT_FOR
  }

  record Spawn(Handling handling, int micros, Plan body, Then then) implements Plan {}
}
