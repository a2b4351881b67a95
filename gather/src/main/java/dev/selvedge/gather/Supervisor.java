package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.CancelReason;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps background work running: what Erlang calls a supervisor. Children that end are started
 * again, alone or with their siblings, after a wait that grows, and not more often than permitted.
 *
 * {@snippet file="dev/selvedge/gather/SamplesTest.java" region="supervisor"}
 *
 * <p>It is an {@link Action} like any other: it runs where it is called, as a task of a loop or as
 * the child of another supervisor, until it is {@linkplain #stop stopped}, cancelled, or gives up.
 *
 * <p><b>Failure:</b> each failure of a child goes to the loop's exception handler, with the details
 * {@code supervisor}, {@code child}, {@code restarts} (how often it was started again before) and
 * {@code then} ({@code restarted} or {@code final}). The supervisor waits until the handler has
 * returned. When more restarts are needed within the window than permitted, it stops its children
 * and throws {@link RestartLimitException} with the history.
 *
 * <p><b>Cancellation:</b> when the supervisor is cancelled it stops its children one after another,
 * the last that was started first. Each has a {@linkplain Child#stopLimit limit} after which the
 * next is asked to stop too. Then {@link #run} throws {@link InterruptedException}.
 *
 * <p><b>Threads:</b> any thread may add, remove, stop and look. One thread at a time runs it, and
 * one more of its own starts and stops the children.
 *
 * <p><b>Pitfall:</b> a child that ignores its cancellation cannot be killed, as Erlang would: it is
 * waited for, and named to the handler.
 *
 * @since 0.1.0
 */
public final class Supervisor implements Action<RestartLimitException> {
  /** Who is started again when a child has to be. */
  public enum Strategy {
    /** That child. */
    ONE_FOR_ONE,
    /** All children: the others are stopped first. */
    ONE_FOR_ALL,
    /** That child and those added after it, which are stopped first. */
    REST_FOR_ONE
  }

  /** Settings of a supervisor. Each returns the builder. */
  public static final class Builder {
    private String name = "supervisor";
    private Strategy strategy = Strategy.ONE_FOR_ONE;
    private int maxRestarts = 3;
    private Duration window = Duration.ofSeconds(5);
    private Backoff backoff = Backoff.none();

    private Builder() {}

    /**
     * The name, for messages and the task tree.
     *
     * @param name any text; {@code supervisor} if not set
     * @return this
     */
    public Builder name(String name) {
      this.name = requireNonNull(name, "name");
      return this;
    }

    /**
     * Who is started again when a child has to be.
     *
     * @param strategy the strategy; {@link Strategy#ONE_FOR_ONE} if not set
     * @return this
     */
    public Builder strategy(Strategy strategy) {
      this.strategy = requireNonNull(strategy, "strategy");
      return this;
    }

    /**
     * How many restarts are permitted: Erlang's intensity and period. One restart of several
     * children counts once. The supervisor gives up when one more is needed within the window.
     *
     * @param most zero or more; 3 if not set
     * @param window more than zero; 5 seconds if not set
     * @return this
     * @throws IllegalArgumentException if {@code most} is negative or {@code window} not positive
     */
    public Builder maxRestarts(int most, Duration window) {
      if (most < 0) {
        throw new IllegalArgumentException("most is negative: " + most);
      }
      if (!requireNonNull(window, "window").isPositive()) {
        throw new IllegalArgumentException("window must be more than zero: " + window);
      }
      this.maxRestarts = most;
      this.window = window;
      return this;
    }

    /**
     * Never gives up. Use it with a {@linkplain #backoff backoff}: a child that fails at once would
     * be started again and again without a pause.
     *
     * @return this
     */
    public Builder unlimitedRestarts() {
      this.maxRestarts = Integer.MAX_VALUE;
      return this;
    }

    /**
     * How long to wait before a restart.
     *
     * @param backoff the waits; {@link Backoff#none} if not set
     * @return this
     */
    public Builder backoff(Backoff backoff) {
      this.backoff = requireNonNull(backoff, "backoff");
      return this;
    }

    /**
     * The supervisor.
     *
     * @return a new supervisor without children
     */
    public Supervisor build() {
      return new Supervisor(this);
    }
  }

  final String name;
  final Strategy strategy;
  final int maxRestarts;
  final Duration window;
  final Backoff backoff;

  // Guarded by this.
  private final Map<String, Worker> workers = new LinkedHashMap<>();
  private @Nullable Supervision running;

  private Supervisor(Builder builder) {
    name = builder.name;
    strategy = builder.strategy;
    maxRestarts = builder.maxRestarts;
    window = builder.window;
    backoff = builder.backoff;
  }

  /**
   * A supervisor with the defaults of {@link #builder}: one for one, at most 3 restarts within 5
   * seconds, no backoff.
   *
   * @return a new supervisor without children
   */
  public static Supervisor create() {
    return builder().build();
  }

  /**
   * For a supervisor that is not like the others.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Adds a permanent child.
   *
   * @param name names its task and thread; no other child has it
   * @param action what it does each time that it is started
   * @return this
   * @throws IllegalArgumentException if there is a child of that name
   * @see #add(Child)
   */
  public Supervisor add(String name, Action<?> action) {
    return add(Child.of(name, action));
  }

  /**
   * Adds a child: Erlang's {@code start_child}. If the supervisor runs the child is started soon
   * after; while siblings wait for a restart that concerns it, together with them. Children are
   * there for every run.
   *
   * @param child the child
   * @return this
   * @throws IllegalArgumentException if there is a child of that name
   */
  public synchronized Supervisor add(Child child) {
    requireNonNull(child, "child");
    if (child.action == this) {
      throw new IllegalArgumentException(this + " cannot be its own child");
    }
    var worker = new Worker(child);
    if (workers.putIfAbsent(child.name, worker) != null) {
      throw new IllegalArgumentException(
          this + " has a child " + child.name + " already: remove it, or choose another name");
    }
    if (running != null) {
      running.added(worker);
    }
    return this;
  }

  /**
   * Removes a child, which is stopped if it runs: Erlang's {@code terminate_child}. Does not wait
   * for its end.
   *
   * @param name the name of the child
   * @return false if there is none
   */
  public synchronized boolean remove(String name) {
    Worker worker = workers.get(requireNonNull(name, "name"));
    if (worker == null) {
      return false;
    }
    if (running != null) {
      running.removed(worker);
    } else {
      workers.remove(name);
    }
    return true;
  }

  /** Stops the children and ends the run, which then returns. Has no effect if none is active. */
  public synchronized void stop() {
    if (running != null) {
      running.stopped(new CancelReason(CancelReason.Source.REQUEST, name + " was stopped", null));
    }
  }

  /**
   * The children: Erlang's {@code which_children}.
   *
   * @return what each is doing, in the order in which they were added; a new list
   */
  public synchronized List<Child.Status> children() {
    return workers.values().stream().map(Worker::status).toList();
  }

  /**
   * Starts the children in the order in which they were added, and supervises them in the caller's
   * thread. Goes on when there is none left. May be called again when it has ended: it begins anew.
   *
   * @throws RestartLimitException if it gives up; also when meanwhile it is stopped
   * @throws InterruptedException if the caller is cancelled; a failure of the supervisor itself is
   *     suppressed in it
   * @throws IllegalStateException if it runs already
   */
  @Override
  public void run() throws RestartLimitException, InterruptedException {
    Supervision supervision = begin();
    try (var scope = TaskScope.<RestartLimitException>open(Policy.SUPERVISE, name)) {
      // Its shield keeps a cancellation off the children, so that they can be stopped in order.
      Task<@Nullable Void, RestartLimitException> keeper =
          scope.fork(name, () -> Task.<RestartLimitException>shielded(supervision::run));
      try {
        keeper.awaitDone();
      } catch (InterruptedException cancelled) {
        CancelReason why = Members.reason();
        supervision.stopped(new CancelReason(CancelReason.Source.PARENT, why.message(), why.by()));
        List<Task<?, ?>> keepers = List.of(keeper);
        Members.awaitUninterruptibly(keepers);
        throw Suppression.suppress(cancelled, Members.failures(keepers));
      }
      keeper.result();
    } finally {
      end();
    }
  }

  private synchronized Supervision begin() {
    if (running != null) {
      throw new IllegalStateException(this + " runs already");
    }
    workers.values().forEach(Worker::reset);
    running = new Supervision(this, workers.values());
    return running;
  }

  private synchronized void end() {
    running = null;
    workers.values().removeIf(worker -> worker.removed);
  }

  synchronized void forget(Worker worker) {
    workers.remove(worker.name(), worker);
  }

  /** Those who are there, in the order in which they were added. */
  synchronized List<Worker> workers() {
    return new ArrayList<>(workers.values());
  }

  @Override
  public synchronized String toString() {
    return "Supervisor[" + name + ", " + strategy + ", children: " + workers.size() + "]";
  }
}
