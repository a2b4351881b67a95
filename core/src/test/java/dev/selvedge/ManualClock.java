package dev.selvedge;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** A clock that stands still until a test moves it. Alarms ring in the thread that does. */
public final class ManualClock implements LoopClock {
  private static final Instant START = Instant.parse("2000-01-01T00:00:00Z");

  private record Armed(long due, Runnable action) {}

  // Guarded by this.
  private final List<Armed> alarms = new ArrayList<>();
  private long now;

  @Override
  public synchronized long nanoTime() {
    return now;
  }

  @Override
  public synchronized Instant instant() {
    return START.plusNanos(now);
  }

  @Override
  public synchronized Alarm schedule(Runnable action, Duration delay) {
    long nanos = TimeUnit.NANOSECONDS.convert(delay);
    var alarm = new Armed(nanos < Long.MAX_VALUE - now ? now + nanos : Long.MAX_VALUE, action);
    alarms.add(alarm);
    return () -> forget(alarm);
  }

  private synchronized void forget(Armed alarm) {
    alarms.removeIf(each -> each == alarm);
  }

  /** How many alarms have neither rung nor been cancelled. */
  public synchronized int armed() {
    return alarms.size();
  }

  /** Waits until so many alarms are armed. */
  public void awaitArmed(int count) {
    Awaitility.await().until(() -> armed() == count);
  }

  /** Moves the time on; what is due meanwhile rings in order, each at its own time. */
  public void advance(Duration by) {
    long end = nanoTime() + by.toNanos();
    for (Armed next; (next = nextUntil(end)) != null; ) {
      next.action.run();
    }
  }

  private synchronized @Nullable Armed nextUntil(long end) {
    Armed next = alarms.stream().min(Comparator.comparingLong(Armed::due)).orElse(null);
    if (next == null || next.due > end) {
      now = Math.max(now, end);
      return null;
    }
    alarms.remove(next);
    now = Math.max(now, next.due);
    return next;
  }
}
