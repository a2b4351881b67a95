package dev.selvedge;

import static java.util.Objects.requireNonNull;

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
 * <p><b>Children.</b> Most forks of a scope come from the thread that opened it. It has chunks of
 * its own, which also count its forks, and adds to them without the monitor; whoever goes through
 * the chunks, or takes something out of them, holds the monitor. What each fork writes is in the
 * chunk and not in the owner, whose fields every child reads when it ends. Forks of other threads,
 * and all of a loop, are {@link Listed}. None of them takes the monitor, and no child does when it
 * ends: a thousand of them would queue for it, and taking it writes to a word of the owner that all
 * of them read.
 *
 * <p><b>Waiting.</b> The owner parks once, on the counter. It writes {@code waiter} and then reads
 * {@code live}; a child counts down and then reads {@code waiter}: one of them sees the other.
 * {@code live} is less than zero by the forks that the newest chunk has counted; a child that sees
 * a waiter sees the forks that it made before.
 *
 * <p><b>Cancelling.</b> An owner forwards one cancellation to its children, never two. Forwarding
 * goes down level by level with a queue, not by recursion, and interrupts nobody until all have
 * been asked: who awaits a task that is cancelled together with it was then cancelled too, and has
 * not failed. After it a fork gets a cancelled task. Who forks adds the child and then reads {@code
 * cancelled}, who cancels writes that and then reads the children: one of them sees the other. If
 * both do, the child is asked to cancel, and its thread never starts.
 *
 * <p><b>Closing.</b> The same with {@code closed}: who forks counts the child and then reads it.
 */
abstract sealed class Owner extends Live.Rare permits Loop, TaskScope {
  /** That a task waits for all children of an owner. One object per wait. */
  record Join(Owner owner) {}

  /** Children that the owner's thread forked, the oldest first, and those before them. */
  private static final class Chunk {
    final TaskImpl<?, ?>[] tasks;
    final @Nullable Chunk older;

    /** How many are in the older ones. */
    final int before;

    /** How many tasks are in it. */
    volatile int listed;

    /** How many were forked, those in older chunks included; the owner's thread's. */
    int forks;

    Chunk(int room, @Nullable Chunk older, int before, int forks) {
      this.tasks = new TaskImpl<?, ?>[room];
      this.older = older;
      this.before = before;
      this.forks = forks;
    }
  }

