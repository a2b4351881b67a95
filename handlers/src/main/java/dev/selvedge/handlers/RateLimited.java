package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes a storm of the same failure one report and then a count for each window. Failures are the
 * same if they have the same class, were thrown in the same place, and by tasks of the same name;
 * warnings if they have the same text and tasks of the same name. Numbers in names do not count, so
 * {@code order-17} and {@code order-18} are the same, and so are all tasks without a name.
 *
 * {@snippet file="dev/selvedge/handlers/SamplesTest.java" region="rate-limited"}
 *
 * <p>The first report is passed on as it is. The others of the next window are counted; at its end
 * one report says how many there were, with the last of them, the details {@code count} and {@code
 * window}, and another window begins. A window without any ends the storm. Nothing is silently
 * gone: {@link #close} reports what was counted so far, and after it everything is passed on.
 *
 * <p><b>Bounds:</b> beyond a thousand storms at once, failures are the same if their class is, and
 * warnings if their text is. Beyond two thousand, whatever is of none of them is passed on as it
 * is.
 *
 * <p><b>Pitfall:</b> tasks whose names differ in more than numbers are different storms, so name
 * them by what they do.
 *
 * <p><b>Failure:</b> what the next handler throws for a report goes to who reports. What it throws
 * for a count is printed, and so is the count.
 *
 * <p><b>Threads:</b> may be used by any number of loops, whose failures count together. A window is
 * measured by the {@linkplain Loop#clock clock} of the loop whose report began it; its count goes
 * to the loop of the last report. At its end a virtual thread of its own reports, so the next
 * handler has to be safe for use by several threads, as all of this package are. What {@linkplain
 * dev.selvedge.ContextCarrier context carriers} carry, such as the logging context, is in place for
 * what is passed on as it is, and not for a count.
 *
 * @since 0.1.0
 */
public final class RateLimited implements LoopExceptionHandler, AutoCloseable {
  /** So many by class, place and name, and then as many by class alone. */
  private static final int MOST_STORMS = 1_000;

  private static final Pattern NUMBER = Pattern.compile("[0-9]+");

  /** What makes two reports the same. */
  private record Fingerprint(String what, @Nullable StackTraceElement thrownAt, String task) {
    static Fingerprint of(ExceptionContext context) {
      Throwable exception = context.exception();
      Task<?, ?> task = context.future();
      String name = task == null ? "" : NUMBER.matcher(task.name()).replaceAll("#");
      if (exception == null) {
        return new Fingerprint(context.message(), null, name);
      }
      StackTraceElement[] frames = Answers.frames(exception);
      return new Fingerprint(
          exception.getClass().getName(), frames.length == 0 ? null : frames[0], name);
    }

    Fingerprint byClass() {
      return new Fingerprint(what, null, "");
    }

    @Override
    public String toString() {
      return what
          + (thrownAt == null ? "" : " at " + thrownAt)
          + (task.isEmpty() ? "" : " in " + task);
    }
  }

  /** Reports of one fingerprint that were counted since the window began. */
  private static final class Storm {
    /** Of the last report. */
    private Loop loop;

    private int count;
    private @Nullable ExceptionContext last;
    private LoopClock.@Nullable Alarm alarm;

    Storm(Loop loop) {
      this.loop = loop;
    }
  }

  private final Duration window;
  private final LoopExceptionHandler next;

  // Guarded by this.
  private final Map<Fingerprint, Storm> storms = new HashMap<>();
  private int reporting;
  private boolean closed;

  private RateLimited(Duration window, LoopExceptionHandler next) {
    this.window = Arguments.positive(window, "window");
    this.next = requireNonNull(next, "next");
  }

  /**
   * Begins with no storm.
   *
   * @param window how long reports are counted; more than zero
   * @param next gets what is not counted, and the counts
   * @return a new handler
   * @throws IllegalArgumentException if the window is not positive
   */
  public static RateLimited create(Duration window, LoopExceptionHandler next) {
    return new RateLimited(window, next);
  }

  @Override
  public void handle(Loop loop, ExceptionContext context) {
    if (!count(loop, context)) {
      next.handle(loop, context);
    }
  }

  /** Returns whether the report needs no more than that. */
  private synchronized boolean count(Loop loop, ExceptionContext context) {
    if (closed) {
      return false;
    }
    Fingerprint fingerprint = Fingerprint.of(context);
    Storm storm = storms.get(fingerprint);
    if (storm == null && storms.size() >= MOST_STORMS) {
      fingerprint = fingerprint.byClass();
      storm = storms.get(fingerprint);
    }
    if (storm == null) {
      if (storms.size() < 2 * MOST_STORMS) {
        begin(fingerprint, new Storm(loop));
      }
      return false;
    }
    storm.count++;
    storm.loop = loop;
    storm.last = context;
    return true;
  }

  private void begin(Fingerprint fingerprint, Storm storm) {
    assert Thread.holdsLock(this);
    // An alarm must not block, as the next handler may.
    storm.alarm =
        storm
            .loop
            .clock()
            .schedule(
                () ->
                    Thread.ofVirtual()
                        .name("rate-limited exception handler")
                        .start(() -> endWindow(fingerprint, storm)),
                window);
    storms.put(fingerprint, storm);
  }

  private void endWindow(Fingerprint fingerprint, Storm storm) {
    ExceptionContext summary;
    synchronized (this) {
      if (!storms.remove(fingerprint, storm) || storm.last == null) {
        return;
      }
      summary = summary(fingerprint, storm);
      begin(fingerprint, new Storm(storm.loop));
      reporting++;
    }
    try {
      report(storm.loop, summary);
    } finally {
      reported();
    }
  }

  private synchronized void reported() {
    reporting--;
    notifyAll();
  }

  private ExceptionContext summary(Fingerprint fingerprint, Storm storm) {
    ExceptionContext last = requireNonNull(storm.last);
    var details = new TreeMap<>(last.details());
    details.put("count", storm.count);
    details.put("window", window);
    return new ExceptionContext(
        (storm.count == 1 ? "Once more: " : storm.count + " times more: ") + fingerprint,
        last.exception(),
        last.future(),
        details);
  }

  private void report(Loop loop, ExceptionContext summary) {
    try {
      next.handle(loop, summary);
    } catch (Throwable broken) {
      loop.defaultExceptionHandler(summary);
      loop.defaultExceptionHandler(
          new ExceptionContext(
              "Exception in a rate-limited exception handler",
              broken,
              null,
              Map.of("handler", next.getClass().getName())));
    }
  }

  /**
   * Reports what was counted so far, and waits for counts that are being reported. What is reported
   * afterwards is passed on as it is. Closing again waits again. Not to be called by the next
   * handler. An interrupt does not end the wait; the flag is set afterwards.
   */
  @Override
  public void close() {
    Map<Fingerprint, Storm> left;
    synchronized (this) {
      closed = true;
      left = new HashMap<>(storms);
      storms.clear();
      reporting++;
    }
    try {
      left.values().forEach(RateLimited::disarm);
      left.forEach((fingerprint, storm) -> {
        if (storm.last != null) {
          report(storm.loop, summary(fingerprint, storm));
        }
      });
    } finally {
      reported();
    }
    if (awaitReports()) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns whether it was interrupted. */
  private synchronized boolean awaitReports() {
    boolean interrupted = false;
    while (reporting > 0) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    return interrupted;
  }

  private static void disarm(Storm storm) {
    if (storm.alarm != null) {
      storm.alarm.cancel();
    }
  }
}
