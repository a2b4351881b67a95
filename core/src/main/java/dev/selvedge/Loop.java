package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The root supervisor: asyncio's event loop without the events. It owns tasks that outlive their
 * creator, and has the exception handler for the failures that nobody retrieves.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="run"}
 *
 * <p>Tasks run on threads of their own from the moment they are created; a loop needs no running to
 * make them go. {@link #run} adds a beginning and an end: it runs {@code main}, cancels what is
 * left, waits for it, and closes.
 *
 * <p><b>Failure:</b> an orphaned failure does not stop the loop. It is reported to the exception
 * handler, at most once: a {@linkplain #launch launched} task's at once, another's when the loop
 * closes, when its handle is unreachable, or after {@link Builder#orphanAfter}.
 *
 * <p><b>Cancellation:</b> {@link #close} and the end of {@link #run} cancel every task and wait
 * until the last has ended, however long that takes. While a run is active, Ctrl-C cancels its
 * main.
 *
 * <p><b>Threads:</b> every method may be called from any thread, but {@link #close} and the runs
 * not from a task of the same loop.
 *
 * @since 0.1.0
 */
public final class Loop extends Owner implements AutoCloseable {
  private static final Set<Loop> ALL =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  /** Held where a run begins: two that began in tasks of each other would both wait for ever. */
  private static final Object RUNS = new Object();

  private static final ThreadFactory VIRTUAL = Thread.ofVirtual().factory();

  /** The default loop, made when it is first asked for. */
  private static final class Default {
    private static final Loop LOOP = new Loop(new Builder().name("default"));
  }

  private final String name;
  private final @Nullable ThreadFactory factory;
  private final boolean handleSignals;
  private final Duration shutdownTimeout;
  private final Duration stragglerWarning;
  private final @Nullable Duration orphanAfter;
  private final LoopClock clock;
  private final boolean debug;
  private final @Nullable Context context;
  private final @Nullable Listeners listeners;
  private final Reports reports = new Reports(this);
  private final Guests guests = new Guests(this);
  private final CountDownLatch shutDown = new CountDownLatch(1);
  private volatile @Nullable LoopExceptionHandler handler;
  private volatile boolean shutdown;

  // Guarded by this.
  private @Nullable Run run;
  private boolean stopRequested;
  private @Nullable Thread closedBy;

  private Loop(Builder builder) {
    super(builder.threadFactory != null, builder.admission);
    name = builder.name;
    handler = builder.exceptionHandler;
    factory = builder.threadFactory;
    handleSignals = builder.handleSignals;
    shutdownTimeout = builder.shutdownTimeout;
    stragglerWarning = builder.stragglerWarning;
    orphanAfter = builder.orphanAfter;
    clock = builder.clock;
    debug = builder.debug;
    context =
        builder.inherited.isEmpty() && builder.carriers.isEmpty()
            ? null
            : new Context(builder.inherited, builder.carriers);
    listeners = builder.listeners.isEmpty() ? null : new Listeners(this, builder.listeners);
    ALL.add(this);
    if (handleSignals) {
      Exit.hook();
    }
  }

  // ---- making one

  /**
   * A new loop with the defaults of {@link #builder}.
   *
   * @return the loop; close it
   */
  public static Loop create() {
    return builder().build();
  }

  /**
   * For a loop that is not like the others.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The loop of the current task; outside of tasks the one that {@link #asCurrent(Body)} gave to
   * the thread, and without it the one default loop of the process, which cannot be closed, and
   * which reports what is left when the JVM exits.
   *
   * @return the loop
   */
  public static Loop current() {
    TaskImpl<?, ?> task = TaskImpl.current();
    return task != null ? task.loop() : Strand.foreignLoop();
  }

  static Loop defaultLoop() {
    return Default.LOOP;
  }

  /** Settings of a loop. Each returns the builder. */
  public static final class Builder {
    private String name = "loop";
    private @Nullable LoopExceptionHandler exceptionHandler;
    private @Nullable ThreadFactory threadFactory;
    private boolean handleSignals =
        Boolean.parseBoolean(System.getProperty("selvedge.handleSignals", "true"));
    private Duration shutdownTimeout = Duration.ofSeconds(30);
    private Duration stragglerWarning = Duration.ofSeconds(10);
    private @Nullable Duration orphanAfter;
    private LoopClock clock = LoopClock.system();
    private @Nullable Admission admission;
    private boolean debug = Boolean.getBoolean("selvedge.debug");
    private final List<ScopedValue<?>> inherited = new ArrayList<>();
    private final List<ContextCarrier> carriers = new ArrayList<>();
    private final List<LoopListener> listeners = new ArrayList<>();

    private Builder() {}

    /**
     * The name, for messages.
     *
     * @param name any text; {@code loop} if not set
     * @return this
     */
    public Builder name(String name) {
      this.name = requireNonNull(name, "name");
      return this;
    }

    /**
     * Who is told of failures that nobody retrieves.
     *
     * @param handler the handler; if not set, the default loop's
     * @return this
     */
    public Builder exceptionHandler(LoopExceptionHandler handler) {
      this.exceptionHandler = requireNonNull(handler, "handler");
      return this;
    }

    /**
     * Where the threads of tasks come from. The library sets their uncaught-exception handler, and
     * their name if the task was given one; the loop waits for them to end.
     *
     * @param factory makes a new, unstarted thread each time; virtual threads if not set
     * @return this
     */
    public Builder threadFactory(ThreadFactory factory) {
      this.threadFactory = requireNonNull(factory, "factory");
      return this;
    }

    /**
     * Whether a run cancels its main on Ctrl-C, and whether the exit of the JVM cancels the loop's
     * tasks and waits for them.
     *
     * @param handle false leaves signals and exit alone; if not set, false if the system property
     *     {@code selvedge.handleSignals} is, which is the way to say so for the default loop, and
     *     else true
     * @return this
     */
    public Builder handleSignals(boolean handle) {
      this.handleSignals = handle;
      return this;
    }

    /**
     * How long the exit of the JVM waits for the tasks of this loop.
     *
     * @param limit zero or more; 30 seconds if not set
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder shutdownTimeout(Duration limit) {
      if (requireNonNull(limit, "limit").isNegative()) {
        throw new IllegalArgumentException("shutdownTimeout is negative: " + limit);
      }
      this.shutdownTimeout = limit;
      return this;
    }

    /**
     * After how long a task that ignores its cancellation is named to the handler, with its stack;
     * it is named again after twice the time, and so on. Of one owner at most 100 are named each
     * time, the others counted.
     *
     * @param delay more than zero; 10 seconds if not set
     * @return this
     * @throws IllegalArgumentException if it is zero or negative
     */
    public Builder stragglerWarning(Duration delay) {
      this.stragglerWarning = requirePositive(delay, "stragglerWarning");
      return this;
    }

    /**
     * Reports a failure that nobody has retrieved for so long, although its handle may still be
     * held. A later await still throws.
     *
     * @param delay more than zero; if not set, failures wait for as long as their handle is held
     * @return this
     * @throws IllegalArgumentException if it is zero or negative
     */
    public Builder orphanAfter(Duration delay) {
      this.orphanAfter = requirePositive(delay, "orphanAfter");
      return this;
    }

    /**
     * What the limits, delays and periods of the loop's tasks are measured by.
     *
     * @param clock the clock; the system's if not set
     * @return this
     */
    public Builder clock(LoopClock clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /**
     * How many tasks of the loop may be alive at once.
     *
     * @param admission the limit, and what becomes of one too many; no limit if not set
     * @return this
     */
    public Builder admission(Admission admission) {
      this.admission = requireNonNull(admission, "admission");
      return this;
    }

    /**
     * Whether tasks remember where they were created: asyncio's debug mode. Reports, the task tree
     * and failures then say so, and the threads of tasks without a name are named too. Costs some
     * microseconds and a stack trace a task.
     *
     * @param debug true to switch it on; if not set, whether the system property {@code
     *     selvedge.debug} is true, which is the way to switch it on for the default loop
     * @return this
     */
    public Builder debug(boolean debug) {
      this.debug = debug;
      return this;
    }

    /**
     * Scoped values that tasks, also those of scopes, take along from the thread that forks them.
     * (Plain virtual threads inherit none.) They are captured at the fork; those that are not bound
     * there are not bound in the task.
     *
     * @param values added to those of earlier calls; none if not set
     * @return this
     */
    public Builder inherit(ScopedValue<?>... values) {
      for (ScopedValue<?> value : requireNonNull(values, "values")) {
        requireNonNull(value, "value");
      }
      inherited.addAll(List.of(values));
      return this;
    }

    /**
     * Something else that tasks, also those of scopes, take along from the thread that forks them.
     *
     * @param carrier added to those of earlier calls, the first is the outermost; none if not set
     * @return this
     */
    public Builder carry(ContextCarrier carrier) {
      carriers.add(requireNonNull(carrier, "carrier"));
      return this;
    }

    /**
     * Who is told what happens to tasks.
     *
     * @param listener added to those of earlier calls; none if not set
     * @return this
     */
    public Builder listener(LoopListener listener) {
      listeners.add(requireNonNull(listener, "listener"));
      return this;
    }

    private static Duration requirePositive(Duration delay, String what) {
      if (!requireNonNull(delay, "delay").isPositive()) {
        throw new IllegalArgumentException(what + " must be more than zero: " + delay);
      }
      return delay;
    }

    /**
     * The loop.
     *
     * @return a new loop; close it
     */
    public Loop build() {
      return new Loop(this);
    }
  }

  // ---- running

  /**
   * Runs a main in a new loop: {@code asyncio.run}. Main is a task on a virtual thread of its own.
   * When it has ended, every task that is left is cancelled and waited for, what failed meanwhile
   * is reported, and the loop is closed; only then this returns or throws. May be called inside of
   * a task.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of main
   * @param main is given the loop
   * @return the value of main
   * @throws X the failure of main, the same object
   * @throws TaskCancelledException if main was cancelled by somebody else
   * @throws KeyboardInterruptException if Ctrl-C cancelled main
   * @throws InterruptedException if the calling thread was interrupted and that cancelled main; if
   *     main ended in another way, that comes out and the interrupt flag is set
   */
  public static <T extends @Nullable Object, X extends Exception> T run(
      LoopBody<? extends T, ? extends X> main) throws X, InterruptedException {
    requireNonNull(main, "main");
    Loop loop = create();
    return loop.<T, X>runToEnd(() -> main.call(loop), _ -> {});
  }

  /**
   * Runs a main that needs no handle of its loop.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of main
   * @param main what to run
   * @return the value of main
   * @throws X the failure of main
   * @throws InterruptedException if the calling thread was interrupted and that cancelled main
   * @see #run(LoopBody)
   */
  public static <T extends @Nullable Object, X extends Exception> T run(
      Body<? extends T, ? extends X> main) throws X, InterruptedException {
    requireNonNull(main, "main");
    return create().<T, X>runToEnd(main, _ -> {});
  }

  /**
   * Runs a main without a value.
   *
   * @param <X> the checked exception of main
   * @param main what to run
   * @throws X the failure of main
   * @throws InterruptedException if the calling thread was interrupted and that cancelled main
   * @see #run(LoopBody)
   */
  public static <X extends Exception> void run(Action<? extends X> main)
      throws X, InterruptedException {
    requireNonNull(main, "main");
    create().<@Nullable Void, X>runToEnd(Failures.body(main), _ -> {});
  }

  /**
   * Runs a main and exits the JVM: with 0 when it returned, 130 after Ctrl-C, and 1 when it failed,
   * was cancelled or its caller interrupted; that is reported to the loop's handler, which main may
   * have set.
   *
   * @param main is given the loop
   */
  public static void main(LoopBody<?, ?> main) {
    requireNonNull(main, "main");
    int status = 0;
    try {
      Loop loop = create();
      loop.<@Nullable Object, Exception>runToEnd(() -> main.call(loop), loop::reportMain);
    } catch (KeyboardInterruptException e) {
      status = 130;
    } catch (Throwable t) {
      status = 1;
    }
    System.exit(status);
  }

  /**
   * Reports what came out of a main that has no caller. Being ended with the process is no failure.
   */
  private void reportMain(Throwable thrown) {
    List<Throwable> failures =
        switch (thrown) {
          case KeyboardInterruptException end -> end.failures();
          case TaskCancelledException end
              when end.reason().source() == CancelReason.Source.SHUTDOWN ->
              Failures.suppressedFailures(end.getCause());
          default -> List.of(thrown);
        };
    for (Throwable failure : failures) {
      callExceptionHandler(new ExceptionContext("Exception in main", failure, null, Map.of()));
    }
  }

  /**
   * Runs a main in this loop: {@code loop.run_until_complete}. Tasks that are left go on.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of main
   * @param main what to run
   * @return the value of main
   * @throws X the failure of main, the same object
   * @throws TaskCancelledException if main was cancelled by somebody else
   * @throws KeyboardInterruptException if Ctrl-C cancelled main
   * @throws InterruptedException if the calling thread was interrupted and that cancelled main
   * @throws IllegalStateException if the loop is running or closed, or the caller is one of its
   *     tasks
   */
  public <T extends @Nullable Object, X extends Exception> T runUntilComplete(
      Body<? extends T, ? extends X> main) throws X, InterruptedException {
    requireNonNull(main, "main");
    Run active = begin();
    try {
      return this.<T, X>runMain(active, main);
    } finally {
      end(active);
    }
  }

  /**
   * Runs a main without a value in this loop.
   *
   * @param <X> the checked exception of main
   * @param main what to run
   * @throws X the failure of main
   * @throws InterruptedException if the calling thread was interrupted and that cancelled main
   * @throws IllegalStateException if the loop is running or closed, or the caller is one of its
   *     tasks
   * @see #runUntilComplete(Body)
   */
  public <X extends Exception> void runUntilComplete(Action<? extends X> main)
      throws X, InterruptedException {
    this.<@Nullable Void, X>runUntilComplete(Failures.<X>body(main));
  }

  /**
   * Waits until {@link #stop}: {@code loop.run_forever}. Tasks that are left go on. If {@code stop}
   * was called before, returns at once.
   *
   * @throws InterruptedException if the calling thread is interrupted
   * @throws KeyboardInterruptException at Ctrl-C
   * @throws IllegalStateException if the loop is running or closed, or the caller is one of its
   *     tasks
   */
  public void runForever() throws InterruptedException {
    Run active = begin();
    try {
      synchronized (this) {
        if (stopRequested) {
          active.stop();
        }
      }
      active.awaitStop();
      if (active.takeKeyboardInterrupt()) {
        throw new KeyboardInterruptException(null);
      }
    } finally {
      synchronized (this) {
        stopRequested = false;
      }
      end(active);
    }
  }

  /** Ends {@link #runForever}, this one or the next. Has no effect on other runs. */
  public synchronized void stop() {
    stopRequested = true;
    if (run != null) {
      run.stop();
    }
  }

  private Run begin() {
    var active = new Run();
    synchronized (RUNS) {
      refuseOwnTask("run");
      synchronized (this) {
        if (isClosed() || closedBy != null) {
          throw new IllegalStateException(this + " is closed: create another");
        }
        if (run != null) {
          throw new IllegalStateException(this + " is running already");
        }
        run = active;
      }
    }
    if (handleSignals) {
      Signals.begin(active);
    }
    return active;
  }

  private void end(Run active) {
    Signals.end(active);
    synchronized (this) {
      run = null;
    }
  }

  /** Runs main and shuts down. What is thrown is told while the exit of the process still waits. */
  private <T extends @Nullable Object, X extends Exception> T runToEnd(
      Body<? extends T, ? extends X> main, Consumer<Throwable> listener)
      throws X, InterruptedException {
    Run active = begin();
    T value = null;
    Throwable thrown = null;
    try {
      value = this.<T, X>runMain(active, main);
    } catch (Throwable t) {
      thrown = t;
    }
    shutDown(
        thrown instanceof KeyboardInterruptException
            ? CancelReason.Source.KEYBOARD_INTERRUPT
            : CancelReason.Source.SHUTDOWN);
    if (thrown != null) {
      listener.accept(thrown);
    }
    end(active);
    if (active.takeKeyboardInterrupt()) {
      thrown = keyboardInterrupt(thrown);
    }
    return Failures.deliver(value, thrown);
  }

  private <T extends @Nullable Object, X extends Exception> T runMain(
      Run active, Body<? extends T, ? extends X> body) throws X, InterruptedException {
    TaskImpl<T, X> main = startNew(new ListedTask<T, X>(this, "main", body, TaskImpl.MAIN));
    active.main(main);
    boolean interrupted =
        main.awaitPassingInterrupts(
            () -> main.cancel("the thread that called run was interrupted"));
    boolean keyboard = active.takeKeyboardInterrupt();
    if (!main.isCancelled()) {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      Throwable failure = main.ending();
      if (keyboard && failure != null) {
        Failures.suppress(failure, new KeyboardInterruptException(null));
      }
      return main.result();
    }
    Throwable ending = requireNonNull(main.ending());
    if (keyboard) {
      main.retrieve();
      throw new KeyboardInterruptException(ending);
    }
    if (interrupted) {
      main.retrieve();
      var cancelled = new InterruptedException("the thread that called run was interrupted");
      cancelled.initCause(ending);
      throw Failures.carry(cancelled, ending.getCause());
    }
    return main.result();
  }

  /** Ctrl-C that came when main had ended already. */
  private static Throwable keyboardInterrupt(@Nullable Throwable thrown) {
    if (thrown == null || thrown instanceof KeyboardInterruptException) {
      return thrown == null ? new KeyboardInterruptException(null) : thrown;
    }
    Failures.suppress(thrown, new KeyboardInterruptException(null));
    return thrown;
  }

  // ---- tasks

  /**
   * Starts a task: {@code loop.create_task}. The loop owns it; the creator is free to end before
   * it.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param body what it does
   * @return its handle; in a loop that is closing, that of a cancelled task whose body never runs
   * @throws IllegalStateException if the loop is closed
   * @throws RejectedExecutionException if the loop is shut down, or no thread can be had for it
   */
  public <T extends @Nullable Object, X extends Exception> Task<T, X> createTask(
      Body<? extends T, ? extends X> body) {
    return startNew(new ListedTask<T, X>(this, null, requireNonNull(body, "body"), 0));
  }

  /**
   * Starts a task without a value.
   *
   * @param <X> the checked exception of the action
   * @param action what it does
   * @return its handle
   * @throws IllegalStateException if the loop is closed
   * @throws RejectedExecutionException if the loop is shut down, or no thread can be had for it
   * @see #createTask(Body)
   */
  public <X extends Exception> Task<@Nullable Void, X> createTask(Action<? extends X> action) {
    return createTask(Failures.<X>body(action));
  }

  /**
   * Starts a named task.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param name the name of the task and its thread
   * @param body what it does
   * @return its handle
   * @throws IllegalStateException if the loop is closed
   * @throws RejectedExecutionException if the loop is shut down, or no thread can be had for it
   * @see #createTask(Body)
   */
  public <T extends @Nullable Object, X extends Exception> Task<T, X> createTask(
      String name, Body<? extends T, ? extends X> body) {
    requireNonNull(name, "name");
    return startNew(new ListedTask<T, X>(this, name, requireNonNull(body, "body"), 0));
  }

  /**
   * Starts a named task without a value.
   *
   * @param <X> the checked exception of the action
   * @param name the name of the task and its thread
   * @param action what it does
   * @return its handle
   * @throws IllegalStateException if the loop is closed
   * @throws RejectedExecutionException if the loop is shut down, or no thread can be had for it
   * @see #createTask(Body)
   */
  public <X extends Exception> Task<@Nullable Void, X> createTask(
      String name, Action<? extends X> action) {
    return createTask(name, Failures.<X>body(action));
  }

  /**
   * Starts a task that nobody awaits: its failure is reported at the moment that it fails.
   *
   * @param action what it does
   * @throws IllegalStateException if the loop is closed
   * @throws RejectedExecutionException if the loop is shut down or closing, or no thread can be had
   *     for it
   */
  public void launch(Action<?> action) {
    launchNamed(null, action);
  }

  /**
   * Starts a named task that nobody awaits.
   *
   * @param name the name of the task and its thread
   * @param action what it does
   * @throws IllegalStateException if the loop is closed
   * @throws RejectedExecutionException if the loop is shut down or closing, or no thread can be had
   *     for it
   * @see #launch(Action)
   */
  public void launch(String name, Action<?> action) {
    launchNamed(requireNonNull(name, "name"), action);
  }

  private void launchNamed(@Nullable String given, Action<?> action) {
    startNew(
        new ListedTask<@Nullable Void, Exception>(
            this, given, Failures.<Exception>body(action), TaskImpl.LAUNCHED));
  }

  <I extends TaskImpl<?, ?>> I startNew(I task) {
    refuseIfShutDown();
    return start(task);
  }

  private void refuseIfShutDown() {
    if (shutdown) {
      throw new RejectedExecutionException(this + " is shut down: it starts nothing new");
    }
  }

  /**
   * Runs a body in the caller's thread, for which this is the {@link #current} loop meanwhile: the
   * scopes that it opens belong to this loop, with its context, its listeners and its exception
   * handler, and its limits go by this loop's clock. For threads of somebody else's, such as the
   * one in which a web server calls: {@code asyncio.set_event_loop}, but for one body. In a task of
   * this loop it just runs the body.
   *
   * <p><b>Cancellation:</b> {@link #close} cancels the body as a {@link CancelScope} does, and
   * waits for its end.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param body what to run
   * @return its value
   * @throws X what the body throws
   * @throws TaskCancelledException if closing the loop ended the body
   * @throws InterruptedException if the caller was cancelled
   * @throws IllegalStateException if the loop is closed, or the caller is a task of another loop
   * @throws RejectedExecutionException if the loop is shut down
   */
  public <T extends @Nullable Object, X extends Exception> T asCurrent(
      Body<? extends T, ? extends X> body) throws X, InterruptedException {
    requireNonNull(body, "body");
    TaskImpl<?, ?> task = TaskImpl.current();
    if (task == null) {
      refuseIfShutDown();
      return guests.call(body);
    }
    if (task.loop() != this) {
      throw new IllegalStateException(
          task.name()
              + " is a task of "
              + task.loop()
              + ", which stays its current loop: call createTask of "
              + this);
    }
    return body.call();
  }

  /**
   * Runs an action in the caller's thread, for which this is the current loop meanwhile.
   *
   * @param <X> the checked exception of the action
   * @param action what to run
   * @throws X what the action throws
   * @throws TaskCancelledException if closing the loop ended the action
   * @throws InterruptedException if the caller was cancelled
   * @throws IllegalStateException if the loop is closed, or the caller is a task of another loop
   * @throws RejectedExecutionException if the loop is shut down
   * @see #asCurrent(Body)
   */
  public <X extends Exception> void asCurrent(Action<? extends X> action)
      throws X, InterruptedException {
    this.<@Nullable Void, X>asCurrent(Failures.<X>body(action));
  }

  /**
   * For code that wants an executor. Its tasks are this loop's: {@code execute} is {@link #launch},
   * {@code submit} is {@link #createTask}, {@code Future.cancel} cancels the task and {@code
   * Future.get} retrieves its failure. Shutting it down leaves the loop open.
   *
   * <p>{@code execute} throws {@link RejectedExecutionException} if its command is not to start,
   * and {@code shutdownNow} returns the commands that have not started. Closing the loop cancels
   * what an {@link Admission} still holds back, which then never runs: shut the executor down
   * before, if somebody waits for that.
   *
   * @return a new executor
   */
  public ExecutorService asExecutor() {
    return new LoopExecutor(this);
  }

  /**
   * The tasks of this loop and of the scopes below it that are not done: {@code asyncio.all_tasks}.
   * A weakly consistent snapshot.
   *
   * @return a new set, unmodifiable
   */
  public Set<Task<?, ?>> allTasks() {
    var tasks = new LinkedHashSet<TaskImpl<?, ?>>(unendedBelow());
    tasks.removeIf(TaskImpl::isDone);
    return Collections.unmodifiableSet(tasks);
  }

  /**
   * What is running below this loop: scopes, tasks, and who awaits whom; also the scopes that
   * threads outside of tasks opened while it was their current loop. Stops nobody; takes time in
   * proportion to the number of tasks.
   *
   * @return the tree, as data and, by {@code toString}, as text
   */
  public TaskTree snapshot() {
    return Snapshot.of(this);
  }

  /** The tasks below whose threads have not come to their end. */
  List<TaskImpl<?, ?>> unendedBelow() {
    var tasks = new ArrayList<TaskImpl<?, ?>>();
    for (Owner owner : ownersBelow()) {
      tasks.addAll(owner.unendedTasks());
    }
    return tasks;
  }

  /** This loop and the open scopes below it, also those outside of tasks. */
  List<Owner> ownersBelow() {
    var owners = new ArrayList<Owner>();
    owners.add(this);
    owners.addAll(Strand.foreignScopes(this));
    for (int i = 0; i < owners.size(); i++) {
      owners.get(i).unendedTasks().forEach(task -> task.addScopes(owners));
    }
    return owners;
  }

  /** The task of a thread whose uncaught-exception handler is not the library's any more. */
  static @Nullable TaskImpl<?, ?> findTask(Thread thread) {
    for (Loop loop : all()) {
      for (TaskImpl<?, ?> task : loop.unendedBelow()) {
        if (task.thread() == thread) {
          return task;
        }
      }
    }
    return null;
  }

  /** The loops that are open. */
  static List<Loop> all() {
    synchronized (ALL) {
      return List.copyOf(ALL);
    }
  }

  // ---- failures

  /**
   * Sets who is told of failures that nobody retrieves: {@code loop.set_exception_handler}.
   *
   * @param handler the handler; null for the default loop's, and in the default loop for {@link
   *     #defaultExceptionHandler}
   */
  public void setExceptionHandler(@Nullable LoopExceptionHandler handler) {
    this.handler = handler;
  }

  /**
   * The handler that was set on this loop.
   *
   * @return the very object; empty if none was
   */
  public Optional<LoopExceptionHandler> getExceptionHandler() {
    return Optional.ofNullable(handler);
  }

  @Nullable LoopExceptionHandler effectiveHandler() {
    LoopExceptionHandler own = handler;
    return own != null || this == defaultLoop() ? own : defaultLoop().handler;
  }

  /**
   * What happens without a handler: the message, a {@code future:} line, the details in
   * alphabetical order and the stack trace are printed to {@code System.err}, in one write, with
   * control characters escaped.
   *
   * @param context what to print
   */
  public void defaultExceptionHandler(ExceptionContext context) {
    DefaultHandler.print(requireNonNull(context, "context"));
  }

  /**
   * Calls the handler: {@code loop.call_exception_handler}. Returns when it has returned, or at
   * once if the handler waits for the caller.
   *
   * @param context what to tell it
   */
  public void callExceptionHandler(ExceptionContext context) {
    reports.deliver(requireNonNull(context, "context"));
  }

  /**
   * Tells the listeners something: for those who build upon tasks and have events of their own. In
   * a loop without listeners nothing happens.
   *
   * @param event called once for each listener, by the calling thread; what it throws is reported
   */
  public void callListeners(Consumer<? super LoopListener> event) {
    requireNonNull(event, "event");
    if (listeners != null) {
      listeners.tell(event);
    }
  }

  @Override
  void failed(TaskImpl<?, ?> child, Failed failure) {
    if (failure.isUnread()) {
      track(failure);
    }
  }

  @Override
  boolean outlivesHandles() {
    return true;
  }

  // ---- the end

  /**
   * What the limits, delays and periods of this loop's tasks are measured by.
   *
   * @return the clock that it was built with
   */
  public LoopClock clock() {
    return clock;
  }

  /**
   * Whether a run is active.
   *
   * @return false also if tasks are running
   */
  public synchronized boolean isRunning() {
    return run != null;
  }

  /**
   * Refuses new tasks from now on; those that it has go on, and may fork in scopes of their own:
   * {@code ExecutorService.shutdown}. {@link #close} ends what is left. A second call does nothing.
   *
   * @throws IllegalStateException if it is the default loop
   */
  public void shutdown() {
    refuseDefault("shut down");
    shutdown = true;
  }

  /**
   * Whether new tasks are refused.
   *
   * @return true from {@link #shutdown} on
   */
  public boolean isShutdown() {
    return shutdown;
  }

  /**
   * Whether {@link #close} has done its work.
   *
   * @return true from then on
   */
  @Override
  public boolean isClosed() {
    return super.isClosed();
  }

  /**
   * Cancels every task and every body for which it is the current loop, waits for all of them, and
   * reports what nobody retrieved. An interrupt meanwhile is seen after it. Closing a closed loop
   * does nothing.
   *
   * @throws IllegalStateException if it is running, is the default loop, or the caller is one of
   *     its own tasks, or in {@link #asCurrent(Body)}
   */
  @Override
  public void close() {
    refuseDefault("close");
    refuseOwnTask("close");
    refuseGuest("close", Thread.currentThread());
    synchronized (this) {
      if (run != null) {
        throw new IllegalStateException(this + " is running: close it when the run has ended");
      }
    }
    shutDown(CancelReason.Source.SHUTDOWN);
  }

  private void refuseDefault(String end) {
    if (this == defaultLoop()) {
      throw new IllegalStateException(
          "the default loop lives as long as the process: create a loop to " + end + " one");
    }
  }

  private void refuseOwnTask(String method) {
    for (TaskImpl<?, ?> task = TaskImpl.current(); task != null; ) {
      if (task.loop() == this) {
        throw new IllegalStateException(
            method + " would wait for its caller: " + task.name() + " is a task of " + this);
      }
      Run around = task.loop().activeRun();
      task = around == null ? null : around.caller;
      if (around != null) {
        refuseGuest(method, around.callerThread);
      }
    }
  }

  private void refuseGuest(String method, Thread thread) {
    if (guests.contains(thread)) {
      throw new IllegalStateException(
          method + " would wait for its caller, for which " + this + " is the current loop");
    }
  }

  private void shutDown(CancelReason.Source source) {
    Thread closer;
    synchronized (this) {
      closer = closedBy;
      if (closer == null) {
        closedBy = Thread.currentThread();
      }
    }
    if (closer == Thread.currentThread() && shutDown.getCount() > 0) {
      throw new IllegalStateException("close would wait for its caller, which is closing " + this);
    }
    if (closer != null) {
      awaitShutDown();
      return;
    }
    try {
      var reason = new CancelReason(source, name + " is closing", null);
      cancelChildren(reason);
      guests.cancel(reason);
      awaitChildrenUninterruptibly();
      guests.haveLeft();
      Points.reach("report");
      reportUnread();
      reports.flush();
      Points.reach("close");
      markClosed();
    } finally {
      ALL.remove(this);
      shutDown.countDown();
    }
  }

  /** Somebody else closes it. */
  private void awaitShutDown() {
    boolean interrupted = false;
    while (true) {
      try {
        shutDown.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- for the package

  /** The open loops that the exit of the process waits for. */
  static List<Loop> handlingSignals() {
    var loops = new ArrayList<>(all());
    loops.removeIf(loop -> !loop.handleSignals);
    return loops;
  }

  synchronized @Nullable Run activeRun() {
    return run;
  }

  Reports reports() {
    return reports;
  }

  Guests guests() {
    return guests;
  }

  Duration shutdownTimeout() {
    return shutdownTimeout;
  }

  Duration stragglerWarning() {
    return stragglerWarning;
  }

  @Nullable Duration orphanAfter() {
    return orphanAfter;
  }

  boolean isDebug() {
    return debug;
  }

  @Nullable Context context() {
    return context;
  }

  @Nullable Listeners listeners() {
    return listeners;
  }

  boolean hasOwnThreads() {
    return factory != null;
  }

  /** A thread for a task, not started. */
  Thread newThread(TaskImpl<?, ?> task) {
    String taskName = debug ? task.name() : task.givenName();
    if (factory == null) {
      return taskName == null
          ? VIRTUAL.newThread(task)
          : Thread.ofVirtual().name(taskName).unstarted(task);
    }
    Thread thread;
    try {
      thread = factory.newThread(task);
    } catch (Throwable t) {
      throw new RejectedExecutionException("the thread factory of " + this + " threw", t);
    }
    if (thread == null) {
      throw new RejectedExecutionException("the thread factory of " + this + " returned null");
    }
    if (thread.getState() != Thread.State.NEW) {
      throw new RejectedExecutionException(
          "the thread factory of " + this + " returned a thread that is started already");
    }
    if (taskName != null) {
      thread.setName(taskName);
    }
    return thread;
  }

  /**
   * The name.
   *
   * @return the name it was given, or {@code loop}
   */
  @Override
  public String name() {
    return name;
  }

  @Override
  Loop loop() {
    return this;
  }

  @Override
  public String toString() {
    return "Loop[" + name + (isClosed() ? ", closed" : isRunning() ? ", running" : "") + "]";
  }
}
