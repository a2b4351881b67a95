package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelReason;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Ends the process when going on makes no sense: after a failure of a fatal type, or after too many
 * failures. Whatever watches the process sees the exit code and starts it anew.
 *
 * {@snippet file="dev/selvedge/handlers/SamplesTest.java" region="watchdog"}
 *
 * <p><b>What it does</b>, once: it cancels every task of the loop with the reason {@link
 * CancelReason.Source#SHUTDOWN} and a message that says why; waits until they have ended, at most
 * for the grace period; and calls {@link System#exit}, which runs the shutdown hooks, those of
 * loops among them. Should these take longer than another grace period, it {@linkplain Runtime#halt
 * halts} the JVM, so that no task that ignores its cancellation and no hook can hold it up.
 *
 * <p>It shows nothing: give it to the loop together with a handler that does. Warnings do not
 * count.
 *
 * <p><b>Pitfall:</b> {@link Loop#main} exits by itself, with 1, if its main ends before the
 * watchdog gets to its exit; the code is the watchdog's only where something else in the program
 * goes on, or main cleans up for long. Use {@link Loop#run} where the code matters.
 *
 * <p><b>Threads:</b> may be used by any number of loops, whose failures count together; the loop of
 * the last one is cancelled. The handler returns at once: a platform thread does the rest.
 *
 * @since 0.1.0
 */
public final class Watchdog implements LoopExceptionHandler {
  private static final int MOST_LOOKED_AT = 1_000;

  /** 0 for never. */
  private final int most;

  private final Duration window;
  private final List<Class<? extends Throwable>> fatal;
  private final Duration grace;
  private final int exitCode;
  private final IntConsumer exit;
  private final IntConsumer halt;

  // Guarded by this.
  /** When the last few failures were. */
  private final ArrayDeque<Long> recent = new ArrayDeque<>();

  private boolean escalated;

  Watchdog(Builder builder, IntConsumer exit, IntConsumer halt) {
    most = builder.most;
    window = builder.window;
    fatal = List.copyOf(builder.fatal);
    grace = builder.grace;
    exitCode = builder.exitCode;
    this.exit = exit;
    this.halt = halt;
  }

  /**
   * Begins with the defaults.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * When and how a {@link Watchdog} ends the process.
   *
   * @since 0.1.0
   */
  public static final class Builder {
    private int most;
    private Duration window = Duration.ofDays(1);
    private List<Class<? extends Throwable>> fatal =
        List.of(OutOfMemoryError.class, InternalError.class, UnknownError.class);
    private Duration grace = Duration.ofSeconds(30);
    private int exitCode = 70;

    private Builder() {}

    /**
     * Sets how many failures of any type are too many; without, there are never too many.
     *
     * @param failures how many within the window end the process; at least 1
     * @param window the time that they have to come in; more than zero
     * @return this
     * @throws IllegalArgumentException if the number or time is not positive
     */
    public Builder failures(int failures, Duration window) {
      this.most = Arguments.positive(failures, "failures");
      this.window = Arguments.positive(window, "window");
      return this;
    }

    /**
     * Sets the types of which one failure is too many; {@link OutOfMemoryError}, {@link
     * InternalError} and {@link UnknownError} if not set. A failure that was caused by one of them,
     * or has one suppressed in it, is one of them.
     *
     * @param types with their subclasses; none for none
     * @return this
     */
    @SafeVarargs
    public final Builder fatal(Class<? extends Throwable>... types) {
      var all = new ArrayList<Class<? extends Throwable>>();
      for (Class<? extends Throwable> type : requireNonNull(types, "types")) {
        all.add(requireNonNull(type, "types"));
      }
      this.fatal = all;
      return this;
    }

    /**
     * Sets how long tasks, and then shutdown hooks, may take to end; 30 seconds if not set.
     *
     * @param grace more than zero
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder grace(Duration grace) {
      this.grace = Arguments.positive(grace, "grace");
      return this;
    }

    /**
     * Sets the exit code; 70, which means an internal error by the convention of {@code sysexits},
     * if not set.
     *
     * @param code 1 to 255
     * @return this
     * @throws IllegalArgumentException if it is outside of that, or 0, which means success
     */
    public Builder exitCode(int code) {
      if (code < 1 || code > 255) {
        throw new IllegalArgumentException("exitCode must be from 1 to 255: " + code);
      }
      this.exitCode = code;
      return this;
    }

    /**
     * Makes the watchdog.
     *
     * @return a new watchdog
     */
    public Watchdog build() {
      return new Watchdog(this, System::exit, Runtime.getRuntime()::halt);
    }
  }

  @Override
  public void handle(Loop loop, ExceptionContext context) {
    Throwable failure = context.exception();
    if (failure == null) {
      return;
    }
    boolean isFatal = isFatal(failure);
    if ((isFatal || isOneTooMany(loop.clock().nanoTime())) && isFirst()) {
      escalate(loop, failure, isFatal);
    }
  }

  private synchronized boolean isOneTooMany(long now) {
    if (most == 0 || escalated) {
      return false;
    }
    recent.addLast(now);
    while (now - recent.getFirst() >= TimeUnit.NANOSECONDS.convert(window)) {
      recent.removeFirst();
    }
    return recent.size() >= most;
  }

  private synchronized boolean isFirst() {
    boolean first = !escalated;
    escalated = true;
    return first;
  }

  /** Looks at causes first, which takes no memory: there may be none left. */
  private boolean isFatal(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MOST_LOOKED_AT; depth++) {
      if (isOfFatalType(cause)) {
        return true;
      }
      cause = Answers.cause(cause);
    }
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    var next = new ArrayDeque<Throwable>();
    next.add(failure);
    for (Throwable each; (each = next.poll()) != null && seen.size() < MOST_LOOKED_AT; ) {
      if (seen.add(each)) {
        if (isOfFatalType(each)) {
          return true;
        }
        next.addAll(List.of(each.getSuppressed()));
        Throwable below = Answers.cause(each);
        if (below != null) {
          next.add(below);
        }
      }
    }
    return false;
  }

  private boolean isOfFatalType(Throwable exception) {
    for (Class<? extends Throwable> type : fatal) {
      if (type.isInstance(exception)) {
        return true;
      }
    }
    return false;
  }

  private void escalate(Loop loop, Throwable failure, boolean isFatal) {
    try {
      start(() -> end(loop, failure, isFatal));
    } catch (Throwable noThread) {
      halt.accept(exitCode);
    }
  }

  private static void start(Runnable action) {
    Thread.ofPlatform().daemon().name("watchdog").start(action);
  }

  private void end(Loop loop, Throwable failure, boolean isFatal) {
    try {
      String why = why(Answers.text(failure::toString), isFatal);
      awaitEnd(loop, new CancelReason(CancelReason.Source.SHUTDOWN, why, null));
    } catch (Throwable noMemory) {
      // Or whatever else: then there is no grace.
    }
    try {
      start(this::haltAfterGrace);
    } catch (Throwable noThread) {
      halt.accept(exitCode);
    }
    exit.accept(exitCode);
  }

  private String why(@Nullable String failure, boolean isFatal) {
    return isFatal
        ? "watchdog: " + failure
        : "watchdog: "
            + most
            + (most == 1 ? " failure" : " failures")
            + " within "
            + window
            + ", the last: "
            + failure;
  }

  private void awaitEnd(Loop loop, CancelReason reason) throws InterruptedException {
    var tasks = new ArrayList<>(loop.allTasks());
    var ended = new CountDownLatch(tasks.size());
    for (Task<?, ?> task : tasks) {
      task.cancel(reason);
      task.onDone(_ -> ended.countDown());
    }
    boolean _ = ended.await(TimeUnit.NANOSECONDS.convert(grace), TimeUnit.NANOSECONDS);
  }

  private void haltAfterGrace() {
    try {
      Thread.sleep(grace);
    } catch (InterruptedException nobodyKnowsThisThread) {
      // Then there is no grace.
    }
    halt.accept(exitCode);
  }
}
