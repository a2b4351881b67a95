package dev.selvedge;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The end of the process, by SIGTERM, by {@code System.exit} or because the last thread ended: a
 * shutdown hook cancels what runs, waits for it within {@code shutdownTimeout}, and reports what
 * nobody retrieved.
 *
 * <p>A task that called {@code System.exit} itself cannot end before the hook does, and neither can
 * a task that waits for it; the hook waits for neither.
 */
final class Exit {
  private static final long FIRST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long LONGEST_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private static boolean hooked; // guarded by Exit.class
  private static volatile boolean skipped;

  private Exit() {}

  /** Makes the process wait for its loops when it ends. */
  static synchronized void hook() {
    if (!hooked) {
      hooked = true;
      try {
        Runtime.getRuntime()
            .addShutdownHook(Thread.ofPlatform().name("selvedge-exit").unstarted(Exit::atExit));
      } catch (IllegalStateException exiting) {
        // A loop of a shutdown hook: the exit that it would wait for has begun.
        skip();
      }
    }
  }

  /** A second Ctrl-C: waits for nobody. */
  static void skip() {
    skipped = true;
  }

  private static void atExit() {
    if (!skipped) {
      end(Loop.handlingSignals());
    }
  }

  /** Cancels what runs in the loops, waits, and reports. */
  static void end(List<Loop> loops) {
    var reason = new CancelReason(CancelReason.Source.SHUTDOWN, "the process ends", null);
    long start = System.nanoTime();
    for (Loop loop : loops) {
      Run run = loop.activeRun();
      if (run != null) {
        run.cancel(reason);
      }
    }
    for (Loop loop : loops) {
      await(loop, reason, start);
    }
    report(loops, start);
  }

  private static void await(Loop loop, CancelReason reason, long start) {
    long look = FIRST_LOOK_NANOS;
    while (!isOver(loop.shutdownTimeout(), start) && !skipped) {
      List<TaskImpl<?, ?>> tasks = loop.unendedBelow();
      TaskImpl<?, ?> handling = loop.reports().carrier();
      if (handling != null) {
        tasks.add(handling);
      }
      List<TaskImpl<?, ?>> exiting = tasks.stream().filter(Exit::isExiting).toList();
      boolean running = loop.activeRun() != null;
      if (!loop.isClosed() && (!running || !exiting.isEmpty())) {
        loop.cancelChildren(reason);
        Strand.foreignScopes(loop).forEach(scope -> scope.cancelChildren(reason));
      }
      if (tasks.isEmpty() ? !running : areStuck(tasks, exiting, loop.reports())) {
        return;
      }
      LockSupport.parkNanos(look);
      look = Math.min(2 * look, LONGEST_LOOK_NANOS);
    }
  }

  /** Whether each task is inside System.exit or waits for one that is. */
  private static boolean areStuck(
      List<TaskImpl<?, ?>> tasks, List<TaskImpl<?, ?>> exiting, Reports reports) {
    TaskImpl<?, ?> handling = reports.carrier();
    boolean handlerExits = handling != null && exiting.contains(handling);
    return tasks.stream()
        .allMatch(task ->
            exiting.contains(task)
                || (handlerExits && reports.isAwaitedBy(task))
                || exiting.stream().anyMatch(end -> Circle.leads(task, end)));
  }

  private static boolean isExiting(@Nullable TaskImpl<?, ?> task) {
    Thread thread = task == null ? null : task.thread();
    if (thread != null) {
      for (StackTraceElement frame : thread.getStackTrace()) {
        if (frame.getClassName().equals("java.lang.Runtime")
            && frame.getMethodName().equals("exit")) {
          return true;
        }
      }
    }
    return false;
  }

  /** A handler may block, so it gets what is left of the time and no more. */
  private static void report(List<Loop> loops, long start) {
    Thread reporter =
        Thread.ofVirtual()
            .start(() -> {
              for (Loop loop : loops) {
                loop.ownersBelow().forEach(Owner::reportUnread);
                loop.reports().flush();
              }
              Orphans.unread().forEach(Failed::deliver);
            });
    Duration longest =
        loops.stream().map(Loop::shutdownTimeout).max(Duration::compareTo).orElse(Duration.ZERO);
    while (reporter.isAlive()
        && loops.stream().map(loop -> loop.reports().carrier()).noneMatch(Exit::isExiting)
        && !isOver(longest, start)
        && !skipped) {
      LockSupport.parkNanos(FIRST_LOOK_NANOS);
    }
  }

  private static boolean isOver(Duration limit, long start) {
    return System.nanoTime() - start >= Timers.nanos(limit);
  }
}
