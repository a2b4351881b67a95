package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.lang.reflect.Field;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;

/**
 * What Lincheck checks: it lets threads of its own call the operations, tries the orders in which
 * they may meet at each access to memory, monitor and park, and looks whether the results are those
 * of some sequence of the operations. It knows the threads that it makes itself, so a task here
 * runs in one of them, and no loop has a thread.
 *
 * <p>{@code main} checks subjects in this JVM: {@code Linearizable SCENARIOS INVOCATIONS NAME...}.
 */
public final class Linearizable {
  /** Nothing rings, so that there is no timer thread. */
  private static class Still implements LoopClock {
    @Override
    public long nanoTime() {
      return 0;
    }

    @Override
    public Instant instant() {
      return Instant.EPOCH;
    }

    @Override
    public Alarm schedule(Runnable action, Duration delay) {
      return () -> {};
    }
  }

  /**
   * So Lincheck calls an execution that took seconds: when a class is first used it is rewritten,
   * which lasts that long on a busy machine. It says nothing of the order of accesses.
   */
  private static final String TOO_SLOW = "see the thread dump";

  private static final String UNDECIDED = "undecided";
  private static final int ATTEMPTS = 3;

  private static final Loop LOOP = loop(new Still());

  /** For what is reported; set by {@code main}. */
  private static Loop reported = LOOP;

  private Linearizable() {}

  private static Loop loop(LoopClock clock) {
    return Loop.builder().handleSignals(false).clock(clock).build();
  }