  private static final VarHandle LISTED;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      LISTED = lookup.findVarHandle(Chunk.class, "listed", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final Chunk NONE = new Chunk(0, null, 0, 0);
  private static final int SMALLEST_CHUNK = 10;

  private static final int LARGEST_CHUNK = 512;

  /**
   * Looking at a task that has just ended costs a cache miss, a tenth of a fork: so scopes of usual
   * sizes are never swept.
   */
  private static final int SWEPT = 2 * LARGEST_CHUNK;

  /**
   * So few forks have often ended when those that are ready have had their turn: a yield then saves
   * the caller from being parked, with a limit because of circles, and woken.
   */
  private static final int FEW = 16;

  /** So many stragglers are named each time; the others are counted. */
  private static final int MOST_WARNINGS = 100;

  /** A wait that lasts so long looks for a circle. */
  private static final long CIRCLE_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final long LONGEST_CHECK_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** Written under the monitor; read anywhere. */
  private volatile @Nullable CancelReason cancelled;

  private volatile boolean closed;

  /** Threads of a factory of the user's that have run their task and may not have ended yet. */
  private final @Nullable Queue<WeakReference<Thread>> ending;

  /** The children that the owner's thread forked; it alone adds, and replaces the chunk. */
  private volatile Chunk own = NONE;

  /** Null without a limit. */
  private final @Nullable Places places;

  Owner(boolean ownThreads, @Nullable Admission admission) {
    ending = ownThreads ? new ConcurrentLinkedQueue<>() : null;
    places = admission == null ? null : new Places(this, admission);
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
    Places.Place place = places == null ? null : places.enter(task);
    if (place == null) {
      start(task, null);
      return task;
    }
    boolean counted = false;
    try {
      counted = start(task, place);
    } finally {
      if (!counted) {
        requireNonNull(places).leave(place);
      }
    }
    return task;
  }

  /** Returns whether the task is counted now. */
  private boolean start(TaskImpl<?, ?> task, Places.@Nullable Place place) {
    CancelReason refused = place == null ? null : requireNonNull(places).refused(place);
    if (refused != null) {
      refuse(task, refused);
      return false;
    }
    Thread thread = loop().newThread(task);
    refused = task instanceof ListedTask<?, ?> node ? link(node, thread) : add(task, thread);
    if (refused != null) {
      refuse(task, refused);
      return false;
    }
    if (place != null && !requireNonNull(places).mayStart(place, thread)) {
      return true;
    }
    Throwable failure = startThread(task, thread);
    if (failure != null) {
      throw new RejectedExecutionException(
          "no thread could be started for " + task.name(), failure);
    }
    return true;
  }

  /**
   * Who holds its handle sees that it was cancelled. Of what is launched the caller has to hear.
   */
  private void refuse(TaskImpl<?, ?> task, CancelReason why) {
    tellStarted(task);
    task.neverRun(why);
    if (task.isLaunched()) {
      throw new RejectedExecutionException(task.name() + " does not start: " + why);
    }
  }

  private void tellStarted(TaskImpl<?, ?> task) {
    Listeners listeners = loop().listeners();
    if (listeners != null) {
      listeners.started(task);
    }
  }

  /** Returns why not; the task is cancelled then and does not count. */
  private @Nullable Throwable startThread(TaskImpl<?, ?> task, Thread thread) {
    try {
      tellStarted(task);
      thread.start();
      return null;
    } catch (Throwable t) {
      try {
        task.neverRun(
            new CancelReason(
                CancelReason.Source.REQUEST,
                "no thread could be started: " + StackText.describe(t),
                null));
      } finally {
        if (task instanceof ListedTask<?, ?> node) {
          Listed.remove(node);
        }
        countDown();
      }
      return t;
    }
  }

  /** Starts a task for which a place has become free; if that fails the task says why. */
  final boolean startQueued(TaskImpl<?, ?> task, Thread thread) {
    return startThread(task, thread) == null;
  }

  /** A task was cancelled, which may be queued. */
  final void endIfQueued(TaskImpl<?, ?> task) {
    if (places != null) {
      places.endIfQueued(task);
    }
  }

  final boolean isQueued(TaskImpl<?, ?> task) {
    return places != null && places.isWaiting(task);
  }

  /** What the task tree tells of it besides its tasks. */
  Map<String, String> details() {
    return places == null ? Map.of() : places.details();
  }

  /** Whether the caller is the thread that adds to {@link #own}. */
  boolean addsToOwn() {
    return false;
  }

  /** Counts and links a task. Returns why it is refused. */
  private @Nullable CancelReason add(TaskImpl<?, ?> task, Thread thread) {
    if (cancelled != null) {
      return cancelled;
    }
    Chunk newest = own;
    if ((int) LISTED.get(newest) == newest.tasks.length) {
      newest = makeRoom();
    }
    int listed = (int) LISTED.get(newest);
    task.thread(thread);
    newest.tasks[listed] = task;
    // Two volatile writes with no read in between cost one fence.
    thread.setUncaughtExceptionHandler(task);
    newest.listed = listed + 1;
    Points.reach("listed");
    CancelReason late = cancelled;
    if (late == null) {
      newest.forks++;
    }
    return late;
  }

  /** Counts and lists a task. Returns why it is refused. */
  private @Nullable CancelReason link(ListedTask<?, ?> task, Thread thread) {
    task.thread(thread);
    thread.setUncaughtExceptionHandler(task);
    while (true) {
      LIVE.getAndAdd(this, 1);
      try {
        Points.reach("counted");
        listed().add(task);
      } catch (Throwable e) {
        countDown();
        throw e;
      }
      Points.reach("listed");
      CancelReason late = cancelled;
      if (late == null && !closed) {
        return null;
      }
      Listed.remove(task);
      countDown();
      refuseIfClosed();
      if (late != null) {
        return late;
      }
      // Somebody tried to close the owner in that moment, and has left it open.
    }
  }

  private Listed listed() {
    Listed present = listed;
    if (present == null) {
      synchronized (this) {
        present = listed;
        if (present == null) {
          present = outlivesHandles() ? Listed.striped() : Listed.single();
          listed = present;
        }
      }
    }
    return present;
  }

  /** {@link #closeIfIdle} tries without waiting for anybody: under the monitor it is certain. */
  private void refuseIfClosed() {
    if (closed) {
      synchronized (this) {
        if (closed) {
          throw new IllegalStateException(this + " is closed: start tasks while it is open");
        }
      }
    }
  }

  /** The last act of a task's thread; counted whatever becomes of the rest. */
  final void ended(TaskImpl<?, ?> task) {
    try {
      if (task instanceof ListedTask<?, ?> node) {
        Listed.remove(node);
      }
      if (ending != null) {
        ending.removeIf(ended -> {
          Thread thread = ended.get();
          return thread == null || !thread.isAlive();
        });
        // Weak, because the thread holds the task whose unreachable handle is to be noticed.
        ending.add(new WeakReference<>(Thread.currentThread()));
      }
      if (places != null && task.needsPlace()) {
        places.leave();
      }
    } finally {
      countDown();
    }
  }

  /**
   * Counts somebody besides the tasks for whom the owner waits when it closes.
   *
   * @throws IllegalStateException if it is closed or cancelled
   */
  final void admit() {
    LIVE.getAndAdd(this, 1);
    if (closed || cancelled != null) {
      countDown();
      throw new IllegalStateException(this + " is closed: enter it while it is open");
    }
  }

  final void dismiss() {
    countDown();
  }

  private void countDown() {
    int left = (int) LIVE.getAndAdd(this, -1) - 1;
    Points.reach("count-down");
    Thread parked = waiter;
    if (parked != null && left + own.forks == 0) {
      LockSupport.unpark(parked);
    }
    if (left == 0) {
      Listed present = listed;
      if (present != null) {
        present.idle();
      }
    }
  }

  /** The children that have not ended; for the thread that waits for them. */
  private int alive() {
    return live + own.forks;
  }

  /**
   * Takes out who has ended, if they are half of many. Returns the newest chunk, which has room.
   */
  private synchronized Chunk makeRoom() {
    Chunk full = own;
    int size = full.tasks.length;
    int listed = full.before + size;
    if (listed < SWEPT || 2 * alive() > listed) {
      int room = Math.clamp(2L * size, SMALLEST_CHUNK, LARGEST_CHUNK);
      own = new Chunk(room, full, listed, full.forks);
    } else {
      var unended = new ArrayList<TaskImpl<?, ?>>(alive());
      addUnendedOwn(unended);
      int kept = unended.size();
      own = new Chunk(Math.max(SWEPT, 2 * kept), null, 0, full.forks);
      unended.reversed().toArray(own.tasks);
      own.listed = kept;
    }
    return own;
  }

  /** The children whose threads have not come to their end, the newest first. */
  final synchronized List<TaskImpl<?, ?>> unendedTasks() {
    if (addsToOwn() && alive() == 0) {
      return List.of();
    }
    var tasks = new ArrayList<TaskImpl<?, ?>>();
    addUnendedOwn(tasks);
    Listed others = listed;
    if (others != null) {
      others.addUnended(tasks);
    }
    return tasks;
  }

  private void addUnendedOwn(List<TaskImpl<?, ?>> tasks) {
    for (Chunk chunk = own; chunk != null; chunk = chunk.older) {
      for (int i = chunk.listed - 1; i >= 0; i--) {
        if (!chunk.tasks[i].hasEnded()) {
          tasks.add(chunk.tasks[i]);
        }
      }
    }
  }

  // ---- for tests

  /** Whether no child is left; racy, as the forks of the owner's thread are its own. */
  final boolean hasNoChildren() {
    return alive() == 0;
  }

  /**
   * Whether a child is counted that is not listed any more, or the owner waits for none.
   *
   * @param others who are counted and no children
   */
  final boolean isChanging(int others) {
    int alive = alive();
    return (waiter != null && alive == 0) || alive - others > unendedTasks().size();
  }

  /** Threads of the user's factory that have run a task and have not ended. */
  final List<Thread> endingThreads() {
    return ending == null
        ? List.of()
        : ending.stream()
            .map(WeakReference::get)
            .filter(thread -> thread != null && thread.isAlive())
            .toList();
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
      failure.reportAfter(loop().clock().schedule(failure::post, limit));
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
    List<TaskImpl<?, ?>> children = markCancelled(reason);
    if (children != null && !children.isEmpty()) {
      var owners = new ArrayDeque<Owner>();
      var asked = new ArrayList<TaskImpl<?, ?>>();
      request(children, reason, owners, asked);
      cancelAll(owners, reason, asked);
    }
    return children != null;
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
      List<TaskImpl<?, ?>> children = owner.markCancelled(inherited);
      if (children != null) {
        owner.request(children, inherited, owners, asked);
      }
    }
    Points.reach("asked");
    asked.forEach(TaskImpl::interrupt);
  }

