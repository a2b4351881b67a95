package dev.selvedge.testkit;

import dev.selvedge.LoopClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The system's clock, and what was scheduled through this very object. */
final class WatchedClock implements LoopClock {
  /** One object per alarm. */
  private static final class Armed {
    final Runnable action;
    final Duration delay;
    volatile Alarm timer = () -> {};

    Armed(Runnable action, Duration delay) {
      this.action = action;
      this.delay = delay;
    }
  }

  private final Set<Armed> armed = ConcurrentHashMap.newKeySet();

  @Override
  public long nanoTime() {
    return LoopClock.system().nanoTime();
  }

  @Override
  public Instant instant() {
    return LoopClock.system().instant();
  }

  @Override
  public Alarm schedule(Runnable action, Duration delay) {
    var alarm = new Armed(action, delay);
    armed.add(alarm);
    alarm.timer = LoopClock.system().schedule(() -> ring(alarm), delay);
    return () -> cancel(alarm);
  }

  private void cancel(Armed alarm) {
    armed.remove(alarm);
    alarm.timer.cancel();
  }

  void cancelAll() {
    armed.forEach(this::cancel);
  }

  private void ring(Armed alarm) {
    if (armed.remove(alarm)) {
      alarm.action.run();
    }
  }

  int alarms() {
    return armed.size();
  }

  String describeAlarms() {
    var text = new StringBuilder();
    armed.forEach(
        alarm -> text.append("\n  after ").append(alarm.delay).append(": ").append(alarm.action));
    return text.toString();
  }

  @Override
  public String toString() {
    return "the system's clock, watched";
  }
}