  /** Its handler never returns: reports are queued, and no thread is started for them. */
  private static Loop withBusyHandler() {
    Loop loop = loop(new Still());
    var busy = new CountDownLatch(1);
    loop.setExceptionHandler((_, _) -> {
      busy.countDown();
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    });
    loop.reports().post(new ExceptionContext("busy", null, null, Map.of()));
    try {
      busy.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return loop;
  }

  /** Makes the calling thread that of the task, and runs it. */
  private static void runHere(TaskImpl<?, ?> task) {
    Thread thread = Thread.currentThread();
    Thread.UncaughtExceptionHandler before = thread.getUncaughtExceptionHandler();
    task.thread(thread);
    thread.setUncaughtExceptionHandler(task);
    task.run();
    thread.setUncaughtExceptionHandler(before);
  }

  private static <T, X extends Exception> TaskImpl<T, X> task(Loop loop, Body<T, X> body) {
    return new TaskImpl<>(loop, null, body, TaskImpl.HIDDEN);
  }

  // ---- the subjects

  /** A request is accepted if it comes before the end, and counted if it was accepted. */
  public static class TaskState {
    private final AtomicBoolean leaked = new AtomicBoolean();
    private final TaskImpl<String, RuntimeException> task = task(LOOP, () -> "value");

    public TaskState() {
      task.onDone(done -> leaked.set(Thread.currentThread().isInterrupted()));
    }

    @Operation(runOnce = true)
    public boolean run() {
      runHere(task);
      return leaked.get() || Thread.interrupted();
    }

    @Operation
    public boolean cancel() {
      return task.cancel();
    }

    @Operation
    public boolean isDone() {
      return task.isDone();
    }

    @Operation
    public int requests() {
      return task.cancelRequests();
    }
  }

  /** Whoever awaits a task gets its value, also if others come and go. */
  public static class Waiters {
    private final TaskImpl<String, RuntimeException> task = task(LOOP, () -> "value");

    @Operation
    public void run() {
      runHere(task);
    }

    @Operation
    public String await() throws InterruptedException {
      return task.await();
    }

    /** As a waiter does that gives up. */
    @Operation
    public void comeAndGo() {
      var waiter = new Cold.Waiter(task, null, false, true);
      if (task.cold().addWaiter(waiter)) {
        task.cold().removeWaiter(waiter);
      }
    }
  }

  /** In a sequence every await could come last. */
  public static class WaitersInSequence {
    public void run() {}

    public String await() {
      return "value";
    }

    public void comeAndGo() {}
  }

  /** Whoever looks after an add finds the task, also at the end of a chunk. */
  @Param(name = "which", gen = IntGen.class, conf = "0:1")
  public static class Children {
    private final Listed listed = Listed.single();
    private final List<ListedTask<?, ?>> tasks = List.of(listedTask(), listedTask());
    private final List<AtomicBoolean> added = List.of(new AtomicBoolean(), new AtomicBoolean());

    public Children() {
      for (int i = 0; i < 14; i++) {
        comeAndGo();
      }
    }

    private static ListedTask<?, ?> listedTask() {
      return new ListedTask<String, RuntimeException>(LOOP, null, () -> "", 0);
    }

    /**
     * By one thread in a random scenario, as the second who adds a task returns before the first.
     */
    @Operation(nonParallelGroup = "add")
    public boolean add(@Param(name = "which") int which) {
      boolean first = added.get(which).compareAndSet(false, true);
      if (first) {
        listed.add(tasks.get(which));
      }
      return first;
    }

    @Operation
    public final void comeAndGo() {
      ListedTask<?, ?> other = listedTask();
      listed.add(other);
      Listed.remove(other);
    }

    @Operation
    public boolean isListed(@Param(name = "which") int which) {
      var found = new ArrayList<TaskImpl<?, ?>>();
      listed.addUnended(found);
      return found.contains(tasks.get(which));
    }
  }

  /** A child of a cancelled owner was asked to cancel, once, and a fork from then on refused. */
  public static class Forks {
    /** Its start does nothing. */
    private static final class Inert extends Thread {
      Inert(Runnable task) {
        super(task);
      }

      @Override
      public void start() {}
    }

    private final Loop owner =
        Loop.builder().handleSignals(false).clock(new Still()).threadFactory(Inert::new).build();
    private final List<TaskImpl<?, ?>> forked = new ArrayList<>();
    private final AtomicInteger cancellations = new AtomicInteger();

    @Operation
    public boolean fork() {
      TaskImpl<?, ?> task =
          owner.start(new ListedTask<String, RuntimeException>(owner, null, () -> "", 0));
      synchronized (forked) {
        forked.add(task);
      }
      return task.isDone();
    }

    @Operation
    public boolean cancel() {
      boolean first = owner.cancelChildren(CancelReason.request("Lincheck"));
      cancellations.incrementAndGet();
      return first;
    }

    @Validate
    public void everyChildWasAskedOnce() {
      int expected = cancellations.get() > 0 ? 1 : 0;
      for (TaskImpl<?, ?> task : forked) {
        if (task.cancelRequests() != expected) {
          throw new IllegalStateException("asked " + task.cancelRequests() + " times");
        }
      }
    }
  }

  /** Of retrieval, ignoring and report the first decides, and there is one report at most. */
  public static class Fate {
    private final Failed failed =
        new Failed(task(reported, () -> ""), new IOException("fate"), false);

    @Operation
    public Failed.Fate await() {
      failed.settle(Failed.Fate.AWAITED);
      return failed.fate;
    }

    @Operation
    public Failed.Fate ignore() {
      failed.settle(Failed.Fate.TOLERATED);
      return failed.fate;
    }

    @Operation
    public String report() {
      int reports = failed.enqueue(failed.failures()).size();
      return reports + " " + failed.fate;
    }
  }

  /** A limit ends its body or does not; its interrupt comes to nothing else. */
  public static class Limit {
    private final AtomicReference<@Nullable Runnable> alarm = new AtomicReference<>();
    private final Loop loop =
        loop(
            new Still() {
              @Override
              public Alarm schedule(Runnable action, Duration delay) {
                alarm.set(action);
                return () -> alarm.compareAndSet(action, null);
              }
            });
    private @Nullable String broken;

    private String body() throws InterruptedException {
      String result;
      boolean[] expired = {false};
      try {
        result =
            Timeout.<String, InterruptedException>within(
                Duration.ofSeconds(1),
                timeout -> {
                  Task.checkCancelled();
                  expired[0] = timeout.expired();
                  return "value";
                });
      } catch (TimeoutException e) {
        result = expired[0] ? "looked too late" : "value";
      }
      return Thread.interrupted() ? "interrupted" : result;
    }

    @Operation(runOnce = true)
    public String run() {
      TaskImpl<String, InterruptedException> task = task(loop, this::body);
      runHere(task);
      return task.value();
    }

    /** Of the thread that ran it, or of one that only rings. */
    @Operation
    public boolean isInterrupted() {
      return Thread.interrupted();
    }

    @Operation
    public void ring() {
      Runnable action = alarm.getAndSet(null);
      if (action != null) {
        action.run();
      }
    }
  }

  // ---- the program

  public static void main(String[] arguments) throws Exception {
    standStill();
    reported = withBusyHandler();
    int scenarios = Integer.parseInt(arguments[0]);
    int invocations = Integer.parseInt(arguments[1]);
    for (String name : List.of(arguments).subList(2, arguments.length)) {
      long start = System.nanoTime();
      String result = UNDECIDED;
      for (int i = 0; i < ATTEMPTS && result.equals(UNDECIDED); i++) {
        result =
            verdict(Class.forName("dev.selvedge.Linearizable$" + name), scenarios, invocations);
      }
      System.out.println(
          name + " " + result + ", " + (System.nanoTime() - start) / 1_000_000 + " ms");
    }
    // The threads of a mutant may never end.
    Runtime.getRuntime().halt(0);
  }

  private static String verdict(Class<?> subject, int scenarios, int invocations) throws Exception {
    try {
      check(subject, scenarios, invocations);
      return "passed";
    } catch (LincheckAssertionError e) {
      String message = requireNonNull(e.getMessage());
      System.err.println(message);
      String title = message.lines().filter(line -> !line.isBlank()).findFirst().orElse("");
      return title.contains(TOO_SLOW) ? UNDECIDED : "killed: " + title;
    }
  }

  /** What matters most comes first; random scenarios follow, if any are asked for. */
  private static List<ExecutionScenario> scenarios(Class<?> subject) throws Exception {
    return switch (subject.getSimpleName()) {
      case "TaskState" ->
          List.of(
              scenario(subject, "run requests", "cancel"),
              scenario(subject, "run requests", "cancel", "cancel isDone"));
      // Every await must have a run.
      case "Waiters" ->
          List.of(
              scenario(subject, "await", "run"),
              scenario(subject, "await", "await", "run"),
              scenario(subject, "await", "run", "comeAndGo"));
      case "Children" ->
          List.of(
              scenario(subject, "add0 isListed1", "add1 isListed0"),
              scenario(subject, "add0 add1 isListed0", "comeAndGo comeAndGo isListed1"));
      case "Forks" ->
          List.of(
              scenario(subject, "fork", "cancel"), scenario(subject, "fork cancel", "cancel fork"));
      case "Fate" ->
          List.of(
              scenario(subject, "await", "report"),
              scenario(subject, "ignore await", "report report"));
      case "Limit" -> List.of(scenario(subject, "run isInterrupted", "ring"));
      default -> throw new IllegalArgumentException(subject.getName());
    };
  }

  private static void check(Class<?> subject, int scenarios, int invocations) throws Exception {
    Options<?, ?> options;
    if (subject == Fate.class) {
      // What is reported goes to a thread of the loop's own, so this is not for the model checker.
      options = new StressOptions().invocationsPerIteration(10 * invocations);
    } else {
      options = new ModelCheckingOptions().invocationsPerIteration(invocations);
    }
    options.threads(2).actorsPerThread(2).actorsBefore(0).actorsAfter(1);
    options.iterations(subject == Waiters.class ? 0 : scenarios);
    if (subject == Waiters.class) {
      options.sequentialSpecification(WaitersInSequence.class);
    }
    for (ExecutionScenario scenario : scenarios(subject)) {
      options.addCustomScenario(scenario);
    }
    options.check(subject);
  }

  /** For each thread its operations; a digit at the end is an argument. */
  private static ExecutionScenario scenario(Class<?> subject, String... threads) throws Exception {
    var actors = new ArrayList<List<Actor>>();
    for (String thread : threads) {
      var ofThread = new ArrayList<Actor>();
      for (String operation : thread.split(" ")) {
        char last = operation.charAt(operation.length() - 1);
        ofThread.add(
            Character.isDigit(last)
                ? new Actor(
                    subject.getMethod(operation.substring(0, operation.length() - 1), int.class),
                    List.of(last - '0'))
                : new Actor(subject.getMethod(operation), List.of()));
      }
      actors.add(ofThread);
    }
    return new ExecutionScenario(List.of(), actors, List.of(), null);
  }

  /** The clock of ages would have a thread of its own, which Lincheck cannot steer. */
  private static void standStill() throws ReflectiveOperationException {
    Field ticking = Timers.class.getDeclaredField("TICKING");
    ticking.setAccessible(true);
    ((AtomicBoolean) ticking.get(null)).set(true);
    Field ticked = Timers.class.getDeclaredField("ticked");
    ticked.setAccessible(true);
    ticked.setLong(null, 0);
  }
}
