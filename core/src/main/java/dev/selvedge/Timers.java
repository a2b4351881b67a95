package dev.selvedge;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

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

  // ---- a clock that costs its readers next to nothing

  private static final Duration TICK = Duration.ofMillis(20);
  private static final long START = System.nanoTime();

  /** The milliseconds from {@link #START} to the last tick; negative while it stands still. */
  private static volatile long ticked = -1;

  // Written when it starts to tick and by the timer thread.
  private static volatile long readAtLastTick;
  private static volatile @Nullable ScheduledFuture<?> tick;

  /**
   * The milliseconds since the start of the library, at most {@link #TICK} ago: for ages. Reading
   * the system's clock would take a tenth of the time of a fork. The clock ticks while tasks are
   * created.
   */
  static long millis() {
    long now = ticked;
    return now >= 0 ? now : startTicking();
  }

  static Duration since(long millis) {
    return Duration.ofMillis(Math.max(0, exactMillis() - millis));
  }

  private static long exactMillis() {
    return (System.nanoTime() - START) / 1_000_000;
  }

  private static synchronized long startTicking() {
    if (ticked < 0) {
      readAtLastTick = TaskImpl.lastId();
      tick = schedule(Timers::tick, TICK);
      ticked = exactMillis();
    }
    return ticked;
  }

  private static synchronized void tick() {
    long last = TaskImpl.lastId();
    if (last == readAtLastTick) {
      ticked = -1;
      return;
    }
    readAtLastTick = last;
    ticked = exactMillis();
    tick = schedule(Timers::tick, TICK);
  }

  /** How many are armed, but for the clock. */
  static int armed() {
    ScheduledFuture<?> clock = tick;
    return (int) TIMER.getQueue().stream().filter(armed -> !armed.equals(clock)).count();
  }

  /** The duration in nanoseconds, or as many as fit into half a long. */
  static long nanos(Duration duration) {
    return duration.compareTo(Duration.ofNanos(Long.MAX_VALUE / 2)) >= 0
        ? Long.MAX_VALUE / 2
        : duration.toNanos();
  }
}
