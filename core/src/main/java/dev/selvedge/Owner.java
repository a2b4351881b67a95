package dev.selvedge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What owns tasks: a loop or a scope.
 *
 * <p><b>Children.</b> A fork links the task into a list and counts it, under the monitor. The end
 * of a task only counts it down, without the monitor, so that a thousand children do not queue for
 * it. The finished ones are unlinked when the list has grown to twice the live ones, so that its
 * length is bounded however many tasks come and go; a failed task of a long-lived owner is unlinked
 * at once, because its report waits until nobody holds it.
 *
 * <p>Most forks come from the thread that opened the scope. It has a list and a count of its own,
 * {@code own} and {@code ownForks}, and pushes onto it without the monitor; whoever goes through
 * the list, or takes something out of it, holds the monitor.
 *
 * <p><b>Waiting.</b> The owner parks once, on the counter. It writes {@code waiter} and then reads
 * {@code live}; a child counts down and then reads {@code waiter}: one of them sees the other.
 * {@code live} is less than zero by the forks that are in {@code ownForks}; a child that sees a
 * waiter sees the forks that it made before.
 *
 * <p><b>Cancelling.</b> An owner forwards one cancellation to its children, never two. Forwarding
 * goes down level by level with a queue, not by recursion, and interrupts nobody until all have
 * been asked: who awaits a task that is cancelled together with it was then cancelled too, and has
 * not failed. After it a fork gets a cancelled task. Under the monitor a child is either in the
 * list or refused. The owner's thread pushes and then reads {@code cancelled}, who cancels writes
 * that and then reads the list: one of them sees the other. If both do, the child is asked to
 * cancel, and its thread never starts.
 */
abstract sealed class Owner extends Frame permits Loop, TaskScope {
  /** That a task waits for all children of an owner. One object per wait. */
  record Join(Owner owner) {}

