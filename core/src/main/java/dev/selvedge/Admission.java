package dev.selvedge;

/**
 * How many tasks of a loop or a scope may be alive at once, and what becomes of one too many.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="admission"}
 *
 * <p>It counts the tasks that the loop or the scope owns, from the fork to the end of their
 * threads, and not what scopes below them fork. The main of a run is not counted. Who awaits a task
 * may go on a moment before its place is free.
 *
 * <p><b>Nested forks</b>: code that runs below a task of the limited owner would wait for the place
 * that this task holds. What it forks there is admitted at once, beyond the limit; only {@link
 * #reject} refuses it. So a task that accepts work for its own loop is not limited by that: let
 * main do it, or another loop.
 *
 * <p><b>Cancellation:</b> a fork that waits for a place ends when its thread is interrupted, which
 * a {@link Timeout} around it does too, or the owner is cancelled. It returns a cancelled task
 * whose body never runs, and leaves the interrupt flag set. A queued task that is cancelled ends at
 * once.
 *
 * <p>{@link LoopListener#queued}, {@link LoopListener#admitted} and {@link LoopListener#rejected}
 * tell what happens; the task tree shows how many are active and queued.
 *
 * @since 0.1.0
 */
public final class Admission {
  enum Policy {
    BLOCK,
    REJECT,
    QUEUE
  }

  final Policy policy;
  final int limit;
  final int capacity;

  private Admission(Policy policy, int limit, int capacity) {
    this.policy = policy;
    this.limit = positive(limit, "limit");
    this.capacity = positive(capacity, "capacity");
  }

  private static int positive(int number, String argument) {
    if (number < 1) {
      throw new IllegalArgumentException(argument + " must be at least 1: " + number);
    }
    return number;
  }

  /**
   * One too many makes the fork wait, first come, first served.
   *
   * @param limit how many tasks may be alive; at least 1
   * @return for {@link Loop.Builder#admission} or {@link TaskScope#open(TaskScope.Policy, String,
   *     Admission)}
   * @throws IllegalArgumentException if it is less than 1
   */
  public static Admission block(int limit) {
    return new Admission(Policy.BLOCK, limit, Integer.MAX_VALUE);
  }

  /**
   * One too many is refused with a {@link java.util.concurrent.RejectedExecutionException}.
   *
   * @param limit how many tasks may be alive; at least 1
   * @return for {@link Loop.Builder#admission} or {@link TaskScope#open(TaskScope.Policy, String,
   *     Admission)}
   * @throws IllegalArgumentException if it is less than 1
   */
  public static Admission reject(int limit) {
    return new Admission(Policy.REJECT, limit, Integer.MAX_VALUE);
  }

  /**
   * One too many is a task whose thread starts when there is a place for it. Those that wait are
   * the owner's tasks already; when there are too many of them a fork is refused with a {@link
   * java.util.concurrent.RejectedExecutionException}.
   *
   * @param limit how many tasks may be alive besides those that wait; at least 1
   * @param capacity how many may wait; at least 1
   * @return for {@link Loop.Builder#admission} or {@link TaskScope#open(TaskScope.Policy, String,
   *     Admission)}
   * @throws IllegalArgumentException if one of them is less than 1
   */
  public static Admission queue(int limit, int capacity) {
    return new Admission(Policy.QUEUE, limit, capacity);
  }

  @Override
  public String toString() {
    return "Admission["
        + policy
        + ", limit "
        + limit
        + (policy == Policy.QUEUE ? ", capacity " + capacity : "")
        + "]";
  }
}
