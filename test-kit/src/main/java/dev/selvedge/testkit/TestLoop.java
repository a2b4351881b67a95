package dev.selvedge.testkit;

import dev.selvedge.Body;
import dev.selvedge.CancelScope;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.internal.Seams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.InvocationInterceptor.Invocation;

/** The loop of one test, and what is asserted when it is over. */
final class TestLoop implements AutoCloseable {
  /** For what is about to end when the test does. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Who has been blocked for so long is not about to end. */
  private static final Duration BLOCKED = Duration.ofMillis(200);

  private final SelvedgeExtension.Builder settings;
  private final RecordingHandler handler = new RecordingHandler();
  private final @Nullable ManualClock manual;
  private final WatchedClock watched = new WatchedClock();
  private final Loop loop;

  /** Who came out of a method with its interrupt flag set. */
  private volatile @Nullable Thread interrupted;

  TestLoop(String name, SelvedgeExtension.Builder settings, @Nullable ManualClock manual) {
    this.settings = settings;
    this.manual = manual;
    if (settings.anything) {
      handler.expectAnything();
    }
    Loop.Builder builder =
        Loop.builder()
            .name(name)
            .handleSignals(false)
            .exceptionHandler(handler)
            .clock(manual != null ? manual : watched);
    if (manual != null && manual.isJumping()) {
      // Who cleans up in real time is no straggler because time has jumped.
      builder.stragglerWarning(ManualClock.HORIZON.multipliedBy(2));
    }
    loop = settings.loop.apply(builder).build();
  }

  boolean isOf(SelvedgeExtension.Builder others) {
    return settings == others;
  }

  Loop loop() {
    return loop;
  }

  RecordingHandler handler() {
    return handler;
  }

  ManualClock clock() {
    if (manual == null) {
      throw new IllegalStateException(
          "the loop was made without a ManualClock: set SelvedgeExtension.builder().clock");
    }
    return manual;
  }

  // ---- while the test runs

  /** What happens when a method has taken too long. */
  private final class Limit {
    private final String method;
    private final Duration limit;
    private final CancelScope scope = CancelScope.create();
    private final Thread thread = Thread.currentThread();

    // Guarded by this.
    private boolean over;
    private @Nullable String reached;

    Limit(String method, Duration limit) {
      this.method = method;
      this.limit = limit;
    }

    /** Not on the thread of the library's timer, which must not block. */
    void alarm() {
      Thread.ofPlatform().daemon().name("selvedge-time-limit").start(this::reach);
    }

    private synchronized void reach() {
      if (over) {
        return;
      }
      var text = new StringBuilder(method);
      text.append(" did not end within ").append(limit).append(". Its thread:");
      for (StackTraceElement frame : ofTheTest(thread.getStackTrace())) {
        text.append("\n\tat ").append(frame);
      }
      text.append("\nIts tasks:\n").append(loop.snapshot());
      System.err.println(text);
      reached = text.toString();
      scope.cancel(method + " did not end within " + limit);
    }

    synchronized @Nullable String end() {
      over = true;
      return reached;
    }
  }

  /** Without the frames below the method: JUnit's, reflection's, and the extension's own. */
  private static List<StackTraceElement> ofTheTest(StackTraceElement[] stack) {
    List<StackTraceElement> frames = List.of(stack);
    int end = 0;
    while (end < stack.length && !frames.get(end).getClassName().equals(TestLoop.class.getName())) {
      end++;
    }
    while (end > 0 && calls(frames.get(end - 1).getClassName())) {
      end--;
    }
    return frames.subList(0, end);
  }

  private static boolean calls(String type) {
    return type.startsWith("org.junit.")
        || type.startsWith("java.lang.reflect.")
        || type.startsWith("jdk.internal.reflect.");
  }

  <T extends @Nullable Object> T call(Invocation<T> invocation, String method, Duration limit)
      throws Throwable {
    var timed = new Limit(method, limit);
    // A test may have shut its loop down, which then is no other thread's any more.
    boolean current = settings.current && !loop.isShutdown() && !loop.isClosed();
    LoopClock.Alarm alarm =
        limit.isZero() ? () -> {} : LoopClock.system().schedule(timed::alarm, limit);
    Body<T, Exception> body =
        () ->
            timed.scope.<T, Exception>call(() -> {
              try {
                return invocation.proceed();
              } catch (Throwable t) {
                throw TestLoop.<RuntimeException>sneak(t);
              }
            });
    T value = null;
    Throwable thrown = null;
    try {
      value = current ? loop.<T, Exception>asCurrent(body) : body.call();
    } catch (Throwable t) {
      thrown = t;
    }
    alarm.cancel();
    if (Thread.currentThread().isInterrupted()) {
      interrupted = Thread.currentThread();
    }
    String reached = timed.end();
    if (reached != null) {
      throw new AssertionError(reached, thrown);
    }
    if (thrown != null) {
      throw thrown;
    }
    return result(value);
  }

