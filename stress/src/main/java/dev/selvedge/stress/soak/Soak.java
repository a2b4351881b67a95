package dev.selvedge.stress.soak;

import dev.selvedge.stress.soak.Ledger.Account;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Runs round after round, and holds the library to its promises: every failure arrives, none is
 * reported twice or although somebody has read it, nothing is interrupted that nobody has
 * cancelled, nothing runs on when its owner has closed, nothing hangs, and nothing is left behind.
 *
 * <p>Several threads run rounds of their own, so that some wait while others work. From time to
 * time they pause: nothing may be alive then, and the heap may not have grown.
 */
@Command(
    name = "stress/run",
    description = "Random trees of tasks, and a ledger beside them: no failure may be lost.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class Soak implements Callable<Integer> {
  private static final int DRIVERS = 8;
  private static final int PAUSES = 10;

  private static final Duration TICK = Duration.ofMillis(50);

  /** By so many bytes the heap may differ. */
  private static final long FLAT = 4 << 20;

  @Option(names = "--minutes", description = "how long (default: ${DEFAULT-VALUE})")
  private double minutes = 10;

  @Option(names = "--tasks", description = "ends earlier, after about so many tasks")
  private long tasks = Long.MAX_VALUE;

  @Option(names = "--seed", description = "of an earlier run (default: a new one)")
  private long seed = new SplittableRandom().nextInt(1_000_000_000);

  @Option(names = "--round", description = "this round alone, again and again")
  private int round;

  @Option(
      names = "--patience",
      description =
          "a round that does nothing for so many seconds hangs (default: ${DEFAULT-VALUE})")
  private int patience = 30;

  private final PrintStream out = System.out;
  private final long start = System.nanoTime();
  private final Totals totals = new Totals();
  private final AtomicInteger numbers = new AtomicInteger();
  private final AtomicReference<@Nullable String> failure = new AtomicReference<>();

  /** Held by drivers while they run a round. */
  private final ReentrantReadWriteLock pause = new ReentrantReadWriteLock(true);

  /** Whether no round is to begin. */
  private volatile boolean pausing;

  private final List<Long> heaps = new ArrayList<>();

  /** Exits with 0, or with 1 after a violation. */
  public static void main(String... arguments) {
    // Halted, because what hangs might keep the exit waiting.
    int code = new CommandLine(new Soak()).execute(arguments);
    System.out.flush();
    Runtime.getRuntime().halt(code);
  }

  @Override
  public Integer call() throws Exception {
    out.println("seed " + seed);
    var drivers = new ArrayList<Driver>();
    for (int i = 0; i < DRIVERS; i++) {
      drivers.add(new Driver());
    }
    drivers.forEach(Thread::start);
    long nextPause = 1;
    while (failure.get() == null && !isOver()) {
      watch(drivers);
      if (failure.get() == null && fraction() * PAUSES >= nextPause) {
        nextPause++;
        pause(drivers);
      }
    }
    for (Driver driver : drivers) {
      while (failure.get() == null && driver.isAlive()) {
        watch(drivers);
      }
    }
    if (failure.get() == null) {
      requireNothingLeft();
    }
    String failed = failure.get();
    if (failed != null) {
      out.println(failed);
      out.printf(
          "seed %d: failed after %.1f s; again with stress/run --seed %d%n", seed, seconds(), seed);
      return 1;
    }
    out.printf(Locale.ROOT, "%.0f s: %s%n", seconds(), totals);
    return 0;
  }

  private boolean isOver() {
    return fraction() >= 1;
  }

  private double fraction() {
    return Math.max(seconds() / (minutes * 60), (double) totals.tasks() / tasks);
  }

  private double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  private void fail(String what) {
    failure.compareAndSet(null, what);
  }

  // ---- rounds

  private final class Driver extends Thread {
    private volatile @Nullable Round running;
    private long progress;
    private long idle;
    private @Nullable Round watched;

    Driver() {
      super("soak");
      setDaemon(true);
    }

    @Override
    public void run() {
      while (failure.get() == null && !isOver()) {
        if (pausing) {
          LockSupport.parkNanos(TICK.toNanos());
          continue;
        }
        pause.readLock().lock();
        try {
          Round next = new Round(seed, round > 0 ? round : numbers.incrementAndGet());
          running = next;
          Account account = next.run();
          totals.add(account);
          if (!account.violations().isEmpty()) {
            fail(describe(next, account));
          }
        } catch (Throwable t) {
          fail("round failed: " + running + ": " + t + "\n" + stack(t));
        } finally {
          running = null;
          pause.readLock().unlock();
        }
      }
    }

    /** Called now and then by one thread, with the time that has passed. */
    void watch(long nanos) {
      Round now = running;
      long reached = now == null ? 0 : now.progress();
      if (now == null || now != watched || reached != progress) {
        watched = now;
        progress = reached;
        idle = 0;
        return;
      }
      idle += nanos;
      if (idle > patience * 1e9) {
        fail("nothing has happened for " + patience + " s in " + now + "\n" + wedge(now));
      }
    }
  }

  /**
   * Looks for what hangs. Time counts only while a new virtual thread gets its turn at once: on a
   * machine that is busy with something else, slow is not hanging.
   */
  private void watch(List<Driver> drivers) throws InterruptedException {
    long begin = System.nanoTime();
    Thread beat = Thread.startVirtualThread(() -> {});
    Thread.sleep(TICK);
    long passed = System.nanoTime() - begin;
    if (!beat.isAlive() && passed < 2 * TICK.toNanos()) {
      drivers.forEach(driver -> driver.watch(passed));
    }
  }

  private static String stack(Throwable t) {
    var text = new StringBuilder();
    for (StackTraceElement frame : t.getStackTrace()) {
      text.append("        at ").append(frame).append('\n');
    }
    return text.toString();
  }

  private static String wedge(Round round) {
    try {
      return round.snapshot() + "\n" + Alive.threads();
    } catch (IOException e) {
      return "no thread dump: " + e;
    }
  }

  private static String describe(Round round, Account account) {
    var text = new StringBuilder(round.toString());
    account.violations().stream().limit(20).forEach(each -> text.append("\n    ").append(each));
    if (account.violations().size() > 20) {
      text.append("\n    and ").append(account.violations().size() - 20).append(" more");
    }
    account.trees().stream()
        .filter(tree -> tree >= 0)
        .limit(3)
        .forEach(tree -> text.append("\n    tree " + tree + ": ").append(round.tree(tree)));
    return text.toString();
  }

  // ---- what is left

  /** Stops the drivers after their rounds, and looks what is left. */
  private void pause(List<Driver> drivers) throws IOException, InterruptedException {
    pausing = true;
    while (!pause.writeLock().tryLock(1, TimeUnit.MILLISECONDS)) {
      watch(drivers);
      if (failure.get() != null) {
        return;
      }
    }
    try {
      List<String> left = Alive.virtualThreads();
      if (!left.isEmpty()) {
        fail("threads are left between rounds: " + left);
      }
      heaps.add(Alive.heap());
      out.printf(
          Locale.ROOT, "%.0f s: %s; heap %.1f MB%n", seconds(), totals, heaps.getLast() / 1e6);
    } finally {
      pausing = false;
      pause.writeLock().unlock();
    }
  }

  private void requireNothingLeft() throws IOException, InterruptedException {
    List<String> left = Alive.threadsOfTheLibrary();
    if (!left.isEmpty()) {
      fail("there is a timer or an unread failure left: " + left);
    }
    // The first heap is that of a JVM that has yet to load and compile.
    if (heaps.size() > 2 && heaps.getLast() > heaps.get(1) + FLAT) {
      fail("the heap has grown: " + heaps);
    }
  }
}
