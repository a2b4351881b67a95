package dev.selvedge.testkit;

import static java.util.Objects.requireNonNull;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.internal.Seams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An exception handler that remembers what it is told, and which of it a test expects. Each test of
 * a {@link SelvedgeExtension} has one, which it may ask for as a parameter.
 *
 * {@snippet file="dev/selvedge/testkit/SamplesTest.java" region="recording"}
 *
 * @since 0.1.0
 */
public final class RecordingHandler implements LoopExceptionHandler {
  /** How often is looked for failures that nobody has been told of. */
  private static final Duration LOOK = Duration.ofMillis(10);

  /** Less in tests of this class. */
  volatile Duration patience = Duration.ofSeconds(10);

  // Guarded by this.
  private final List<ExceptionContext> contexts = new ArrayList<>();
  private boolean anything;

  /** What neither {@link #expectOrphan} nor {@link #expectReport} has returned. */
  private final List<ExceptionContext> untaken = new ArrayList<>();

  /** A handler that has been told nothing. */
  public RecordingHandler() {}

  @Override
  public synchronized void handle(Loop loop, ExceptionContext context) {
    contexts.add(context);
    untaken.add(context);
    notifyAll();
  }

  /**
   * What it was told.
   *
   * @return a copy, in order
   */
  public synchronized List<ExceptionContext> contexts() {
    return List.copyOf(contexts);
  }

  /**
   * The exceptions that it was told of; warnings have none.
   *
   * @return a copy, in order
   */
  public List<Throwable> exceptions() {
    return exceptionsOf(contexts());
  }

  /**
   * The messages of what it was told.
   *
   * @return a copy, in order
   */
  public List<String> messages() {
    return contexts().stream().map(ExceptionContext::message).toList();
  }

  /** Expects whatever it was told and will be. */
  public synchronized void expectAnything() {
    anything = true;
  }

  /**
   * What it was told and nobody expected.
   *
   * @return a copy, in order
   */
  public synchronized List<ExceptionContext> unexpected() {
    return anything ? List.of() : untaken();
  }

  private synchronized List<ExceptionContext> untaken() {
    return List.copyOf(untaken);
  }

  /**
   * Expects the failure of a task that nobody retrieves, and waits for its report, at most ten
   * seconds. A failure that the current loop keeps only in case somebody should await it is
   * reported now, as the loop's close would.
   *
   * @param <E> the type of the failure
   * @param type the class of the failure, or one above it
   * @return the failure: the first of that type that was not returned before
   * @throws AssertionError if none comes; what came instead is suppressed in it
   * @throws InterruptedException if the caller is interrupted
   */
  public <E extends Throwable> E expectOrphan(Class<E> type) throws InterruptedException {
    requireNonNull(type, "type");
    ExceptionContext report =
        expect(context -> type.isInstance(context.exception()), type.getName(), type::isInstance);
    return type.cast(requireNonNull(report.exception()));
  }

  /**
   * Expects a report with a message, such as a warning, which has no exception, and waits for it,
   * at most ten seconds.
   *
   * @param message the whole message
   * @return the first such report that was not returned before
   * @throws AssertionError if none comes; what came instead is suppressed in it
   * @throws InterruptedException if the caller is interrupted
   */
  public ExceptionContext expectReport(String message) throws InterruptedException {
    requireNonNull(message, "message");
    return expect(context -> context.message().equals(message), '"' + message + '"', _ -> false);
  }

  private ExceptionContext expect(
      Predicate<ExceptionContext> wanted, String what, Predicate<Throwable> unread)
      throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      synchronized (this) {
        ExceptionContext found = take(wanted);
        if (found == null) {
          TimeUnit.NANOSECONDS.timedWait(this, LOOK.toNanos());
          found = take(wanted);
        }
        if (found != null) {
          return found;
        }
      }
      if (System.nanoTime() - deadline >= 0) {
        throw missing(what);
      }
      reportUnread(unread);
    }
  }

  private synchronized @Nullable ExceptionContext take(Predicate<ExceptionContext> wanted) {
    for (Iterator<ExceptionContext> each = untaken.iterator(); each.hasNext(); ) {
      ExceptionContext report = each.next();
      if (wanted.test(report)) {
        each.remove();
        return report;
      }
    }
    return null;
  }

  private void reportUnread(Predicate<Throwable> which) {
    Loop loop = Loop.current();
    if (loop.getExceptionHandler().filter(this::equals).isPresent()) {
      Seams.get().reportUnread(loop, which);
    }
  }

  private AssertionError missing(String what) {
    List<ExceptionContext> instead = untaken();
    var error =
        new AssertionError(
            what
                + " did not reach the exception handler within "
                + patience
                + (instead.isEmpty() ? "; nothing did" : ", but:" + describe(instead)));
    exceptionsOf(instead).forEach(error::addSuppressed);
    return error;
  }

  static List<Throwable> exceptionsOf(List<ExceptionContext> reports) {
    return reports.stream().flatMap(report -> Stream.ofNullable(report.exception())).toList();
  }

  static String describe(List<ExceptionContext> reports) {
    var text = new StringBuilder();
    for (ExceptionContext report : reports) {
      text.append("\n  ").append(report.message());
      if (report.exception() != null) {
        text.append(": ").append(report.exception());
      }
      if (report.future() != null) {
        text.append(", of ").append(report.future());
      }
      if (report.exception() == null && !report.details().isEmpty()) {
        text.append(", ").append(report.details());
      }
    }
    return text.toString();
  }

  @Override
  public String toString() {
    return "RecordingHandler" + contexts();
  }
}
