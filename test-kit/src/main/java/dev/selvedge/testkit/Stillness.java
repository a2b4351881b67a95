package dev.selvedge.testkit;

import dev.selvedge.Loop;
import dev.selvedge.internal.Seams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether all threads that work for some loops are blocked.
 *
 * <p>Nothing stops them meanwhile, so their states are read one after the other, and a thread that
 * is seen to be blocked may have been woken by one that is seen to be blocked a moment later. But
 * while there is work, at each moment at least one of them runs: who wakes another is seen to run
 * until it blocks, and a virtual thread that is unparked counts as runnable from then on. If the
 * order of reading is drawn by lot, a pass misses it in at most one of two cases: where it does so
 * in one order of two reads, it does not in the other. So {@link #PASSES} are made, each in another
 * order, and all of them again after a while.
 *
 * <p>A platform thread that is woken is not seen to run before the operating system lets it. If it
 * waits for a task or a scope, core knows whether that is over. Else, and if it waits for a
 * monitor, the wait must last {@link #UNSURE}.
 *
 * <p>A virtual thread that was notified, or has got its turn at a monitor, is BLOCKED until a
 * thread of the JDK has unblocked it. Two of them that pass a turn on look still for ten
 * milliseconds and more, so the wait must last {@link #UNBLOCKING}.
 */
final class Stillness {
  static final int PASSES = 40;
  private static final Duration SURE = Duration.ofMillis(1);
  private static final Duration UNSURE = Duration.ofMillis(10);
  static final Duration UNBLOCKING = Duration.ofMillis(200);
  private static final long PAUSE_NANOS = 500_000;

  private final Seams seams = Seams.get();
  private final Predicate<Loop> loops;

  /** Raised by whatever happens that no thread shows. */
  private final LongSupplier changes;

  /** Platform threads that may just have been woken. */
  private final Set<Thread> woken;

  private final int passes;

  /** A thread that ran or a loop that was changing, at the last look. */
  private volatile @Nullable Object running;

  Stillness(Predicate<Loop> loops, LongSupplier changes, Set<Thread> woken) {
    this(loops, changes, woken, PASSES);
  }

  /** For the test that shows that one pass is not enough. */
  Stillness(Predicate<Loop> loops, LongSupplier changes, Set<Thread> woken, int passes) {
    this.passes = passes;
    this.loops = loops;
    this.changes = changes;
    this.woken = woken;
  }

  /** Whether any of the loops is open. */
  boolean hasLoops() {
    return seams.loops().stream().anyMatch(loops);
  }

  /** Whether any of them has a thread. */
  boolean hasThreads() {
    return seams.loops().stream().filter(loops).anyMatch(loop -> !seams.threads(loop).isEmpty());
  }

  /** What was seen to run last, for messages. */
  String running() {
    return running instanceof Thread thread ? describe(thread) : String.valueOf(running);
  }

  /**
   * Waits until all threads are blocked.
   *
   * @param least for how long they must have been
   * @param except does not count
   * @return the number of changes then; negative if that did not happen in time
   */
  long await(Duration patience, Duration least, @Nullable Thread except)
      throws InterruptedException {
    return await(patience, least, except, () -> false);
  }

  /** The same; gives up when there is no need any more. */
  long await(Duration patience, Duration least, @Nullable Thread except, BooleanSupplier needless)
      throws InterruptedException {
    long start = System.nanoTime();
    long since = 0;
    long number = -1;
    while (System.nanoTime() - start <= patience.toNanos() && !needless.getAsBoolean()) {
      long now = changes.getAsLong();
      Duration needed = look(except);
      if (needed == null) {
        number = -1;
      } else if (now != number) {
        number = now;
        since = System.nanoTime();
      } else if (System.nanoTime() - since >= longer(needed, least).toNanos()) {
        woken.clear();
        return number;
      }
      LockSupport.parkNanos(this, PAUSE_NANOS);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
    return -1;
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) >= 0 ? one : other;
  }

  /** For how long that must be seen; null if a thread runs. */
  @Nullable Duration look(@Nullable Thread except) {
    var threads = new ArrayList<Thread>();
    for (Loop loop : seams.loops()) {
      if (loops.test(loop)) {
        threads.addAll(seams.threads(loop));
        if (seams.isChanging(loop)) {
          running = loop;
          return null;
        }
      }
    }
    threads.removeIf(thread -> thread == except);
    Random random = ThreadLocalRandom.current();
    Duration longest = SURE;
    for (int pass = 0; pass < passes; pass++) {
      Collections.shuffle(threads, random);
      for (Thread thread : threads) {
        Duration needed = needed(thread);
        if (needed == null) {
          running = thread;
          return null;
        }
        longest = longer(longest, needed);
      }
    }
    return longest;
  }

  /** For how long a thread must be seen as it is; null if it runs. */
  private @Nullable Duration needed(Thread thread) {
    return switch (thread.getState()) {
      case RUNNABLE -> null;
      case NEW, TERMINATED -> SURE;
      case BLOCKED -> thread.isVirtual() ? UNBLOCKING : UNSURE;
      case WAITING, TIMED_WAITING -> {
        Boolean mustWait = seams.mustWait(LockSupport.getBlocker(thread));
        // What is parked with its flag set, or for what has happened, is about to go on.
        if (thread.isInterrupted() || Boolean.FALSE.equals(mustWait)) {
          yield null;
        }
        yield thread.isVirtual() || (mustWait != null && !woken.contains(thread)) ? SURE : UNSURE;
      }
    };
  }

  private static String describe(Thread thread) {
    var text = new StringBuilder(thread.toString());
    for (StackTraceElement frame : List.of(thread.getStackTrace())) {
      text.append("\n\tat ").append(frame);
    }
    return text.toString();
  }
}
