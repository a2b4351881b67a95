package dev.selvedge.spring;

import dev.selvedge.ExceptionContext;
import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the last reports of the application's loops, cut to a size, for {@link FailuresEndpoint}.
 *
 * @since 0.1.0
 */
public final class RecentFailures {
  private static final int LONGEST_STACK = 50;
  private static final int MOST_SUPPRESSED = 10;
  private static final int MOST_DETAILS = 20;
  private static final int DEEPEST_CAUSE = 10;

  /**
   * A report.
   *
   * @param time when it came
   * @param message what happened
   * @param task the task that it is about
   * @param taskId its id
   * @param owner what owns that task
   * @param exception the failure; null for a warning
   * @param details anything else, by name
   * @since 0.1.0
   */
  public record Report(
      Instant time,
      String message,
      @Nullable String task,
      @Nullable Long taskId,
      @Nullable String owner,
      @Nullable Failure exception,
      Map<String, String> details) {}

  /**
   * An exception.
   *
   * @param type its class
   * @param message its message
   * @param stack the first frames
   * @param suppressed the first that are suppressed in it, without stacks
   * @param cause its cause
   * @since 0.1.0
   */
  public record Failure(
      String type,
      @Nullable String message,
      List<String> stack,
      List<String> suppressed,
      @Nullable Failure cause) {
    static Failure of(Throwable thrown, int depth) {
      Throwable cause = depth < DEEPEST_CAUSE ? Texts.cause(thrown) : null;
      return new Failure(
          thrown.getClass().getName(),
          Texts.cutOrNull(Texts.message(thrown)),
          Arrays.stream(Texts.frames(thrown))
              .limit(LONGEST_STACK)
              .map(frame -> Texts.cut(frame.toString()))
              .toList(),
          Arrays.stream(thrown.getSuppressed())
              .limit(MOST_SUPPRESSED)
              .map(Texts::describe)
              .toList(),
          cause == null ? null : of(cause, depth + 1));
    }
  }

  private final int keep;
  private final Clock clock;
  private final ArrayDeque<Report> reports = new ArrayDeque<>(); // guarded by this
  private long total; // guarded by this

  /**
   * Keeps some reports.
   *
   * @param keep how many; zero or more
   */
  public RecentFailures(int keep) {
    this.keep = keep;
    this.clock = Clock.systemUTC();
  }

  LoopListener asListener() {
    return new LoopListener() {
      @Override
      public void reported(ExceptionContext context) {
        add(context);
      }
    };
  }

  private void add(ExceptionContext context) {
    synchronized (this) {
      total++;
    }
    Task<?, ?> task = context.future();
    Throwable exception = context.exception();
    var details = new TreeMap<String, String>();
    context.details().entrySet().stream()
        .limit(MOST_DETAILS)
        .forEach(detail ->
            details.put(Texts.cut(detail.getKey()), Texts.cut(Texts.of(detail.getValue()))));
    var report =
        new Report(
            clock.instant(),
            Texts.cut(context.message()),
            task == null ? null : Texts.cut(task.name()),
            task == null ? null : task.id(),
            task == null ? null : Texts.cut(task.ownerName()),
            exception == null ? null : Failure.of(exception, 0),
            details);
    synchronized (this) {
      reports.addFirst(report);
      if (reports.size() > keep) {
        reports.removeLast();
      }
    }
  }

  /**
   * The last reports.
   *
   * @param most at most so many
   * @return the newest first
   */
  public synchronized List<Report> latest(int most) {
    return new ArrayList<>(reports).subList(0, Math.clamp(most, 0, reports.size()));
  }

  /**
   * How many reports came.
   *
   * @return those that are not kept any more included
   */
  public synchronized long total() {
    return total;
  }
}
