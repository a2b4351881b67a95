package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.LoopExceptionHandler;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Remembers whether all is well: down after so many failures within a window, and up again when
 * none has come for a while. Warnings do not count. It shows nothing by itself: give it to a loop
 * together with a handler that does, and ask {@link #status} wherever a health check wants to know.
 *
 * {@snippet file="dev/selvedge/handlers/SamplesTest.java" region="health"}
 *
 * <p><b>Threads:</b> may be used by any number of loops and threads. It keeps no timer: the time is
 * looked at when somebody asks. Setting the time of day does not disturb it.
 *
 * @since 0.1.0
 */
public final class Health implements LoopExceptionHandler {
  /**
   * How things are.
   *
   * @param up whether all is well
   * @param since when that began: the failure that was one too many, or the end of the quiet time;
   *     at first when the health was created
   * @param failures how many failures there were since the health was created
   * @param last the last one; null if there was none
   * @since 0.1.0
   */
  public record Status(boolean up, Instant since, long failures, @Nullable Throwable last) {}

  private final int most;
  private final long window;
  private final long quiet;
  private final LoopClock clock;

  // Guarded by this.
  /** When the last few failures were. */
  private final ArrayDeque<Long> recent = new ArrayDeque<>();

  private boolean down;
  private Instant since;
  private long failures;
  private @Nullable Throwable last;
  private long lastTime;

  private Health(int most, Duration window, Duration quiet, LoopClock clock) {
    this.most = Arguments.positive(most, "failures");
    this.quiet = TimeUnit.NANOSECONDS.convert(Arguments.positive(quiet, "quiet"));
    this.window = TimeUnit.NANOSECONDS.convert(Arguments.positive(window, "window"));
    this.clock = requireNonNull(clock, "clock");
    this.since = clock.instant();
  }

  /**
   * Down after any failure.
   *
   * @param quiet how long none may come until it is up again; more than zero
   * @return a new health, up
   * @throws IllegalArgumentException if the time is not positive
   */
  public static Health create(Duration quiet) {
    return create(1, quiet, quiet);
  }

  /**
   * Down after some failures.
   *
   * @param failures how many within the window; at least 1
   * @param window the time that they have to come in; more than zero
   * @param quiet how long none may come until it is up again; more than zero
   * @return a new health, up
   * @throws IllegalArgumentException if a number or time is not positive
   */
  public static Health create(int failures, Duration window, Duration quiet) {
    return create(failures, window, quiet, LoopClock.system());
  }

  /**
   * The same by another clock, for tests.
   *
   * @param failures how many within the window; at least 1
   * @param window the time that they have to come in; more than zero
   * @param quiet how long none may come until it is up again; more than zero
   * @param clock measures both
   * @return a new health, up
   * @throws IllegalArgumentException if a number or time is not positive
   */
  public static Health create(int failures, Duration window, Duration quiet, LoopClock clock) {
    return new Health(failures, window, quiet, clock);
  }

  @Override
  public synchronized void handle(Loop loop, ExceptionContext context) {
    Throwable failure = context.exception();
    if (failure == null) {
      return;
    }
    long now = clock.nanoTime();
    comeUp(now);
    failures++;
    last = failure;
    lastTime = now;
    recent.addLast(now);
    if (recent.size() > most) {
      recent.removeFirst();
    }
    if (!down && recent.size() == most && now - recent.getFirst() < window) {
      down = true;
      since = clock.instant();
    }
  }

  private void comeUp(long now) {
    long past = now - lastTime - quiet;
    if (down && past >= 0) {
      down = false;
      since = clock.instant().minusNanos(past);
      recent.clear();
    }
  }

  /**
   * Whether all is well.
   *
   * @return false from a failure too many until none has come for the quiet time
   */
  public boolean isUp() {
    return status().up();
  }

  /**
   * How things are, in one look.
   *
   * @return the status
   */
  public synchronized Status status() {
    comeUp(clock.nanoTime());
    return new Status(!down, since, failures, last);
  }

  @Override
  public String toString() {
    Status status = status();
    return "Health["
        + (status.up ? "up" : "down")
        + " since "
        + status.since
        + ", failures: "
        + status.failures
        + "]";
  }
}
