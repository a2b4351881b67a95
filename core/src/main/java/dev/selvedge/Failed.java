package dev.selvedge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The end of a task that has a failure to tell: the failure, who must not be kept alive for it (the
 * task), and whether somebody has heard of it. It is what a loop keeps of a failed task; a task
 * that succeeds has none.
 *
 * <p>Its fate moves once. Whoever moves it to {@code ORPHANED} calls the handler, so it is called
 * at most once.
 */
final class Failed extends WeakReference<TaskImpl<?, ?>> {
  enum Fate {
    UNREAD,
    AWAITED,
    SUPPRESSED,
    TOLERATED,
    ORPHANED
  }

  private static final VarHandle FATE;

  static {
    try {
      FATE = MethodHandles.lookup().findVarHandle(Failed.class, "fate", Fate.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** What awaiting the task throws. */
  final Throwable exception;

  /** Whether the task was cancelled, rather than failed with somebody else's cancellation. */
  final boolean cancelled;

  private final Owner owner;
  private final long id;
  private final @Nullable String givenName;
  private final @Nullable TaskTrace created;
  private final Context.@Nullable Captured context;
  volatile Fate fate = Fate.UNREAD;

  /** Whether its fate was settled before there was a failure; the thread of the task's. */
  private boolean settledAtEnd;

  /** The timer of {@code orphanAfter}; written before the task can be seen to be done. */
  private volatile LoopClock.@Nullable Alarm timer;

  Failed(TaskImpl<?, ?> task, Throwable exception, boolean cancelled) {
    super(task, task.owner().outlivesHandles() ? Orphans.QUEUE : null);
    this.exception = exception;
    this.cancelled = cancelled;
    this.owner = task.owner();
    this.id = task.id();
    this.givenName = task.givenName();
    this.created = task.created();
    this.context = task.hasCold() ? task.cold().context : null;
  }

  long id() {
    return id;
  }

  @Nullable String givenName() {
    return givenName;
  }

  Owner owner() {
    return owner;
  }

  @Nullable TaskTrace created() {
    return created;
  }

  boolean isUnread() {
    return fate == Fate.UNREAD;
  }

  /** The failure; of a cancelled task those that are suppressed in what ended it. */
  List<Throwable> failures() {
    return cancelled ? Failures.suppressedFailures(exception.getCause()) : List.of(exception);
  }

  /** Settles its fate, if it was unread, as one that is not to be reported. */
  void settle(Fate next) {
    Points.reach("claim");
    if (move(next)) {
      release();
      tell(next, failures());
    }
  }

  /** The same before the task is done; listeners are told when it is. */
  void settleAtEnd(Fate next) {
    settledAtEnd = move(next);
  }

  void tellFateAtEnd() {
    if (settledAtEnd) {
      tell(fate, failures());
    }
  }

  private boolean move(Fate next) {
    return FATE.compareAndSet(this, Fate.UNREAD, next);
  }

  private void tell(Fate settled, List<Throwable> failures) {
    Listeners listeners = owner.loop().listeners();
    if (listeners == null || failures.isEmpty()) {
      return;
    }
    TaskImpl<?, ?> task = task();
    for (Throwable failure : failures) {
      listeners.tell(listener -> {
        switch (settled) {
          case AWAITED -> listener.awaited(task, failure);
          case SUPPRESSED -> listener.suppressed(task, failure);
          case TOLERATED -> listener.tolerated(task, failure);
          case ORPHANED -> listener.orphaned(task, failure);
          case UNREAD -> throw new AssertionError();
        }
      });
    }
  }

  private void release() {
    // The owner last: it comes here again when it closes, should there be no stack left for this.
    Orphans.untrack(this);
    owner.forget(this);
    LoopClock.Alarm armed = timer;
    if (armed != null) {
      armed.cancel();
    }
  }

  /** Arms {@code orphanAfter}. */
  void reportAfter(LoopClock.Alarm armed) {
    timer = armed;
    if (!isUnread()) {
      armed.cancel();
    }
  }

  /** Reports if nobody has heard of it, without waiting for the handler. */
  void post() {
    enqueue(null);
  }

  /** Reports if nobody has heard of it, and waits until the handler has returned. */
  void deliver() {
    deliver(null);
  }

  /** The same with those failures that nobody else took; null if that is all of them. */
  void deliver(@Nullable List<Throwable> left) {
    Reports reports = owner.loop().reports();
    List<Reports.Report> posted = enqueue(left);
    posted.forEach(reports::await);
    if (posted.isEmpty()) {
      // Whoever settled it may have had no stack left for this.
      release();
      if (fate == Fate.ORPHANED) {
        // Somebody else reports it; it is in the queue by now.
        reports.flush();
      }
    }
  }

  /**
   * Claims and queues the reports, of all failures if it is given none. The caller may be the last
   * who knows of them, so it waits while somebody else fills the heap.
   */
  List<Reports.Report> enqueue(@Nullable List<Throwable> unheard) {
    while (true) {
      try {
        return claim(unheard == null ? failures() : unheard);
      } catch (OutOfMemoryError full) {
        Failures.awaitMemory();
      }
    }
  }

  /** Whoever comes second finds the reports in the queue: the monitor makes claim and queue one. */
  private List<Reports.Report> claim(List<Throwable> unheard) {
    synchronized (this) {
      if (!isUnread()) {
        return List.of();
      }
    }
    List<Reports.Report> prepared = unheard.stream().map(this::prepare).toList();
    Points.reach("claim");
    synchronized (this) {
      if (!move(Fate.ORPHANED)) {
        return List.of();
      }
      Points.reach("claimed");
      // From here to the last there is no need of memory.
      for (int i = 0; i < prepared.size(); i++) {
        owner.loop().reports().post(prepared.get(i));
      }
    }
    release();
    TaskImpl<?, ?> task = task();
    unheard.forEach(failure -> FlightRecorder.orphaned(task, failure));
    tell(Fate.SUPPRESSED, failures().stream().filter(each -> !isIn(unheard, each)).toList());
    return prepared;
  }

  private Reports.Report prepare(Throwable failure) {
    return Reports.orphan(report(failure), context, () -> tell(Fate.ORPHANED, List.of(failure)));
  }

  @SuppressWarnings("ReferenceEquality") // an exception may call itself equal to others
  private static boolean isIn(List<Throwable> failures, Throwable failure) {
    return failures.stream().anyMatch(each -> each == failure);
  }

  private ExceptionContext report(Throwable failure) {
    return new ExceptionContext(
        "Task exception was never retrieved",
        failure,
        task(),
        created == null ? Map.of() : Map.of("created", created.frames()));
  }

  private TaskImpl<?, ?> task() {
    TaskImpl<?, ?> task = get();
    return task != null ? task : TaskImpl.replica(this);
  }
}
