package dev.selvedge;

import java.util.ArrayDeque;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What few tasks need: a name, cancel requests, waiters, callbacks, own scopes. Made when first
 * asked for. The monitor guards every field without a note of its own.
 */
final class Cold extends Strand {
  /** One thread that waits for the task; linked so that it can leave without a search. */
  static final class Waiter {
    final Thread thread = Thread.currentThread();
    final TaskImpl<?, ?> target;
    private final @Nullable ShieldView<?, ?> view;

    /** Whether a task waits, which others may wait for. */
    final boolean byTask;

    /** Whether it gives up by itself, and so can be part of no circle. */
    final boolean timed;

    /** Why the wait is refused after it began; written by whoever found the circle. */
    volatile @Nullable String refusal;

    /** Whether its limit was reached on a clock that is not the system's. */
    volatile boolean expired;

    // Guarded by the monitor of the target.
    private @Nullable Waiter previous;
    private @Nullable Waiter next;

    Waiter(TaskImpl<?, ?> target, @Nullable ShieldView<?, ?> view, boolean byTask, boolean timed) {
      this.target = target;
      this.view = view;
      this.byTask = byTask;
      this.timed = timed;
    }

    void expire() {
      expired = true;
      LockSupport.unpark(thread);
    }

    /** Whether there is nothing left to wait for. */
    boolean isOver() {
      return target.isDone() || (view != null && view.isDone());
    }
  }

  private final TaskImpl<?, ?> task;
  final @Nullable String givenName;

  /** In debug mode. */
  final @Nullable TaskTrace created;

  /** The outstanding requests. */
  int requests;

  /** How often the thread was interrupted for requests; raised together with its flag. */
  int interrupts;

  @Nullable CancelReason reason;

  /** When the first of the outstanding requests came, by the loop's clock. */
  long askedAt;

  /** Whether a request was accepted and its interrupt not sent yet. */
  boolean interruptDue;

  /** Whether the task's thread waits for it. */
  private boolean interruptAwaited;

  /** What {@link #cancellations} said when the task itself asked first; negative if it did not. */
  private int askedItself = -1;

  LoopClock.@Nullable Alarm stragglerWatch;

  /** Callbacks in order of registration, of type {@code Consumer<? super Task<T, X>>}. */
  @Nullable ArrayDeque<Consumer<?>> callbacks;

  /** Whether the thread of the task is calling them. */
  boolean callingBack;

  /** Whether it has called those that came in time. */
  boolean calledBack;

  private @Nullable Waiter waiters;

  /**
   * What the task waits for: a {@link Waiter}, the {@link Owner.Join} of its own scope, or the end
   * of its {@link Reports.Report}. Written by the task, read by whoever looks for a circle or takes
   * a snapshot.
   */
  volatile @Nullable Object blockedOn;

  /** In which the body failed; written and read by the thread of the task. */
  Context.@Nullable Captured context;

  Cold(TaskImpl<?, ?> task, @Nullable String givenName, @Nullable TaskTrace created) {
    this.task = task;
    this.givenName = givenName;
    this.created = created;
  }

  @Override
  Loop loop() {
    return task.loop();
  }

  @Override
  @Nullable Thread thread() {
    return task.thread();
  }

  @Override
  int interrupts() {
    return interrupts;
  }

  /** The task asks itself. An interrupt that is there before is somebody else's. */
  void noteOwnRequest() {
    assert Thread.holdsLock(this);
    if (askedItself < 0) {
      askedItself = Thread.currentThread().isInterrupted() ? Integer.MAX_VALUE : cancellations();
    }
  }

  synchronized boolean hasAskedItself() {
    return askedItself >= 0;
  }

  /** Takes back what the task asked of itself and has not seen yet; for its own thread. */
  void withdrawOwnRequest() {
    assert Thread.holdsLock(this);
    if (askedItself == cancellations() && Thread.currentThread() == task.thread()) {
      Thread.interrupted();
    }
    askedItself = -1;
  }

  void endStragglerWatch() {
    assert Thread.holdsLock(this);
    if (stragglerWatch != null) {
      stragglerWatch.cancel();
      stragglerWatch = null;
    }
  }

  /**
   * Waits until the interrupt of a request that was accepted is sent; for the task's own thread. An
   * interrupt that is there before is kept, but set aside meanwhile: with it no thread parks, and
   * who is to send the other may need the carrier.
   */
  void awaitInterrupt() {
    boolean interrupted = false;
    while (isInterruptDue()) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized boolean isInterruptDue() {
    interruptAwaited = interruptDue;
    return interruptDue;
  }

  /** The interrupt of a request is sent, or the request was withdrawn. */
  void interruptIsSent() {
    assert Thread.holdsLock(this);
    interruptDue = false;
    if (interruptAwaited) {
      interruptAwaited = false;
      LockSupport.unpark(task.thread());
    }
  }

  /** Adds a waiter unless the task is done. */
  synchronized boolean addWaiter(Waiter waiter) {
    if (task.isDone()) {
      return false;
    }
    waiter.next = waiters;
    if (waiters != null) {
      waiters.previous = waiter;
    }
    waiters = waiter;
    return true;
  }

  synchronized void removeWaiter(Waiter waiter) {
    if (waiter.previous != null) {
      waiter.previous.next = waiter.next;
    } else if (waiters == waiter) {
      waiters = waiter.next;
    }
    if (waiter.next != null) {
      waiter.next.previous = waiter.previous;
    }
    waiter.previous = null;
    waiter.next = null;
  }

  /** Whether a task awaits this one, for however long it takes. */
  synchronized boolean isAwaitedByTask() {
    for (Waiter waiter = waiters; waiter != null; waiter = waiter.next) {
      if (waiter.byTask && !waiter.timed) {
        return true;
      }
    }
    return false;
  }

  /** Wakes those who wait through a view that has ended. */
  synchronized void wake(ShieldView<?, ?> view) {
    for (Waiter waiter = waiters; waiter != null; waiter = waiter.next) {
      if (waiter.view == view) {
        LockSupport.unpark(waiter.thread);
      }
    }
  }

  /** Takes one waiter after the other; the task is done, so that no other comes. */
  synchronized @Nullable Thread takeWaiter() {
    Waiter first = waiters;
    if (first == null) {
      return null;
    }
    removeWaiter(first);
    return first.thread;
  }
}