  private static final VarHandle LIVE;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      LIVE = lookup.findVarHandle(Owner.class, "live", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final int SMALLEST_SWEEP = 64;

  /**
   * Looking at a task that has just ended costs a cache miss, a tenth of a fork: so scopes of usual
   * sizes are never swept.
   */
  private static final int SMALLEST_SWEEP_OF_OWN = 1024;

  /** So many stragglers are named each time; the others are counted. */
  private static final int MOST_WARNINGS = 100;

  /** A wait that lasts so long looks for a circle. */
  private static final long CIRCLE_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final long LONGEST_CHECK_NANOS = TimeUnit.MINUTES.toNanos(1);

  // Guarded by this.
  private @Nullable TaskImpl<?, ?> first;
  private int listed;
  private int sweepAt = SMALLEST_SWEEP;
  private @Nullable LinkedHashSet<Failed> failures;
  private Timers.@Nullable Timer stragglerWatch;

  /** Written under the monitor; read anywhere. */
  private volatile @Nullable CancelReason cancelled;

  /** When that was, by {@code System.nanoTime}; written before it. */
  private long cancelledAt;

  private volatile boolean closed;

  @SuppressWarnings("unused") // through LIVE
  private volatile int live;

  /** Written by whoever waits for the children, read by the last of them. */
  private volatile @Nullable Thread waiter;

  /** Threads of a factory of the user's that have run their task and may not have ended yet. */
  private final @Nullable Queue<WeakReference<Thread>> ending;

  /** The newest child in the list of the owner's thread, which alone pushes. */
  private volatile @Nullable TaskImpl<?, ?> own;

  /** How many of them were forked; the owner's thread's. */
  private int ownForks;

  /** How many are in the list, and when to sweep it; the owner's thread's. */
  private int ownListed;

  private int sweepOwnAt = SMALLEST_SWEEP_OF_OWN;

  private final long birth = Timers.millis();

  /** Zero until somebody asks; guarded by this. */
  private long id;

  Owner(boolean ownThreads) {
    ending = ownThreads ? new ConcurrentLinkedQueue<>() : null;
  }

  abstract Loop loop();

  abstract String name();

  /** A number from the sequence of the tasks, for snapshots. */
  final synchronized long id() {
    if (id == 0) {
      id = TaskImpl.nextId();
    }
    return id;
  }

  final Duration age() {
    return Timers.since(birth);
  }

  /** The body of a new task, in the context of the caller as far as the loop is to carry it. */
  final <T extends @Nullable Object, X extends Exception> Body<? extends T, ? extends X> inContext(
      Body<? extends T, ? extends X> body, int state) {
    Context context = loop().context();
    return context == null || (state & TaskImpl.HIDDEN) != 0 ? body : context.carry(body);
  }

  /** Whether failures of its tasks are reported when their handle is unreachable. */
  abstract boolean outlivesHandles();

  /** A child has failed; its awaiters do not know yet. */
  abstract void failed(TaskImpl<?, ?> child, Failed failure);

  boolean isClosed() {
    return closed;
  }

  final @Nullable CancelReason cancelled() {
    return cancelled;
  }

  /** When it was cancelled; only after that. */
  final long cancelledAt() {
    return cancelledAt;
  }

  // ---- children

  /** Starts the thread of a new task. Nothing is counted if that fails. */
  final <I extends TaskImpl<?, ?>> I start(I task) {
    refuseIfClosed();
    Thread thread = loop().newThread(task);
    thread.setUncaughtExceptionHandler(task);
    boolean pushes = pushes();
    CancelReason refused = pushes ? push(task, thread) : link(task, thread);
    Listeners listeners = loop().listeners();
    if (listeners != null) {
      listeners.started(task);
    }
    if (refused != null) {
      task.neverRun(refused);
      return task;
    }
    try {
      thread.start();
    } catch (Throwable t) {
      task.neverRun(
          new CancelReason(CancelReason.Source.REQUEST, "no thread could be started", null));
      if (!pushes) {
        unlink(task);
      }
      countDown();
      throw new RejectedExecutionException("no thread could be started for " + task.name(), t);
    }
    return task;
  }

  /** Whether the caller is the thread that has a list of its own. */
  boolean pushes() {
    return false;
  }

  /** Counts and links a task. Returns why it is refused. */
  private @Nullable CancelReason push(TaskImpl<?, ?> task, Thread thread) {
    if (cancelled != null) {
      return cancelled;
    }
    if (ownListed >= sweepOwnAt) {
      sweepOwn();
    }
    task.thread(thread);
    task.next = own;
    own = task;
    ownListed++;
    CancelReason late = cancelled;
    if (late == null) {
      ownForks++;
    }
    return late;
  }

  private synchronized @Nullable CancelReason link(TaskImpl<?, ?> task, Thread thread) {
    refuseIfClosed();
    if (cancelled == null) {
      task.thread(thread);
      link(task);
      LIVE.getAndAdd(this, 1);
    }
    return cancelled;
  }

  private void refuseIfClosed() {
    if (closed) {
      throw new IllegalStateException(this + " is closed: start tasks while it is open");
    }
  }

  /** The last act of a task's thread. */
  final void ended(TaskImpl<?, ?> task, boolean failed) {
    if (failed && outlivesHandles()) {
      unlink(task);
    }
    if (ending != null) {
      ending.removeIf(ended -> {
        Thread thread = ended.get();
        return thread == null || !thread.isAlive();
      });
      // Weak, because the thread holds the task whose unreachable handle is to be noticed.
      ending.add(new WeakReference<>(Thread.currentThread()));
    }
    countDown();
  }

  private void countDown() {
    int left = (int) LIVE.getAndAdd(this, -1) - 1;
    Thread parked = waiter;
    if (parked != null && left + ownForks == 0) {
      LockSupport.unpark(parked);
    }
    if (outlivesHandles() && (live == 0 || (listed > SMALLEST_SWEEP && live < listed / 4))) {
      sweepNow();
    }
  }

  private void link(TaskImpl<?, ?> task) {
    if (listed >= sweepAt) {
      sweepNow();
    }
    task.previous = null;
    task.next = first;
    if (first != null) {
      first.previous = task;
    }
    first = task;
    listed++;
  }

  @SuppressWarnings("ReferenceEquality") // nodes of a list
  private synchronized void unlink(TaskImpl<?, ?> task) {
    if (task != first && task.previous == null) {
      return;
    }
    if (task.previous != null) {
      task.previous.next = task.next;
    } else {
      first = task.next;
    }
    if (task.next != null) {
      task.next.previous = task.previous;
    }
    task.previous = null;
    task.next = null;
    listed--;
  }

  private void sweep() {
    for (TaskImpl<?, ?> task = first; task != null; ) {
      TaskImpl<?, ?> following = task.next;
      if (task.hasEnded()) {
        unlink(task);
      }
      task = following;
    }
  }

  /** The children that have not ended; for the thread that waits for them. */
  private int alive() {
    return live + ownForks;
  }

  private synchronized void sweepOwn() {
    TaskImpl<?, ?> kept = null;
    TaskImpl<?, ?> newest = null;
    ownListed = 0;
    for (TaskImpl<?, ?> task = own; task != null; ) {
      TaskImpl<?, ?> following = task.next;
      task.next = null;
      if (!task.hasEnded()) {
        if (kept == null) {
          newest = task;
        } else {
          kept.next = task;
        }
        kept = task;
        ownListed++;
      }
      task = following;
    }
    own = newest;
    sweepOwnAt = Math.max(SMALLEST_SWEEP_OF_OWN, 2 * ownListed);
  }

  /** So that a loop which has become idle keeps no values of tasks that are gone. */
  private synchronized void sweepNow() {
    sweep();
    sweepAt = Math.max(SMALLEST_SWEEP, 2 * listed);
  }

  /** The children whose threads have not come to their end, the newest first. */
  final synchronized List<TaskImpl<?, ?>> unendedTasks() {
    var tasks = new ArrayList<TaskImpl<?, ?>>();
    addUnended(own, tasks);
    addUnended(first, tasks);
    return tasks;
  }

  private static void addUnended(@Nullable TaskImpl<?, ?> newest, List<TaskImpl<?, ?>> tasks) {
    for (TaskImpl<?, ?> task = newest; task != null; task = task.next) {
      if (!task.hasEnded()) {
        tasks.add(task);
      }
    }
  }

  // ---- failures

  final synchronized void remember(Failed failure) {
    if (failures == null) {
      failures = new LinkedHashSet<>();
    }
    failures.add(failure);
  }

  /** A long-lived owner keeps only what is unread. */
  final void forget(Failed failure) {
    if (outlivesHandles()) {
      synchronized (this) {
        if (failures != null) {
          failures.remove(failure);
        }
      }
    }
  }

  /** Keeps a failure until it is retrieved, its handle is unreachable, or its time is over. */
  final void track(Failed failure) {
    remember(failure);
    Orphans.track(failure);
    Duration limit = loop().orphanAfter();
    if (limit != null) {
      failure.reportAfter(Timers.schedule(failure::post, limit));
    }
    if (!failure.isUnread()) {
      forget(failure);
    }
  }

  final synchronized List<Failed> failures() {
    return failures == null ? List.of() : List.copyOf(failures);
  }

  // ---- cancelling

  /** Cancels the children, and from now on every fork. */
  final boolean cancelChildren(CancelReason reason) {
    if (cancelled != null) {
      return false;
    }
    var owners = new ArrayDeque<Owner>();
    var asked = new ArrayList<TaskImpl<?, ?>>();
    boolean first = cancelLevel(reason, owners, asked);
    cancelAll(owners, reason, asked);
    return first;
  }

  /** Cancels what the owners hold because what holds them was cancelled. */
  static void cancelAll(ArrayDeque<Owner> owners, CancelReason reason) {
    if (!owners.isEmpty()) {
      cancelAll(owners, reason, new ArrayList<>());
    }
  }

  private static void cancelAll(
      ArrayDeque<Owner> owners, CancelReason reason, List<TaskImpl<?, ?>> asked) {
    CancelReason inherited =
        new CancelReason(CancelReason.Source.PARENT, reason.message(), reason.by());
    for (Owner owner; (owner = owners.poll()) != null; ) {
      owner.cancelLevel(inherited, owners, asked);
    }
    asked.forEach(TaskImpl::interrupt);
  }

  private boolean cancelLevel(
      CancelReason reason, ArrayDeque<Owner> below, List<TaskImpl<?, ?>> asked) {
    List<TaskImpl<?, ?>> targets;
    synchronized (this) {
      if (cancelled != null) {
        return false;
      }
      cancelledAt = System.nanoTime();
      cancelled = reason;
      targets = unendedTasks();
      if (!targets.isEmpty()) {
        watchStragglers(loop().stragglerWarning());
      }
    }
    for (TaskImpl<?, ?> task : targets) {
      if (task.request(reason, below)) {
        asked.add(task);
      }
    }
    return true;
  }

  private void watchStragglers(Duration delay) {
    stragglerWatch = Timers.schedule(() -> warnOfStragglers(delay.multipliedBy(2)), delay);
  }

  private void warnOfStragglers(Duration next) {
    List<TaskImpl<?, ?>> stragglers;
    synchronized (this) {
      stragglers = unendedTasks();
      if (stragglerWatch == null || stragglers.isEmpty()) {
        return;
      }
      watchStragglers(next);
    }
    stragglers.stream().limit(MOST_WARNINGS).forEach(TaskImpl::warnAsStraggler);
    if (stragglers.size() > MOST_WARNINGS) {
      warn(
          "More tasks ignore their cancellation",
          null,
          Map.of("owner", toString(), "tasks", stragglers.size() - MOST_WARNINGS));
    }
  }

  private synchronized void endStragglerWatch() {
    if (stragglerWatch != null) {
      stragglerWatch.cancel();
      stragglerWatch = null;
    }
  }

  // ---- waiting

  /**
   * Waits until no child is left.
   *
   * @return false if the caller was interrupted first; the flag is cleared
   * @throws IllegalStateException if a child waits for the caller
   */
  final boolean awaitChildren() {
    if (Thread.interrupted()) {
      return false;
    }
    if (alive() == 0) {
      return true;
    }
    TaskImpl<?, ?> task = TaskImpl.current();
    waiter = Thread.currentThread();
    if (task != null) {
      task.cold().blockedOn = new Join(this);
    }
    try {
      boolean looked = task == null;
      long start = System.nanoTime();
      while (alive() != 0) {
        if (looked) {
          LockSupport.park(this);
        } else {
          LockSupport.parkNanos(this, CIRCLE_CHECK_NANOS);
        }
        if (Thread.currentThread().isInterrupted()) {
          if (task != null) {
            task.cold().blockedOn = null;
          }
          Thread.interrupted();
          return false;
        }
        if (!looked && alive() != 0 && System.nanoTime() - start >= CIRCLE_CHECK_NANOS) {
          looked = true;
          Circle.refuse(task);
        }
      }
      return true;
    } finally {
      waiter = null;
      if (task != null) {
        task.cold().blockedOn = null;
      }
    }
  }

  /** Waits until no child is left, whatever happens; an interrupt is seen after it. */
  final void awaitChildrenUninterruptibly() {
    boolean interrupted = false;
    TaskImpl<?, ?> task = TaskImpl.current();
    waiter = Thread.currentThread();
    if (task != null && alive() != 0) {
      task.cold().blockedOn = new Join(this);
    }
    long look = CIRCLE_CHECK_NANOS;
    while (alive() != 0) {
      LockSupport.parkNanos(this, look);
      interrupted |= Thread.interrupted();
      if (task != null && alive() != 0) {
        Circle.refuseWaitFor(task);
        look = Math.min(2 * look, LONGEST_CHECK_NANOS);
      }
    }
    waiter = null;
    if (task != null && task.hasCold()) {
      task.cold().blockedOn = null;
    }
    interrupted |= awaitThreads();
    endStragglerWatch();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for threads that a factory of the user's made to end. Returns whether interrupted. */
  private boolean awaitThreads() {
    boolean interrupted = false;
    if (ending != null) {
      for (WeakReference<Thread> ended; (ended = ending.poll()) != null; ) {
        Thread thread = ended.get();
        while (thread != null && thread.isAlive() && thread != Thread.currentThread()) {
          try {
            thread.join();
          } catch (InterruptedException e) {
            interrupted = true;
          }
        }
      }
    }
    return interrupted;
  }

  // ---- closing

  /** Refuses forks for good and lets go of the children, none of which is left. */
  final synchronized void markClosed() {
    closed = true;
    sweep();
    sweepOwn();
  }

  /** Reports what nobody retrieved, and returns when the handler has returned. */
  final void reportUnread() {
    failures().forEach(Failed::deliver);
  }

  final void warn(String message, @Nullable TaskImpl<?, ?> about, Map<String, Object> details) {
    loop().reports().post(new ExceptionContext(message, null, about, details));
  }
}
