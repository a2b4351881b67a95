package dev.selvedge;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The library's own timer: one daemon thread per process, gone when idle for a while. What runs on
 * it neither blocks nor throws.
 */
final class Timers {
  private static final ScheduledThreadPoolExecutor TIMER =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().daemon().name("selvedge-timer").factory());

  static {
    TIMER.setRemoveOnCancelPolicy(true);
    TIMER.setKeepAliveTime(5, TimeUnit.SECONDS);
    TIMER.allowCoreThreadTimeOut(true);
  }

  private Timers() {}

  static ScheduledFuture<?> schedule(Runnable action, Duration delay) {
    return TIMER.schedule(action, nanos(delay), TimeUnit.NANOSECONDS);
  }

  /** How many are armed. */
  static int armed() {
    return TIMER.getQueue().size();
  }

  /** The duration in nanoseconds, or as many as fit into half a long. */
  static long nanos(Duration duration) {
    return duration.compareTo(Duration.ofNanos(Long.MAX_VALUE / 2)) >= 0
        ? Long.MAX_VALUE / 2
        : duration.toNanos();
  }
}
