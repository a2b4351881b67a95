package dev.selvedge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The end of a task that has a failure to tell: the failure, who must not be kept alive for it (the
 * task), and whether somebody has heard of it. It is what a loop keeps of a failed task; a task
 * that succeeds has none.
 *
 * <p>Its fate moves once: from {@code UNREAD} to {@code RETRIEVED}, {@code IGNORED} or {@code
 * REPORTED}. Whoever moves it to {@code REPORTED} calls the handler, so it is called at most once.
 */
final class Failed extends WeakReference<TaskImpl<?, ?>> {
  enum Fate {
    UNREAD,
    RETRIEVED,
    IGNORED,
    REPORTED
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
  private volatile Fate fate = Fate.UNREAD;

  /** Whether it was ignored before there was a failure; the thread of the task's. */
  private boolean ignoredAtEnd;

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

  void retrieve() {
    if (settle(Fate.RETRIEVED)) {
      release();
    }
  }

  void ignore() {
    if (settle(Fate.IGNORED)) {
      release();
      tellIgnored();
    }
  }

  /** Ignored before the task is done; its listeners are told when it is. */
  void ignoreAtEnd() {
    ignoredAtEnd = settle(Fate.IGNORED);
  }

  void tellIgnoredAtEnd() {
    if (ignoredAtEnd) {
      tellIgnored();
    }
  }

  private void tellIgnored() {
    Listeners listeners = owner.loop().listeners();
    if (listeners != null) {
      failures().forEach(failure -> listeners.tolerated(task(), failure));
    }
  }

  private boolean settle(Fate next) {
    return FATE.compareAndSet(this, Fate.UNREAD, next);
  }

  private void release() {
    owner.forget(this);
    Orphans.untrack(this);
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
    enqueue(failures());
  }

  /** Reports if nobody has heard of it, and waits until the handler has returned. */
  void deliver() {
    deliver(failures());
  }

  /** The same with those failures that nobody else took. */
  void deliver(List<Throwable> left) {
    Reports reports = owner.loop().reports();
    List<Reports.Report> posted = enqueue(left);
    posted.forEach(reports::await);
    if (posted.isEmpty() && fate == Fate.REPORTED) {
      // Somebody else reports it; it is in the queue by now.
      reports.flush();
    }
  }

  /** Whoever comes second finds the reports in the queue: the monitor makes claim and queue one. */
  private List<Reports.Report> enqueue(List<Throwable> unheard) {
    var posted = new ArrayList<Reports.Report>();
    synchronized (this) {
      if (!settle(Fate.REPORTED)) {
        return posted;
      }
      for (Throwable failure : unheard) {
        posted.add(owner.loop().reports().post(report(failure), context));
      }
    }
    release();
    return posted;
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