  @SuppressWarnings({"TypeParameterUnusedInFormals", "unchecked"})
  private static <X extends Throwable> X sneak(Throwable thrown) throws X {
    throw (X) thrown;
  }

  @SuppressWarnings("NullAway") // what the method returned
  private static <T extends @Nullable Object> T result(@Nullable T value) {
    return value;
  }

  // ---- when it is over

  /** If the test never began. */
  @Override
  public void close() {
    closeLoop();
  }

  /** Fails if something is left. */
  void finish() {
    var left = new ArrayList<String>();
    if (manual != null) {
      manual.halt();
    }
    Thread flagged = interrupted;
    boolean elsewhere = flagged != null && flagged != Thread.currentThread();
    if (Thread.interrupted() || elsewhere) {
      left.add("the interrupt flag is set" + (elsewhere ? ", of " + flagged : ""));
    }
    // It waits for tasks that are about to end.
    String tasks = settings.tasksMayBeLeft ? null : liveTasks();
    String stubborn = closeLoop();
    if (tasks != null) {
      left.add(tasks);
    }
    if (stubborn != null) {
      left.add(stubborn);
    }
    addAlarms(left);
    List<ExceptionContext> reports = handler.unexpected();
    if (!reports.isEmpty()) {
      left.add(
          "reports reached the exception handler that were not expected, see expectOrphan:"
              + RecordingHandler.describe(reports));
    }
    var failures = new ArrayList<>(RecordingHandler.exceptionsOf(reports));
    if (manual != null && !manual.failures().isEmpty()) {
      left.add("alarms of the clock have failed: " + manual.failures());
      failures.addAll(manual.failures());
    }
    if (!left.isEmpty()) {
      var error =
          new AssertionError(
              "the test left something behind:\n" + String.join("\n", left),
              failures.isEmpty() ? null : failures.getFirst());
      failures.stream().skip(1).forEach(error::addSuppressed);
      throw error;
    }
    if (settings.wholeProcess) {
      Quiescence.assertQuiescent();
    }
  }

  /** Waits for those that are about to end; describes the others. */
  private @Nullable String liveTasks() {
    var stillness = new Stillness(each -> each == loop, () -> 0, new HashSet<>());
    try {
      stillness.await(PATIENCE, BLOCKED, null, () -> Seams.get().unended(loop).isEmpty());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    int live = Seams.get().unended(loop).size();
    return live == 0
        ? null
        : live
            + (live == 1 ? " task is" : " tasks are")
            + " alive:\n"
            + loop.snapshot().toString().stripTrailing()
            + "\ncancel what is not awaited, or loop.allTasks().forEach(Task::cancel);"
            + " or set tasksMayBeLeft() in SelvedgeExtension.builder()";
  }

  /** Cancels what is left. Says so if it does not end, or if the loop cannot be closed. */
  private @Nullable String closeLoop() {
    var failure = new AtomicReference<@Nullable Throwable>();
    Thread closer =
        Thread.ofPlatform()
            .daemon()
            .name("selvedge-close")
            .start(() -> {
              try {
                loop.close();
              } catch (Throwable t) {
                failure.set(t);
              }
            });
    boolean interrupted = false;
    long start = System.nanoTime();
    while (closer.isAlive() && System.nanoTime() - start < PATIENCE.toNanos()) {
      try {
        closer.join(PATIENCE);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (closer.isAlive()) {
      return "tasks go on although they were cancelled:\n"
          + loop.snapshot().toString().stripTrailing()
          + "\nin the threads "
          + Seams.get().threads(loop);
    }
    return failure.get() == null ? null : "the loop could not be closed: " + failure.get();
  }

  private void addAlarms(List<String> left) {
    int alarms = manual != null ? manual.alarms() : watched.alarms();
    if (alarms > 0) {
      left.add(
          alarms
              + (alarms == 1 ? " alarm is" : " alarms are")
              + " armed:"
              + (manual != null ? manual.describeAlarms() : watched.describeAlarms()));
      watched.cancelAll();
    }
  }
}
