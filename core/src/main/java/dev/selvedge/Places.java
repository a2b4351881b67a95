package dev.selvedge;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The places that an owner with a limit has for its tasks, and who waits for one. A task holds its
 * place from before it is counted as a child to the end of its thread.
 *
 * <p>The monitor guards all of it. No thread is started and nobody is told while it is held.
 */
final class Places {
  /** A place that a task has, or waits for. */
  static final class Place {
    private final TaskImpl<?, ?> task;
    private final long since;

    // Guarded by the places.
    private boolean granted;

    /** What waits: the thread that forks, or that of the task, once it may be started. */
    private @Nullable Thread waiting;

    private @Nullable CancelReason refused;

    /** Whether listeners know that it waits. */
    private boolean queued;

    private Place(TaskImpl<?, ?> task, long since) {
      this.task = task;
      this.since = since;
    }
  }

  private final Owner owner;
  private final Admission admission;

  // Guarded by this.
  private final Map<TaskImpl<?, ?>, Place> waiting = new LinkedHashMap<>();
  private int active;
  private long rejected;

  Places(Owner owner, Admission admission) {
    this.owner = owner;
    this.admission = admission;
  }

  /**
   * Gets a place for a new task, or one in the queue; waits for it if that is the policy.
   *
   * @return null for a task that needs none, as that of an owner which was cancelled
   */
  @Nullable Place enter(TaskImpl<?, ?> task) {
    if (!task.needsPlace() || owner.cancelled() != null) {
      return null;
    }
    var place = new Place(task, owner.loop().clock().nanoTime());
    if (tryEnter(place, false)
        || (admission.policy != Admission.Policy.REJECT && isNested() && tryEnter(place, true))) {
      return place;
    }
    boolean blocks = admission.policy == Admission.Policy.BLOCK;
    int waiters;
    synchronized (this) {
      if (tryEnter(place, false)) {
        return place;
      }
      waiters = waiting.size();
      if (admission.policy == Admission.Policy.REJECT || waiters == admission.capacity) {
        rejected++;
      } else {
        place.waiting = blocks ? Thread.currentThread() : null;
        waiting.put(task, place);
        waiters = -1;
      }
    }
    if (waiters >= 0) {
      throw reject(task, waiters);
    }
    place.queued = true;
    Listeners listeners = owner.loop().listeners();
    if (listeners != null) {
      listeners.tell(listener -> listener.queued(task));
    }
    if (blocks) {
      await(place);
    }
    return place;
  }

  private synchronized boolean tryEnter(Place place, boolean beyondLimit) {
    if (beyondLimit || (active < admission.limit && waiting.isEmpty())) {
      active++;
      place.granted = true;
    }
    return place.granted;
  }

  /** Whether the caller runs below a task that holds a place, or may report for one. */
  private boolean isNested() {
    TaskImpl<?, ?> task = TaskImpl.current();
    while (task != null) {
      // A handler may hold up any task that has something to report.
      if (task.isHidden() || (task.owner() == owner && task.needsPlace())) {
        return true;
      }
      if (task.owner() instanceof TaskScope<?> scope) {
        task = scope.ownerTask();
      } else {
        Run around = task.loop().activeRun();
        task = around == null ? null : around.caller;
      }
    }
    return false;
  }

  private RejectedExecutionException reject(TaskImpl<?, ?> task, int waiters) {
    Listeners listeners = owner.loop().listeners();
    if (listeners != null) {
      listeners.tell(listener -> listener.rejected(task));
    }
    return new RejectedExecutionException(
        owner
            + " rejects "
            + task.name()
            + ": it has reached its limit of "
            + tasks(admission.limit)
            + (waiters > 0 ? ", and its queue the capacity of " + tasks(waiters) : ""));
  }

  private static String tasks(int count) {
    return count + (count == 1 ? " task" : " tasks");
  }

