package dev.selvedge;

import static java.util.Comparator.comparingLong;
import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;
import static java.util.stream.Collectors.joining;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Forks tasks that end before it does: the JDK's {@code StructuredTaskScope}, which drops no
 * failure.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="scope"}
 *
 * <p><b>Failure:</b> under {@link Policy#CANCEL_ON_FAILURE} the first failure cancels the siblings,
 * and {@link #join} throws it with the others suppressed in it (at most 16, the rest goes to the
 * loop's exception handler). Under {@link Policy#SUPERVISE} siblings are left alone, and {@code
 * join} throws none. What nobody has retrieved when the scope closes goes to the handler.
 *
 * <p><b>Cancellation:</b> cancelling the task that owns the scope cancels its children. {@code
 * join} then waits for them and throws {@link InterruptedException} with their failures suppressed
 * in it.
 *
 * <p><b>Threads:</b> any thread may fork while the scope is open. {@code join} and {@code close}
 * belong to the thread that opened it.
 *
 * <p><b>Pitfall:</b> use it in a {@code try} block. A task that ends without closing its scope has
 * it closed, with a warning; one that a plain thread forgets stays open until the process exits.
 *
 * @param <X> the checked exception of the children; {@code var} infers {@link Exception}
 * @since 0.1.0
 */
public final class TaskScope<X extends Exception> extends Owner implements AutoCloseable {
  /** What the failure of one child means for the others. */
  public enum Policy {
    /** It cancels them, and {@link TaskScope#join} throws it. */
    CANCEL_ON_FAILURE,
    /** Nothing: each failure belongs to whoever awaits that child. */
    SUPERVISE
  }

  private static final String UNNAMED = "TaskScope";

  /** How many of the children that a join waited for its exception names. */
  private static final int MOST_NAMED = 3;

  private final Policy policy;
  private final String name;
  private final Loop loop;
  private final @Nullable TaskImpl<?, ?> ownerTask;
  private final Thread ownerThread = Thread.currentThread();
  private final Strand strand;

  private volatile @Nullable Supplier<? extends Map<String, String>> details;

  /** What {@link #join} throws, from the first call that threw on; the owner's. */
  private @Nullable Throwable thrown;

  /** The children that its cancellation found; written under the monitor, by whoever cancels. */
  private List<TaskImpl<?, ?>> unfinished = List.of();

  private TaskScope(
      Policy policy,
      String name,
      @Nullable Admission admission,
      Loop loop,
      @Nullable TaskImpl<?, ?> ownerTask,
      Strand strand) {
    super(loop.hasOwnThreads(), admission);
    this.policy = policy;
    this.name = name;
    this.loop = loop;
    this.ownerTask = ownerTask;
    this.strand = strand;
  }

  /**
   * Opens a scope in which the first failure cancels the siblings.
   *
   * @param <X> the checked exception of the children
   * @return the scope, owned by the calling thread
   */
  public static <X extends Exception> TaskScope<X> open() {
    return open(Policy.CANCEL_ON_FAILURE);
  }

  /**
   * Opens a scope.
   *
   * @param <X> the checked exception of the children
   * @param policy what the failure of one child means for the others
   * @return the scope, owned by the calling thread
   */
  public static <X extends Exception> TaskScope<X> open(Policy policy) {
    return open(policy, UNNAMED);
  }

  /**
   * Opens a named scope.
   *
   * @param <X> the checked exception of the children
   * @param policy what the failure of one child means for the others
   * @param name what the task tree calls it
   * @return the scope, owned by the calling thread
   */
  public static <X extends Exception> TaskScope<X> open(Policy policy, String name) {
    return openLimited(policy, name, null);
  }

  /**
   * Opens a named scope with a limit on its children.
   *
   * @param <X> the checked exception of the children
   * @param policy what the failure of one child means for the others
   * @param name what the task tree calls it
   * @param admission how many children may be alive at once, and what becomes of one too many
   * @return the scope, owned by the calling thread
   */
  public static <X extends Exception> TaskScope<X> open(
      Policy policy, String name, Admission admission) {
    return openLimited(policy, name, requireNonNull(admission, "admission"));
  }

  private static <X extends Exception> TaskScope<X> openLimited(
      Policy policy, String name, @Nullable Admission admission) {
    requireNonNull(policy, "policy");
    requireNonNull(name, "name");
    TaskImpl<?, ?> task = TaskImpl.current();
    Strand strand = Strand.current();
    var scope = new TaskScope<X>(policy, name, admission, strand.loop(), task, strand);
    strand.push(scope);
    return scope;
  }

  /**
   * Starts a child. In a scope that is cancelled or closing the child is cancelled and its body
   * never runs.
   *
   * @param <T> the type of the value
   * @param body what it does
   * @return its handle
   * @throws IllegalStateException if the scope is closed
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it; the
   *     scope is as if it had not been called
   */
  public <T extends @Nullable Object> Task<T, X> fork(Body<? extends T, ? extends X> body) {
    return fork(null, body, "body");
  }

  /**
   * Starts a child without a value.
   *
   * @param action what it does
   * @return its handle
   * @throws IllegalStateException if the scope is closed
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   * @see #fork(Body)
   */
  public Task<@Nullable Void, X> fork(Action<? extends X> action) {
    return fork(null, Failures.<X>body(action), "action");
  }

  /**
   * Starts a named child.
   *
   * @param <T> the type of the value
   * @param name the name of the task and its thread
   * @param body what it does
   * @return its handle
   * @throws IllegalStateException if the scope is closed
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   * @see #fork(Body)
   */
  public <T extends @Nullable Object> Task<T, X> fork(
      String name, Body<? extends T, ? extends X> body) {
    return fork(requireNonNull(name, "name"), body, "body");
  }

  /**
   * Starts a named child without a value.
   *
   * @param name the name of the task and its thread
   * @param action what it does
   * @return its handle
   * @throws IllegalStateException if the scope is closed
   * @throws java.util.concurrent.RejectedExecutionException if no thread can be had for it
   * @see #fork(Body)
   */
  public Task<@Nullable Void, X> fork(String name, Action<? extends X> action) {
    return fork(requireNonNull(name, "name"), Failures.<X>body(action), "action");
  }

  private <T extends @Nullable Object> Task<T, X> fork(
      @Nullable String name, Body<? extends T, ? extends X> body, String argument) {
    requireNonNull(body, argument);
    return start(
        addsToOwn()
            ? new TaskImpl<T, X>(this, name, body, 0)
            : new ListedTask<T, X>(this, name, body, 0));
  }

  /**
   * Waits for all children. May be called again, also after further forks.
   *
   * @throws X the first failure, under {@link Policy#CANCEL_ON_FAILURE}; the others are suppressed
   *     in it and all of them count as retrieved
   * @throws InterruptedException if the owner is cancelled; the children were cancelled and waited
   *     for, their failures are suppressed in it, and its message names some that had not ended
   * @throws WrongThreadException if the caller is not the thread that opened the scope
   * @throws IllegalStateException if the scope is closed, or a child waits for the owner
   */
  public void join() throws X, InterruptedException {
    requireOwner("join");
    if (isClosed()) {
      throw new IllegalStateException(this + " is closed: join it before");
    }
    try {
      if (!awaitChildren()) {
        cancelWithOwner();
        throw abandon(new InterruptedException("interrupted while joining " + this + waitedFor()));
      }
    } catch (IllegalStateException circle) {
      cancelWithOwner();
      throw abandon(circle);
    }
    awaitChildrenUninterruptibly();
    if (policy == Policy.CANCEL_ON_FAILURE) {
      throwFirst();
    }
  }

  private void cancelWithOwner() {
    CancelReason why =
        requireNonNullElse(
            Strand.cancellation(), CancelReason.request("its owner was interrupted"));
    // The same as what the cancellation of the owner forwards: either may come first.
    cancelChildren(new CancelReason(CancelReason.Source.PARENT, why.message(), why.by()));
  }

  /** Names the children that were the last to run, for who wonders which of them took so long. */
  private String waitedFor() {
    List<TaskImpl<?, ?>> late = unfinished;
    unfinished = List.of();
    if (late.isEmpty()) {
      return "";
    }
    String names =
        late.stream()
            .sorted(comparingLong(TaskImpl::id))
            .limit(MOST_NAMED)
            .map(task -> StackText.escape(task.name()))
            .collect(joining(", "));
    int others = late.size() - MOST_NAMED;
    return ", which waited for " + names + (others > 0 ? " and " + others + " more" : "");
  }

  /** Waits for the children, and lists their failures in what is about to be thrown. */
  private <E extends Exception> E abandon(E primary) {
    awaitChildrenUninterruptibly();
    Failures.attach(primary, failures());
    return primary;
  }

  private void throwFirst() throws X {
    List<Failed> failures = failures();
    if (thrown == null) {
      for (Failed failed : failures) {
        if (!failed.cancelled) {
          thrown = failed.exception;
          break;
        }
      }
    }
    if (thrown != null) {
      Failures.attach(thrown, failures);
      TaskTrace.awaited(thrown);
      throw Failures.<RuntimeException>sneak(thrown);
    }
  }

  /**
   * Cancels the children, and every later fork. {@link #join} then returns normally unless a child
   * failed.
   *
   * @param message why
   */
  public void cancel(String message) {
    cancel(CancelReason.request(requireNonNull(message, "message")));
  }

  /**
   * Cancels the children, and every later fork. Only the first cancellation of a scope is
   * forwarded.
   *
   * @param reason who asks and why
   */
  public void cancel(CancelReason reason) {
    cancelChildren(requireNonNull(reason, "reason"));
  }

  /**
   * Cancels the children that are left, waits for them, and reports the failures that nobody
   * retrieved. An interrupt meanwhile is seen after it. Closing a closed scope does nothing.
   *
   * @throws WrongThreadException if the caller is not the thread that opened the scope
   */
  @Override
  public void close() {
    requireOwner("close");
    if (isClosed()) {
      return;
    }
    if (strand.isInnermost(this) && closeIfIdle()) {
      strand.pop(this);
      return;
    }
    strand.closeInside(this);
    Points.reach("close");
    cancelChildren(new CancelReason(CancelReason.Source.PARENT, "the scope was closed", ownerTask));
    awaitChildrenUninterruptibly();
    strand.pop(this);
    Points.reach("report");
    reportUnread();
    markClosed();
  }

  /**
   * What the task tree shows of this scope besides its tasks: for those who build upon scopes and
   * keep a state of their own.
   *
   * @param details called by whoever takes a snapshot, in that thread; what it throws is shown
   *     instead
   */
  public void details(Supplier<? extends Map<String, String>> details) {
    this.details = requireNonNull(details, "details");
  }

  @Override
  Map<String, String> details() {
    Supplier<? extends Map<String, String>> supplier = details;
    if (supplier == null) {
      return super.details();
    }
    var all = new HashMap<String, String>(super.details());
    try {
      all.putAll(Map.copyOf(supplier.get()));
    } catch (RuntimeException | Error broken) {
      all.put("details", StackText.describe(broken));
    }
    return all;
  }

  /** Closes a scope whose owner did not. */
  void closeForgotten() {
    warn(
        "A scope was never closed: open it in a try block", ownerTask, Map.of("scope", toString()));
    close();
  }

  private void requireOwner(String method) {
    if (Thread.currentThread() != ownerThread) {
      throw new WrongThreadException(
          method + " belongs to the thread that opened the scope, " + ownerThread);
    }
  }

  @Override
  void failed(TaskImpl<?, ?> child, Failed failure) {
    if (policy == Policy.SUPERVISE) {
      if (failure.isUnread()) {
        track(failure);
      }
      return;
    }
    remember(failure);
    Points.reach("failed");
    if (!failure.cancelled) {
      cancelChildren(
          new CancelReason(
              CancelReason.Source.SIBLING_FAILURE, StackText.describe(failure.exception), child));
    }
  }

  @Override
  void cancelling(List<TaskImpl<?, ?>> children) {
    unfinished = children;
  }

  @Override
  boolean addsToOwn() {
    return policy == Policy.CANCEL_ON_FAILURE && Thread.currentThread() == ownerThread;
  }

  @Override
  boolean outlivesHandles() {
    return policy == Policy.SUPERVISE;
  }

  @Override
  String name() {
    return name;
  }

  Thread ownerThread() {
    return ownerThread;
  }

  @Override
  Loop loop() {
    return loop;
  }

  Strand strand() {
    return strand;
  }

  @Nullable TaskImpl<?, ?> ownerTask() {
    return ownerTask;
  }

  @Override
  public String toString() {
    String by = ownerTask == null ? StackText.name(ownerThread) : ownerTask.name();
    CancelReason reason = cancelled();
    return "TaskScope["
        + (name.equals(UNNAMED) ? "" : StackText.escape(name) + ", ")
        + policy
        + ", opened by "
        + by
        + (isClosed() ? ", closed" : reason == null ? "" : ", cancelled: " + reason)
        + "]";
  }
}
