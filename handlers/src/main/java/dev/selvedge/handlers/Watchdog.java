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
import java.util.List;
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
  private static final int MOST_CAUSES = 100;

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
     * InternalError} and {@link UnknownError} if not set. A failure that was caused by one of them
     * is one of them.
     *
     * @param types with their subclasses; none for none
     * @return this
     */
    @SafeVarargs
    public final Builder fatal(Class<? extends Throwable>... types) {
      var all = new ArrayList<Class<? extends Throwable>>();
      for (Class<? extends Throwable> type : types) {
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
    String why = why(failure, loop.clock().nanoTime());
    if (why != null) {
      escalate(loop, "watchdog: " + why);
    }
  }

  /** Why it is too much, once; null if it is not. */
  private synchronized @Nullable String why(Throwable failure, long now) {
    if (escalated) {
      return null;
    }
    if (isFatal(failure)) {
      escalated = true;
      return failure.toString();
    }
    if (most == 0) {
      return null;
    }
    recent.addLast(now);
    while (now - recent.getFirst() >= TimeUnit.NANOSECONDS.convert(window)) {
      recent.removeFirst();
    }
    if (recent.size() < most) {
      return null;
    }
    escalated = true;
    return recent.size()
        + (most == 1 ? " failure" : " failures")
        + " within "
        + window
        + ", the last: "
        + failure;
  }

  private boolean isFatal(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MOST_CAUSES; depth++) {
      for (Class<? extends Throwable> type : fatal) {
        if (type.isInstance(cause)) {
          return true;
        }
      }
      cause = cause.getCause();
    }
    return false;
  }

  private void escalate(Loop loop, String why) {
    try {
      start(() -> end(loop, why));
    } catch (OutOfMemoryError noThread) {
      halt.accept(exitCode);
    }
  }

  private static void start(Runnable action) {
    Thread.ofPlatform().daemon().name("watchdog").start(action);
  }

  private void end(Loop loop, String why) {
    try {
      awaitEnd(loop, new CancelReason(CancelReason.Source.SHUTDOWN, why, null));
    } catch (InterruptedException nobodyKnowsThisThread) {
      // Then there is no grace.
    } finally {
      start(this::haltAfterGrace);
      exit.accept(exitCode);
    }
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