  /** Waits until a task gets its place, or is not to have one. */
  private void await(Place place) {
    if (owner.cancelled() != null) {
      ownerCancelled();
    }
    while (isWaiting(place.task)) {
      if (Thread.currentThread().isInterrupted()) {
        refuse(place);
      } else {
        LockSupport.park(this);
      }
    }
    tellAdmitted(place);
  }

  private void refuse(Place place) {
    CancelReason why = Strand.cancellation();
    synchronized (this) {
      if (waiting.remove(place.task) != null) {
        place.refused =
            why == null
                ? CancelReason.request("the thread that forks was interrupted")
                : new CancelReason(CancelReason.Source.PARENT, why.message(), why.by());
      }
    }
  }

  synchronized boolean isWaiting(TaskImpl<?, ?> task) {
    return waiting.containsKey(task);
  }

  /** Why the task is not to run; null if it may. */
  synchronized @Nullable CancelReason refused(Place place) {
    return place.refused;
  }

  /** The thread of a task is made. Returns whether it may start; otherwise it is queued. */
  boolean mayStart(Place place, Thread thread) {
    synchronized (this) {
      if (waiting.containsKey(place.task)) {
        place.waiting = thread;
        return false;
      }
    }
    tellAdmitted(place);
    return true;
  }

  /** The end of a task, or of its fork. */
  void leave() {
    Place next;
    do {
      synchronized (this) {
        active--;
        next = active < admission.limit && !waiting.isEmpty() ? grant(first()) : null;
      }
    } while (next != null && !admit(next));
  }

  /** A fork that came to nothing. */
  void leave(Place place) {
    boolean held;
    synchronized (this) {
      waiting.remove(place.task);
      held = place.granted;
    }
    tellAdmitted(place);
    if (held) {
      leave();
    }
  }

  private Place first() {
    return waiting.values().iterator().next();
  }

  private Place grant(Place place) {
    assert Thread.holdsLock(this);
    waiting.remove(place.task);
    place.granted = true;
    active++;
    return place;
  }

  /** A task was cancelled: if it is queued it ends now, beyond the limit. */
  void endIfQueued(TaskImpl<?, ?> task) {
    Place place;
    synchronized (this) {
      place = waiting.get(task);
      if (place == null || admission.policy != Admission.Policy.QUEUE) {
        return;
      }
      grant(place);
    }
    if (!admit(place)) {
      leave();
    }
  }

  /** The forks that wait get a cancelled task. */
  void ownerCancelled() {
    if (admission.policy == Admission.Policy.BLOCK) {
      synchronized (this) {
        for (Place place : waiting.values()) {
          place.refused = owner.cancelled();
          LockSupport.unpark(place.waiting);
        }
        waiting.clear();
      }
    }
  }

  /**
   * Wakes the fork, or starts the queued task, that was granted a place. Returns false if there was
   * no thread for it.
   */
  private boolean admit(Place place) {
    Thread thread;
    synchronized (this) {
      thread = place.waiting;
    }
    if (admission.policy == Admission.Policy.BLOCK) {
      LockSupport.unpark(thread);
      return true;
    }
    if (thread == null) {
      // Not forked to the end: who forks will find that it may start.
      return true;
    }
    tellAdmitted(place);
    return owner.startQueued(place.task, thread);
  }

  /** Once; by the thread that forks until the task may be started, and then by who grants. */
  private void tellAdmitted(Place place) {
    Listeners listeners = owner.loop().listeners();
    if (listeners != null && place.queued) {
      place.queued = false;
      Duration waited =
          Duration.ofNanos(Math.max(0, owner.loop().clock().nanoTime() - place.since));
      listeners.tell(listener -> listener.admitted(place.task, waited));
    }
  }

  synchronized Map<String, String> details() {
    return Map.of(
        "limit", String.valueOf(admission.limit),
        "active", String.valueOf(active),
        "queued", String.valueOf(waiting.size()),
        "rejected", String.valueOf(rejected));
  }
}
