package dev.selvedge.testkit;

import static java.util.Objects.requireNonNull;

import dev.selvedge.LoopClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A clock that a test moves, so that limits, periods and backoffs take no time. It begins at the
 * start of the year 2000.
 *
 * {@snippet file="dev/selvedge/testkit/SamplesTest.java" region="clock"}
 *
 * <p>{@link #advance} jumps, as the clock of a laptop does that was closed. {@link #elapse} and
 * {@link #runUntilIdle} go from alarm to alarm and let the tasks do what each of them brings. A
 * {@linkplain #jumping() jumping} clock does that by itself while everybody waits, the test as
 * well.
 *
 * <p><b>Who waits.</b> Looked at are the threads of all tasks of the open loops that have this
 * clock, and those for which such a loop is the {@linkplain dev.selvedge.Loop#asCurrent current}
 * one, a test's own among them. Time does not move while one of them can run.
 *
 * <p><b>Pitfalls:</b> whoever is blocked counts as waiting, also in I/O, in {@link Thread#sleep},
 * or for a thread that is no task: time may move before that has answered. A platform thread in a
 * read counts as running. A thread that the library does not know, such as one of a foreign
 * executor, keeps nothing from moving. A loop on another clock that runs inside of a task is not
 * looked at. A platform thread that was woken, except by the end of a task, counts as running for
 * ten milliseconds only, however late the operating system is. A virtual thread that {@code
 * synchronized} or {@link Object#wait() wait} lets go on does so for 200 milliseconds: that is how
 * long time stands still whenever a task waits for a monitor, and a machine that is busier than
 * that may jump too early. Locks of {@code java.util.concurrent} have neither fault.
 *
 * <p><b>Threads:</b> every method may be called from any thread. Alarms ring one at a time, in the
 * thread that moves the clock, in order of their time and then of their scheduling. Who moves it
 * gets what an alarm throws; when a jumping clock moves by itself, that goes to the uncaught
 * exception handler of its thread, and fails the test of a {@link SelvedgeExtension}.
 *
 * @since 0.1.0
 */
public final class ManualClock implements LoopClock {
  private static final Instant START = Instant.parse("2000-01-01T00:00:00Z");
  private static final Duration PAUSE = Duration.ofMillis(5);
  private static final Duration IDLE = Duration.ofSeconds(1);

  /** What is due later is not waited for: it stands for never. */
  static final Duration HORIZON = Duration.ofDays(36_500);

  private static final long LAST = HORIZON.toNanos();

  /** More alarms than that before all is idle are those of something periodic. */
  private static final int MOST_ALARMS = 10_000;

  private record Armed(long due, long number, Runnable action, Thread by)
      implements Comparable<Armed> {
    @Override
    public int compareTo(Armed other) {
      return due != other.due ? Long.compare(due, other.due) : Long.compare(number, other.number);
    }

    String describe(long now) {
      return "in " + Duration.ofNanos(due - now) + ": " + action;
    }
  }

  /** How long is waited for others, by the system's clock; less in tests of this class. */
  volatile Duration patience = Duration.ofSeconds(10);

  private final boolean jumping;
  private final Set<Thread> woken = ConcurrentHashMap.newKeySet();
  private final Stillness stillness =
      new Stillness(loop -> equals(loop.clock()), this::changes, woken);

  private final List<Throwable> failures = new CopyOnWriteArrayList<>();

  /** Held while an alarm rings. */
  private final ReentrantLock ringing = new ReentrantLock();

  // Guarded by this.
  private final TreeSet<Armed> alarms = new TreeSet<>();
  private long now;
  private long changes;
  private int drivers;
  private boolean halted;
  private @Nullable Thread jumper;

  /** A clock that stands still until it is moved. */
  public ManualClock() {
    this(false);
  }

  private ManualClock(boolean jumping) {
    this.jumping = jumping;
  }

  /**
   * A clock that moves to the next alarm whenever everybody waits and only alarms can end that. It
   * can be moved by hand, too.
   *
   * @return a new clock
   */
  public static ManualClock jumping() {
    return new ManualClock(true);
  }

  boolean isJumping() {
    return jumping;
  }

  // ---- what loops ask for

  @Override
  public synchronized long nanoTime() {
    return now;
  }

  @Override
  public synchronized Instant instant() {
    return START.plusNanos(now);
  }

  /**
   * How far the clock was moved.
   *
   * @return zero or more
   */
  public Duration elapsed() {
    return Duration.ofNanos(nanoTime());
  }

  @Override
  public synchronized Alarm schedule(Runnable action, Duration delay) {
    requireNonNull(action, "action");
    long nanos = Math.max(0, TimeUnit.NANOSECONDS.convert(delay));
    long due = nanos < Long.MAX_VALUE - now ? now + nanos : Long.MAX_VALUE;
    var alarm = new Armed(due, ++changes, action, Thread.currentThread());
    alarms.add(alarm);
    if (jumping && jumper == null && !halted) {
      jumper = Thread.ofPlatform().daemon().name("selvedge-manual-clock").start(this::jump);
    }
    notifyAll();
    return () -> forget(alarm);
  }

  private synchronized void forget(Armed alarm) {
    if (alarms.remove(alarm)) {
      changes++;
    }
    notifyAll();
  }

  private synchronized long changes() {
    return changes;
  }

  /**
   * How many alarms are armed: they have neither rung nor been cancelled.
   *
   * @return zero or more
   */
  public synchronized int alarms() {
    return alarms.size();
  }

  /** Each alarm that is armed, for messages. */
  synchronized String describeAlarms() {
    var text = new StringBuilder();
    alarms.forEach(alarm -> text.append("\n  ").append(alarm.describe(now)));
    return text.toString();
  }

  /**
   * Waits, at most ten seconds, until so many alarms are armed. A jumping clock stands still
   * meanwhile.
   *
   * @param count how many
   * @throws IllegalArgumentException if that is negative
   * @throws AssertionError if that does not happen, or the caller is interrupted, whose flag is
   *     then set again
   */
  public void awaitAlarms(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("count is negative: " + count);
    }
    begin();
    try {
      long deadline = System.nanoTime() + patience.toNanos();
      synchronized (this) {
        while (alarms.size() != count) {
          long left = deadline - System.nanoTime();
          if (left <= 0) {
            throw new AssertionError(
                count
                    + " alarms were not armed within "
                    + patience
                    + ": "
                    + this
                    + describeAlarms());
          }
          TimeUnit.NANOSECONDS.timedWait(this, left);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for " + count + " alarms: " + this, e);
    } finally {
      finish();
    }
  }

  // ---- moving it

  /**
   * Moves the clock at once. What is due meanwhile rings, each alarm at its own time; nobody is
   * waited for. A task that the first of them wakes may so find that more time has passed.
   *
   * @param by how far; zero or more
   * @throws IllegalArgumentException if it is negative
   */
  public void advance(Duration by) {
    requireNonNull(by, "by");
    begin();
    ringing.lock();
    try {
      long end = after(by);
      while (true) {
        Armed next;
        synchronized (this) {
          next = take(end);
          if (next == null) {
            now = Math.max(now, end);
            changes++;
            return;
          }
        }
        next.action.run();
      }
    } finally {
      ringing.unlock();
      finish();
    }
  }

  /**
   * Lets time pass: waits until everybody but the caller is blocked, rings the next alarm, and so
   * on until the time is over and everybody is blocked again.
   *
   * @param time how long; zero or more. Zero just waits for everybody
   * @throws IllegalArgumentException if it is negative
   * @throws AssertionError if somebody is not blocked within ten seconds
   * @throws InterruptedException if the caller is interrupted
   */
  public void elapse(Duration time) throws InterruptedException {
    long end = after(requireNonNull(time, "time"));
    begin();
    try {
      while (ring(awaitStillness(), end)) {}
      synchronized (this) {
        now = Math.max(now, end);
        changes++;
      }
    } finally {
      finish();
    }
  }

  /**
   * Rings one alarm after the other, waiting before each until everybody but the caller is blocked,
   * until none is left. What is due in a hundred years stands for never.
   *
   * @throws AssertionError if somebody is not blocked within ten seconds, or if after 10000 alarms
   *     there are still more: something is periodic
   * @throws InterruptedException if the caller is interrupted
   */
  public void runUntilIdle() throws InterruptedException {
    runUntilIdle(MOST_ALARMS);
  }

  void runUntilIdle(int most) throws InterruptedException {
    begin();
    try {
      for (int rung = 0; ring(awaitStillness(), LAST); rung++) {
        if (rung == most) {
          throw new AssertionError(
              "after "
                  + rung
                  + " alarms there are more; is something periodic? Use elapse. "
                  + this
                  + describeAlarms());
        }
      }
    } finally {
      finish();
    }
  }

  private long after(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("a clock does not go back: " + duration);
    }
    long start = nanoTime();
    long nanos = TimeUnit.NANOSECONDS.convert(duration);
    return nanos < Long.MAX_VALUE - start ? start + nanos : Long.MAX_VALUE;
  }

  /** A jumping clock stands still until {@link #finish}. */
  private synchronized void begin() {
    drivers++;
  }

  private synchronized void finish() {
    drivers--;
    notifyAll();
  }

  private long awaitStillness() throws InterruptedException {
    long number = stillness.await(patience, Duration.ZERO, Thread.currentThread());
    if (number < 0) {
      throw new AssertionError(
          "not everybody was blocked within "
              + patience
              + ". Last seen to run: "
              + stillness.running());
    }
    return number;
  }

  /** Rings the next alarm, unless it is due later, or something has changed. */
  private boolean ring(long unchanged, long until) {
    ringing.lock();
    try {
      Armed next;
      synchronized (this) {
        if (changes != unchanged) {
          return true;
        }
        next = take(until);
      }
      if (next != null) {
        next.action.run();
      }
      return next != null;
    } finally {
      ringing.unlock();
    }
  }

  private @Nullable Armed take(long until) {
    if (alarms.isEmpty() || alarms.first().due > until) {
      return null;
    }
    Armed next = requireNonNull(alarms.pollFirst());
    now = Math.max(now, next.due);
    changes++;
    if (!next.by.isVirtual()) {
      woken.add(next.by);
    }
    return next;
  }

  // ---- jumping

  private void jump() {
    try {
      while (awaitReason()) {
        long number = stillness.await(IDLE, Duration.ZERO, null, () -> !mayJump());
        if (number < 0 || !mayJump()) {
          continue;
        }
        if (stillness.hasThreads()) {
          ringAndReport(number);
        } else {
          Thread.sleep(PAUSE);
        }
      }
    } catch (InterruptedException e) {
      // Nobody has a reason to interrupt this thread; the next alarm starts another.
      synchronized (this) {
        jumper = null;
      }
    }
  }

  /** What an alarm throws has no caller to go to here. */
  private void ringAndReport(long unchanged) {
    try {
      ring(unchanged, LAST);
    } catch (Throwable t) {
      failures.add(t);
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, t);
    }
  }

  /** What alarms have thrown while nobody moved the clock. */
  List<Throwable> failures() {
    return List.copyOf(failures);
  }

  private synchronized boolean mayJump() {
    return drivers == 0 && !halted && !alarms.isEmpty() && alarms.first().due <= LAST;
  }

  /** Waits until the clock may jump; false if it is not needed any more. */
  private synchronized boolean awaitReason() throws InterruptedException {
    long deadline = System.nanoTime() + IDLE.toNanos();
    while (!mayJump()) {
      long left = deadline - System.nanoTime();
      if (halted || (left <= 0 && alarms.isEmpty())) {
        jumper = null;
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, left > 0 ? left : IDLE.toNanos());
    }
    if (!stillness.hasLoops()) {
      jumper = null;
      return false;
    }
    return true;
  }

  /** Jumps no more. */
  synchronized void halt() {
    halted = true;
    notifyAll();
  }

  @Override
  public synchronized String toString() {
    return "ManualClock[" + Duration.ofNanos(now) + ", " + alarms.size() + " alarms]";
  }
}
