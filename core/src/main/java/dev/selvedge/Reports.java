package dev.selvedge;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings a loop's reports to its exception handler, one at a time and in order.
 *
 * <p>A hidden task takes them from a queue and calls the handler; it starts with the first report
 * and ends with the last. Who reports waits until the handler has returned, whatever interrupts it.
 * That wait is a wait like any other, so the handler may be waiting for the very task that reports:
 * then the reporter goes on, and its report stays in the queue. Because the handler may begin to
 * wait after the reporter did, the reporter looks again from time to time.
 */
final class Reports {
  private static final long FIRST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long LONGEST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /** A report on its way, for whose end the task that reports may wait. */
  static final class Report {
    private final @Nullable ExceptionContext context;
    private final Context.@Nullable Captured captured;

    /** What listeners are told before the handler is called. */
    private final Consumer<Listeners> tell;

    private final Thread reporter = Thread.currentThread();

    /** In whose queue it is; set when it gets there. */
    private @Nullable Reports reports;

    /** The one that was reported next; guarded by the monitor of the queue. */
    private @Nullable Report next;

    /** Set once the handler has returned. */
    private volatile boolean done;

    private Report(
        @Nullable ExceptionContext context,
        Context.@Nullable Captured captured,
        Consumer<Listeners> tell) {
      this.context = context;
      this.captured = captured;
      this.tell = tell;
    }

    boolean isDone() {
      return done;
    }

    /** The task that calls the handler, if there is one. */
    List<TaskImpl<?, ?>> handling() {
      TaskImpl<?, ?> carrier = reports == null ? null : reports.carrier();
      return carrier == null ? List.of() : List.of(carrier);
    }
  }

  private final Loop loop;

  /** The queue, linked so that queueing needs no memory; guarded by this. */
  private @Nullable Report first;

  private @Nullable Report last; // guarded by this

  /** The task that calls the handler while there is something to report; guarded by this. */
  private @Nullable TaskImpl<?, ?> carrier;

  Reports(Loop loop) {
    this.loop = loop;
  }

  /** Reports without waiting. */
  Report post(ExceptionContext context) {
    return post(context, null);
  }

  /** Reports without waiting; the handler runs in the context of the task that failed. */
  Report post(ExceptionContext context, Context.@Nullable Captured captured) {
    return post(
        new Report(context, captured, listeners -> listeners.tell(each -> each.reported(context))));
  }

  /** The report of a failure that reached nobody, to be posted; listeners are told so before. */
  static Report orphan(
      ExceptionContext context, Context.@Nullable Captured captured, Runnable tell) {
    return new Report(
        context,
        captured,
        listeners -> {
          tell.run();
          listeners.tell(each -> each.reported(context));
        });
  }

  /** Tells of a task that goes on although it was asked to cancel, and may warn of it. */
  void postStraggler(Task<?, ?> task, Duration asked, @Nullable ExceptionContext warning) {
    if (warning == null && loop.listeners() == null) {
      return;
    }
    post(
        new Report(
            warning,
            null,
            listeners -> {
              listeners.tell(each -> each.straggling(task, asked));
              if (warning != null) {
                listeners.tell(each -> each.reported(warning));
              }
            }));
  }

  /** Reports what a listener threw, and tells none of it. */
  void postFromListener(ExceptionContext context) {
    post(new Report(context, null, _ -> {}));
  }

  /** Reports without waiting, and without need of memory. */
  Report post(Report report) {
    synchronized (this) {
      report.reports = this;
      if (last == null) {
        first = report;
      } else {
        last.next = report;
      }
      last = report;
    }
    startCarrier();
    return report;
  }

  /** The next report; without one the carrier is at its end. */
  private synchronized @Nullable Report poll() {
    Report report = first;
    if (report == null) {
      carrier = null;
      return null;
    }
    first = report.next;
    if (first == null) {
      last = null;
    }
    return report;
  }

  /** Reports and waits until the handler has returned. */
  void deliver(ExceptionContext context) {
    await(post(context));
  }

  /** Waits until what was reported so far has been handled. */
  void flush() {
    if (isBusy()) {
      await(post(new Report(null, null, _ -> {})));
    }
  }

  private synchronized boolean isBusy() {
    return carrier != null || first != null;
  }

  synchronized @Nullable TaskImpl<?, ?> carrier() {
    return carrier;
  }

