package dev.selvedge.testkit;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Loop;
import dev.selvedge.TaskScope;
import dev.selvedge.internal.Seams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asserts that nothing is left: no live task, no open scope, no unread failure, no armed timer. For
 * tests of other frameworks, and for the end of a program; those of JUnit have {@link
 * SelvedgeExtension}.
 *
 * {@snippet file="dev/selvedge/testkit/SamplesTest.java" region="quiescence"}
 *
 * <p>What is about to end is given five seconds.
 *
 * @since 0.1.0
 */
public final class Quiescence {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final long PAUSE_NANOS = 1_000_000;

  private Quiescence() {}

  /**
   * Asserts that nothing is left in the whole process: in no loop, nor of the library's timer; that
   * the default loop has no handler of its own, and that the caller's interrupt flag is not set.
   *
   * @throws AssertionError if something is left; it says what. Unread failures are suppressed in
   *     it. The interrupt flag is cleared
   */
  public static void assertQuiescent() {
    boolean interrupted = Thread.interrupted();
    List<Throwable> unread = new ArrayList<>();
    List<String> left = awaitNothing(() -> leftInProcess(unread));
    if (interrupted) {
      left.add("the interrupt flag of " + Thread.currentThread().getName() + " is set");
    }
    check(left, unread);
  }

  /**
   * Asserts that nothing is left in a loop, which may be open. Unread failures are its own and
   * those of SUPERVISE scopes; the timers are not looked at.
   *
   * @param loop the loop
   * @throws AssertionError if something is left; it says what. Unread failures are suppressed in it
   */
  public static void assertQuiescent(Loop loop) {
    requireNonNull(loop, "loop");
    List<Throwable> unread = new ArrayList<>();
    check(awaitNothing(() -> leftIn(loop, unread)), unread);
  }

  private static List<String> leftInProcess(List<Throwable> unread) {
    Seams seams = Seams.get();
    var left = new ArrayList<String>();
    for (Loop loop : seams.loops()) {
      addTasks(loop, left);
    }
    addScopes(seams.openScopes(null), left);
    addFailures(null, unread, left);
    int timers = seams.armedTimers();
    if (timers > 0) {
      left.add(timers + " timers are armed");
    }
    seams
        .defaultLoop()
        .getExceptionHandler()
        .ifPresent(handler -> left.add("the default loop has the handler " + handler));
    return left;
  }

  private static List<String> leftIn(Loop loop, List<Throwable> unread) {
    var left = new ArrayList<String>();
    addTasks(loop, left);
    addScopes(Seams.get().openScopes(loop), left);
    addFailures(loop, unread, left);
    return left;
  }

  private static void addTasks(Loop loop, List<String> left) {
    int tasks = Seams.get().unended(loop).size();
    if (tasks > 0) {
      left.add(tasks + " tasks are alive:\n" + loop.snapshot().toString().stripTrailing());
    }
  }

  private static void addScopes(Collection<TaskScope<?>> scopes, List<String> left) {
    if (!scopes.isEmpty()) {
      left.add("scopes are open outside of tasks: " + scopes);
    }
  }

  private static void addFailures(@Nullable Loop loop, List<Throwable> unread, List<String> left) {
    unread.clear();
    unread.addAll(Seams.get().unread(loop));
    if (!unread.isEmpty()) {
      left.add("failures are unread: " + unread);
    }
  }

  /** Asks until nothing is left, or the time is over; returns what is left then. */
  private static List<String> awaitNothing(Supplier<List<String>> look) {
    boolean interrupted = false;
    long start = System.nanoTime();
    List<String> left = look.get();
    while (!left.isEmpty() && System.nanoTime() - start < PATIENCE.toNanos()) {
      LockSupport.parkNanos(PAUSE_NANOS);
      interrupted |= Thread.interrupted();
      left = look.get();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return left;
  }

  private static void check(List<String> left, List<Throwable> unread) {
    if (!left.isEmpty()) {
      var error = new AssertionError("something is left:\n" + String.join("\n", left));
      unread.forEach(error::addSuppressed);
      throw error;
    }
  }
}