  /** Refuses forks from now on. Returns the children to be asked; null if it was cancelled. */
  private synchronized @Nullable List<TaskImpl<?, ?>> markCancelled(CancelReason reason) {
    if (cancelled != null) {
      return null;
    }
    cancelledAt = loop().clock().nanoTime();
    cancelled = reason;
    try {
      Points.reach("cancelled");
      if (places != null) {
        places.ownerCancelled();
      }
      List<TaskImpl<?, ?>> children = unendedTasks();
      cancelling(children);
      return children;
    } catch (Throwable t) {
      // Nobody is asked yet, so that it can be tried again.
      cancelled = null;
      throw t;
    }
  }

  /** Told of the children that had not ended when it was cancelled; under the monitor, once. */
  void cancelling(List<TaskImpl<?, ?>> children) {}

  private void request(
      List<TaskImpl<?, ?>> children,
      CancelReason reason,
      ArrayDeque<Owner> below,
      List<TaskImpl<?, ?>> asked) {
    for (TaskImpl<?, ?> task : children) {
      if (task.request(reason, below)) {
        asked.add(task);
      }
    }
    synchronized (this) {
      // After the last request, so that nobody is named before the delay is over for it.
      if (!children.stream().allMatch(TaskImpl::hasEnded)) {
        watchStragglers(loop().stragglerWarning());
      }
    }
  }