  @SuppressWarnings("ReferenceEquality") // the carrier itself
  private void startCarrier() {
    TaskImpl<?, ?> created = null;
    try {
      synchronized (this) {
        if (carrier != null || first == null) {
          return;
        }
        created =
            new TaskImpl<@Nullable Void, RuntimeException>(
                loop, "exception handler", Failures.body(this::drain), TaskImpl.HIDDEN);
        carrier = created;
      }
      // Never the loop's own factory: it may be what has just failed.
      Thread thread = Thread.ofVirtual().name("exception handler").unstarted(created);
      thread.setUncaughtExceptionHandler(created);
      created.thread(thread);
      thread.start();
    } catch (Throwable noThread) {
      // The report stays in the queue: who waits for it tries again, and so does the next report.
      synchronized (this) {
        if (carrier == created) {
          carrier = null;
        }
      }
    }
  }

  private void drain() {
    for (Report report; (report = poll()) != null; ) {
      try {
        Listeners listeners = loop.listeners();
        if (listeners != null) {
          report.tell.accept(listeners);
          Thread.interrupted();
        }
        if (report.context != null) {
          handle(report.context, report.captured);
        }
      } catch (Throwable broken) {
        if (report.context != null && report.context.exception() != null) {
          lastResort(report.context.exception());
        }
        lastResort(broken);
      } finally {
        // An interrupt that the handler left behind is not the next call's.
        Thread.interrupted();
        report.done = true;
        LockSupport.unpark(report.reporter);
      }
    }
  }

  /** Even the default handler failed: the JVM's own word is what is left. Never throws. */
  static void lastResort(Throwable broken) {
    try {
      Thread thread = Thread.currentThread();
      thread.getThreadGroup().uncaughtException(thread, broken);
    } catch (Throwable again) {
      DefaultHandler.printRaw(StackText.describe(broken) + "\n");
    }
  }

  private void handle(ExceptionContext context, Context.@Nullable Captured captured)
      throws InterruptedException {
    if (captured == null) {
      handle(context);
      return;
    }
    var called = new AtomicBoolean();
    try {
      captured.run(() -> {
        if (called.compareAndSet(false, true)) {
          handle(context);
        }
      });
    } catch (Throwable broken) {
      loop.defaultExceptionHandler(
          new ExceptionContext("Exception in a context carrier", broken, null, Map.of()));
    }
    if (!called.get()) {
      handle(context);
    }
  }

  private void handle(ExceptionContext context) {
    LoopExceptionHandler handler = loop.effectiveHandler();
    if (handler == null) {
      loop.defaultExceptionHandler(context);
      return;
    }
    try {
      handler.handle(loop, context);
    } catch (Throwable broken) {
      Listeners listeners = loop.listeners();
      if (listeners != null) {
        listeners.tell(listener -> listener.handlerFailed(context, broken));
      }
      loop.defaultExceptionHandler(context);
      loop.defaultExceptionHandler(
          new ExceptionContext(
              "Exception in the exception handler",
              broken,
              null,
              Map.of("handler", handler.getClass().getName())));
    }
  }

  /** Waits until the handler has returned, unless it waits for the caller. */
  @SuppressWarnings("ReferenceEquality") // the carrier itself
  void await(Report report) {
    TaskImpl<?, ?> reporter = TaskImpl.current();
    boolean interrupted = false;
    long look = FIRST_LOOK_NANOS;
    while (!report.done) {
      if (reporter != null && reporter.hasCold()) {
        // The handler may wait for it, over a task that reports to another loop.
        reporter.cold().blockedOn = report;
      }
      TaskImpl<?, ?> working = carrier();
      if (reporter != null
          && working != null
          && (reporter == working || Circle.leads(working, reporter))) {
        break;
      }
      if (working == null) {
        startCarrier();
      }
      LockSupport.parkNanos(this, look);
      look = Math.min(2 * look, LONGEST_LOOK_NANOS);
      interrupted |= Thread.interrupted();
    }
    if (reporter != null && reporter.hasCold()) {
      reporter.cold().blockedOn = null;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether a task waits until the handler has returned, at this moment. */
  boolean isAwaitedBy(TaskImpl<?, ?> task) {
    Thread thread = task.thread();
    return thread != null && LockSupport.getBlocker(thread) == this;
  }
}
