package dev.selvedge;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The library's own timer: one daemon thread per process, gone when idle for a while. What runs on
 * it neither blocks nor throws.
 *
 * <p>Nobody takes a lock to arm or to cancel, so the timer thread waits for no virtual thread. (It
 * did with a {@code ScheduledThreadPoolExecutor}: queueing for its lock behind virtual threads to
 * which busy carriers did not come, it was seconds late.) Who arms adds and then reads the thread;
 * an idle thread takes itself out and then looks for what was added: one of them sees the other.
 */
final class Timers {
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final String NAME = "selvedge-timer";
  private static final ConcurrentSkipListSet<Timer> ARMED = new ConcurrentSkipListSet<>();
  private static final AtomicReference<@Nullable Thread> THREAD = new AtomicReference<>();
  private static final AtomicLong SEQUENCE = new AtomicLong();

  /** The clock that everybody has who was not given another. */
  static final LoopClock SYSTEM =
      new LoopClock() {
        @Override
        public long nanoTime() {
          return System.nanoTime();
        }

        @Override
        public Instant instant() {
          return Instant.now();
        }

        @Override
        public Alarm schedule(Runnable action, Duration delay) {
          return Timers.schedule(action, delay);
        }

        @Override
        public String toString() {
          return "LoopClock.system";
        }
      };

  private Timers() {}

  /** Something to run once, later. */
  static final class Timer implements LoopClock.Alarm, Comparable<Timer> {
    private final long due;
    private final long number = SEQUENCE.incrementAndGet();
    private final Runnable action;

    private Timer(long due, Runnable action) {
      this.due = due;
      this.action = action;
    }

    @Override
    public void cancel() {
      ARMED.remove(this);
    }

    @Override
    public int compareTo(Timer other) {
      return due != other.due ? Long.signum(due - other.due) : Long.compare(number, other.number);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Timer timer && number == timer.number;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(number);
    }
  }

  static Timer schedule(Runnable action, Duration delay) {
    var timer = new Timer(System.nanoTime() + nanos(delay), action);
    ARMED.add(timer);
    Thread thread = THREAD.get();
    if (thread == null) {
      try {
        startThread();
      } catch (Throwable noThread) {
        ARMED.remove(timer);
        throw noThread;
      }
    } else if (timer.equals(first())) {
      LockSupport.unpark(thread);
    }
    return timer;
  }

  private static @Nullable Timer first() {
    var timers = ARMED.iterator();
    return timers.hasNext() ? timers.next() : null;
  }

  private static void startThread() {
    Thread created = Thread.ofPlatform().daemon().name(NAME).unstarted(Timers::runTimers);
    if (THREAD.compareAndSet(null, created)) {
      try {
        created.start();
      } catch (OutOfMemoryError noThread) {
        startVirtual();
      }
    }
  }

  /** The process has all the threads that it may have. This one is late when carriers are busy. */
  private static void startVirtual() {
    Thread created = Thread.ofVirtual().name(NAME).unstarted(Timers::runTimers);
    THREAD.set(created);
    try {
      created.start();
    } catch (Throwable noThread) {
      THREAD.set(null);
      throw noThread;
    }
  }

  private static void runTimers() {
    long idleSince = System.nanoTime();
    while (true) {
      Timer next = first();
      long now = System.nanoTime();
      if (next == null) {
        if (now - idleSince < IDLE_NANOS) {
          LockSupport.parkNanos(ARMED, IDLE_NANOS);
          continue;
        }
        THREAD.set(null);
        if (!ARMED.isEmpty()) {
          startThread();
        }
        return;
      }
      idleSince = now;
      if (next.due - now > 0) {
        LockSupport.parkNanos(ARMED, next.due - now);
      } else if (ARMED.remove(next)) {
        try {
          next.action.run();
        } catch (Throwable t) {
          // No memory, say; the other timers must go on.
          Reports.lastResort(t);
        }
      }
      // Nobody has a reason to interrupt this thread, and a set flag would keep it from parking.
      Thread.interrupted();
    }
  }

  /** How many are armed, but for the clock. */
  static int armed() {
    return (int) ARMED.stream().filter(timer -> !timer.action.equals(CLOCK)).count();
  }

  /** As long as for ever, and can be added to a time. */
  static final long LONGEST = Long.MAX_VALUE / 2;

  /** The duration in nanoseconds, at most {@link #LONGEST}. */
  static long nanos(Duration duration) {
    if (duration.isNegative()) {
      return 0;
    }
    return duration.compareTo(Duration.ofNanos(LONGEST)) >= 0 ? LONGEST : duration.toNanos();
  }

  // ---- a clock that costs its readers next to nothing

  private static final Duration TICK = Duration.ofMillis(20);
  private static final long START = System.nanoTime();
  private static final Runnable CLOCK = Timers::tick;
  private static final AtomicBoolean TICKING = new AtomicBoolean();

  /** The milliseconds from {@link #START} to the last tick; negative while it stands still. */
  private static volatile long ticked = -1;

  /** Written when it starts to tick and by the timer thread. */
  private static volatile long readAtLastTick;

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

  private static long startTicking() {
    long now = exactMillis();
    if (TICKING.compareAndSet(false, true)) {
      ticked = now;
      try {
        nextTick();
      } catch (Throwable noThread) {
        ticked = -1;
        TICKING.set(false);
        throw noThread;
      }
    }
    return now;
  }

  private static void tick() {
    if (TaskImpl.lastId() == readAtLastTick) {
      ticked = -1;
      TICKING.set(false);
    } else {
      ticked = exactMillis();
      nextTick();
    }
  }

  private static void nextTick() {
    readAtLastTick = TaskImpl.lastId();
    schedule(CLOCK, TICK);
  }
}