  private void watchStragglers(Duration delay) {
    stragglerWatch = loop().clock().schedule(() -> warnOfStragglers(delay.multipliedBy(2)), delay);
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
      stragglers.stream().skip(MOST_WARNINGS).forEach(TaskImpl::tellAsStraggler);
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
    if (alive() != 0 && own.forks <= FEW && Thread.currentThread().isVirtual()) {
      letOthersRun();
    }
    if (alive() != 0) {
      parkForChildren();
    }
    if (cancelled != null) {
      // It may be cancelled with its owner, whose own interrupt is sent last.
      TaskImpl<?, ?> task = TaskImpl.current();
      if (task != null && task.hasCold()) {
        task.cold().awaitInterrupt();
      }
    }
    return !Thread.interrupted();
  }

  /** Returns when no child is left, or when the caller was interrupted. */
  private void parkForChildren() {
    TaskImpl<?, ?> task = TaskImpl.current();
    waiter = Thread.currentThread();
    Points.reach("join");
    if (task != null) {
      task.cold().blockedOn = new Join(this);
    }
    try {
      // A timed park costs a microsecond more. Who begins to await later looks itself.
      boolean looked = task == null || !Circle.mayPassThrough(task);
      long start = System.nanoTime();
      while (waits()) {
        if (looked) {
          LockSupport.park(this);
        } else {
          LockSupport.parkNanos(this, CIRCLE_CHECK_NANOS);
          if (waits() && System.nanoTime() - start >= CIRCLE_CHECK_NANOS) {
            looked = true;
            Circle.refuse(task);
          }
        }
      }
    } finally {
      waiter = null;
      if (task != null) {
        task.cold().blockedOn = null;
      }
    }
  }

  private boolean waits() {
    return alive() != 0 && !Thread.currentThread().isInterrupted();
  }

  @SuppressWarnings("ThreadPriorityCheck") // a matter of cost alone
  private static void letOthersRun() {
    Thread.yield();
  }

  /** Waits until no child is left, whatever happens; an interrupt is seen after it. */
  final void awaitChildrenUninterruptibly() {
    if (isIdle() && cancelled == null) {
      return;
    }
    boolean interrupted = false;
    TaskImpl<?, ?> task = TaskImpl.current();
    waiter = Thread.currentThread();
    Points.reach("join");
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

  /** No child is left, nor a thread that has run one; for the thread that waits for them. */
  private boolean isIdle() {
    return alive() == 0 && ending == null;
  }

  /** Closes it at once if there is nothing to wait for and nothing to report. */
  final synchronized boolean closeIfIdle() {
    if (!isIdle() || stragglerWatch != null || (failures != null && !failures.isEmpty())) {
      return false;
    }
    Points.reach("idle");
    // Who forks meanwhile counts and then reads this; here it is the other way round.
    closed = true;
    Points.reach("closing");
    if (!isIdle()) {
      closed = false;
      return false;
    }
    markClosed();
    return true;
  }

  /** Refuses forks for good and lets go of the children, none of which is left. */
  final synchronized void markClosed() {
    closed = true;
    listed = null;
    LIVE.getAndAdd(this, own.forks);
    own = NONE;
  }

  /** Reports what nobody retrieved, and returns when the handler has returned. */
  final void reportUnread() {
    failures().forEach(Failed::deliver);
  }

  final void warn(String message, @Nullable TaskImpl<?, ?> about, Map<String, Object> details) {
    loop().reports().post(new ExceptionContext(message, null, about, details));
  }
}
