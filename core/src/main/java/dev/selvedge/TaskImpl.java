package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one implementation of {@link Task}: the handle, the {@code Runnable} of its thread, and, as
 * the thread's uncaught-exception handler, the answer to "which task is this".
 *
 * <h2>States</h2>
 *
 * {@code state} is a set of bits that are only ever added:
 *
 * <pre>
 * 0 -> CANCEL                      a request was accepted; the interrupt follows
 * 0, CANCEL -> + DONE              by its thread: slot is the value
 * 0, CANCEL -> + DONE FAILED       by its thread: slot is a Failed
 * 0, CANCEL -> + DONE CANCELLED    by its thread: slot is a Failed or a TaskCancelledException
 * 0 -> CANCEL DONE CANCELLED       forked into a cancelled owner; has no thread
 * any -> + RETRIEVED, + IGNORED    by anyone, at any time
 * </pre>
 *
 * DONE is the point at which everything is decided: a request is accepted if its CANCEL comes
 * before DONE, and whoever sees DONE sees the outcome in {@code slot}.
 *
 * <h2>From DONE to the end of the thread</h2>
 *
 * The owner hears of a failure, awaiters wake, callbacks run, a launched task reports; last, the
 * task counts as ended. The interrupt of a request is sent under the monitor of the cold part,
 * which the thread takes once after DONE: so no interrupt of a cancellation reaches a callback.
 *
 * <h2>Size</h2>
 *
 * 40 bytes with compressed references. What few tasks need is in {@link Cold}. The milliseconds
 * from the start of the library to the creation of the task are in the upper bits of two fields:
 * the higher ones above the id, the lower 20 above the bits of the state.
 */
sealed class TaskImpl<T extends @Nullable Object, X extends Exception>
    implements Handle<T, X>, Runnable, Thread.UncaughtExceptionHandler permits ListedTask {
  private static final int CANCEL = 1;
  private static final int DONE = 1 << 1;
  private static final int FAILED = 1 << 2;
  private static final int CANCELLED = 1 << 3;
  private static final int RETRIEVED = 1 << 4;
  private static final int IGNORED = 1 << 5;

  /** Nobody holds a handle. */
  static final int LAUNCHED = 1 << 6;

  /** The loop's own: runs the exception handler, and is neither listed nor counted. */
  static final int HIDDEN = 1 << 7;

  /** That of a run, which the limit of its loop does not count. */
  static final int MAIN = 1 << 8;

  private static final int STATE_BITS = 12;
  private static final int ID_BITS = 44;
  private static final long CIRCLE_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final CancelReason NO_REASON =
      new CancelReason(CancelReason.Source.REQUEST, "the thread was interrupted", null);
  private static final AtomicLong IDS = new AtomicLong();
  private static final VarHandle STATE;
  private static final VarHandle COLD;
  private static final VarHandle THREAD;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      STATE = lookup.findVarHandle(TaskImpl.class, "state", int.class);
      COLD = lookup.findVarHandle(TaskImpl.class, "cold", Cold.class);
      THREAD = lookup.findVarHandle(TaskImpl.class, "thread", Thread.class);
      // What the first failure needs is loaded before: a process without a file descriptor or heap
      // left cannot load it, and a class whose initialization failed is never tried again.
      for (Class<?> needed :
          List.of(
              Circle.class,
              Cold.class,
              DefaultHandler.class,
              ExceptionContext.class,
              Failed.class,
              Failures.class,
              FlightRecorder.CancelEvent.class,
              FlightRecorder.OrphanEvent.class,
              FlightRecorder.StragglerEvent.class,
              Orphans.class,
              Reports.Report.class,
              StackText.class,
              TaskTrace.class)) {
        lookup.ensureInitialized(needed);
      }
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final long idAndBirth;
  private final Owner owner;
  private volatile int state;

  /** The body until the start; the outcome from DONE on. Written by the thread of the task. */
  private @Nullable Object slot;

  /** From the fork to the end. Written by the forking thread and then by its own. */
  private volatile @Nullable Thread thread;

  private volatile @Nullable Cold cold;

  TaskImpl(Owner owner, @Nullable String name, Body<? extends T, ? extends X> body, int state) {
    this(
        nextId(),
        owner,
        name,
        owner.inContext(body, state),
        state,
        TaskTrace.created(owner.loop()));
  }

  /** From the sequence that loops and scopes share. */
  static long nextId() {
    return IDS.incrementAndGet();
  }

  static long lastId() {
    return IDS.get();
  }

  private TaskImpl(
      long id,
      Owner owner,
      @Nullable String name,
      Object slot,
      int state,
      @Nullable TaskTrace created) {
    long birth = Timers.millis();
    this.idAndBirth = birth >>> (Integer.SIZE - STATE_BITS) << ID_BITS | id;
    // Plain: the task is published later, by its owner.
    STATE.set(this, (int) birth << STATE_BITS | state);
    this.owner = owner;
    this.slot = slot;
    if (name != null || created != null) {
      cold = new Cold(this, name, created);
    }
  }

  /** An equal, finished task in the place of one whose handle is gone. */
  static TaskImpl<?, ?> replica(Failed failed) {
    int ended = failed.cancelled ? CANCELLED : FAILED;
    var task =
        new TaskImpl<Object, Exception>(
            failed.id(),
            failed.owner(),
            failed.givenName(),
            failed,
            DONE | ended,
            failed.created());
    task.cold().calledBack = true;
    return task;
  }

  /** The task that runs in this thread. */
  static @Nullable TaskImpl<?, ?> current() {
    Thread thread = Thread.currentThread();
    Thread.UncaughtExceptionHandler handler = thread.getUncaughtExceptionHandler();
    if (handler instanceof TaskImpl<?, ?> task && task.thread == thread) {
      return task;
    }
    return handler instanceof ThreadGroup ? null : Loop.findTask(thread);
  }

  // ---- the thread

  @Override
  public void run() {
    if (Thread.currentThread() != thread || isDone() || slot == null) {
      throw new IllegalStateException(name() + " is run by its own thread, once");
    }
    @SuppressWarnings("unchecked") // the constructor's
    var body = (Body<? extends T, ? extends X>) slot;
    slot = null;
    Points.reach("start");
    if (isCancelledBeforeStart()) {
      end(false, null, null, 0, null);
    } else if (loop().listeners() != null || FlightRecorder.recordsTasks()) {
      runMeasured(body);
    } else {
      T value = null;
      Throwable thrown = null;
      try {
        value = body.call();
      } catch (Throwable t) {
        thrown = t;
      }
      end(true, value, thrown, 0, null);
    }
  }

  /** Apart, so that a parked task keeps the frame of this only if somebody wants to know. */
  private void runMeasured(Body<? extends T, ? extends X> body) {
    FlightRecorder.TaskEvent event = null;
    long began = loop().clock().nanoTime();
    T value = null;
    Throwable thrown = null;
    try {
      event = FlightRecorder.begin();
      value = body.call();
    } catch (Throwable t) {
      thrown = t;
    }
    // A clock that went backwards has measured nothing.
    end(true, value, thrown, Math.max(0, loop().clock().nanoTime() - began), event);
  }

  /** If not, what was asked and withdrawn has left no interrupt. */
  private boolean isCancelledBeforeStart() {
    Cold asked = cold;
    if ((state & CANCEL) == 0 || asked == null) {
      return false;
    }
    synchronized (asked) {
      if (asked.requests == 0) {
        Thread.interrupted();
      }
      return asked.requests > 0;
    }
  }

  private boolean isAskedToCancel() {
    Cold asked = cold;
    if ((state & CANCEL) == 0 || asked == null) {
      return false;
    }
    synchronized (asked) {
      return asked.requests > 0;
    }
  }

  private void settle(@Nullable T value, @Nullable Throwable thrown) {
    while (true) {
      int seen = state;
      boolean asked = isAskedToCancel();
      boolean interrupted = Thread.currentThread().isInterrupted();
      if (thrown == null) {
        if (asked && interrupted && cold().hasAskedItself()) {
          settleCancelled(null);
          return;
        }
        slot = value;
        Points.reach("settle");
        if (STATE.compareAndSet(this, seen, seen | DONE)) {
          return;
        }
      } else if (Failures.isCancellation(thrown, asked, interrupted)) {
        settleCancelled(thrown);
        return;
      } else {
        if (asked) {
          Failures.explain(thrown, reasonOrInterrupt());
        }
        TaskTrace.created(thrown, created());
        slot = failed(thrown, false, seen);
        Points.reach("settle");
        if (STATE.compareAndSet(this, seen, seen | DONE | FAILED)) {
          return;
        }
      }
    }
  }

  private void settleCancelled(@Nullable Throwable ending) {
    while (true) {
      int seen = state;
      CancelReason reason = reasonOrInterrupt();
      slot =
          Failures.suppressedFailures(ending).isEmpty()
              ? new TaskCancelledException(reason, ending)
              : failed(new TaskCancelledException(reason.withoutTask(this), ending), true, seen);
      Points.reach("settle");
      if (STATE.compareAndSet(this, seen, seen | DONE | CANCELLED)) {
        return;
      }
    }
  }

  private Failed failed(Throwable exception, boolean cancelled, int seen) {
    var failed = new Failed(this, exception, cancelled);
    if ((seen & RETRIEVED) != 0) {
      failed.settleAtEnd(Failed.Fate.AWAITED);
    } else if ((seen & IGNORED) != 0) {
      failed.settleAtEnd(Failed.Fate.TOLERATED);
    }
    return failed;
  }

  private CancelReason reasonOrInterrupt() {
    return cancelReason().orElse(NO_REASON);
  }

  /**
   * Decides the outcome and tells everybody. Each step is taken whatever became of the one before.
   *
   * <p>It is long on purpose. HotSpot inlines no method of more than 325 bytes of code, and what it
   * inlined into {@link #run} would have its variables in the frame that every parked task keeps.
   */
  private void end(
      boolean ran,
      @Nullable T value,
      @Nullable Throwable thrown,
      long nanos,
      FlightRecorder.@Nullable TaskEvent event) {
    Throwable fault = null;
    try {
      if (ran) {
        Cold strand = cold;
        if (strand != null) {
          strand.closeInside(null);
        }
        settle(value, thrown);
      } else {
        settleCancelled(null);
      }
    } catch (Throwable t) {
      // No memory, say. What the body held is garbage now; a task that never ends would be worse.
      fault = settleAnyhow(thrown != null ? thrown : t);
    }
    Failed failed = slot instanceof Failed ending ? ending : null;
    boolean launched = isLaunched();
    boolean hidden = (state & HIDDEN) != 0;
    try {
      Points.reach("done");
      if (!hidden) {
        if (event != null) {
          FlightRecorder.end(event, this);
        }
        Listeners listeners = loop().listeners();
        if (listeners != null) {
          awaitInterrupts();
          listeners.finished(this, ending(), nanos);
          if (failed != null) {
            failed.tellFateAtEnd();
          }
          Cold opened = cold;
          if (opened != null) {
            opened.closeInside(null);
          }
        }
      }
    } catch (Throwable t) {
      fault = t;
    }
    try {
      if (failed != null) {
        tellOwner(failed, launched);
      }
    } catch (Throwable t) {
      fault = t;
    }
    try {
      Points.reach("wake");
      Cold rest = cold;
      if (rest != null) {
        wakeWaiters(rest);
        awaitInterrupts();
        callBack(rest);
      }
    } catch (Throwable t) {
      fault = t;
    }
    try {
      if (failed != null && launched) {
        failed.deliver();
      }
      Points.reach("end");
    } catch (Throwable t) {
      fault = t;
    }
    THREAD.setRelease(this, null);
    if (!hidden) {
      owner.ended(this);
    }
    if (fault != null) {
      throw Failures.<RuntimeException>sneak(fault);
    }
  }

  /** The owner is who tells of a failure that nobody awaits, so it must hear of it. */
  private void tellOwner(Failed failed, boolean launched) {
    for (int tries = 0; ; tries++) {
      try {
        // Made now, so that a callback which comes from here on waits until the owner has heard.
        cold();
        if (!launched) {
          owner.failed(this, failed);
        }
        return;
      } catch (OutOfMemoryError full) {
        if (!Failures.mayTryAgain(full, tries)) {
          throw full;
        }
      }
    }
  }

  /**
   * Decides the outcome once more, and if that goes on failing, without what the report of a
   * failure needs: awaiting the task throws it all the same. Returns what went wrong then.
   */
  private @Nullable Throwable settleAnyhow(Throwable thrown) {
    for (int tries = 0; ; tries++) {
      try {
        settle(null, thrown);
        return null;
      } catch (Throwable again) {
        if (!Failures.mayTryAgain(again, tries)) {
          slot = thrown;
          STATE.getAndBitwiseOr(this, DONE | FAILED);
          return thrown;
        }
      }
    }
  }

  /** Allocates nothing: who awaits a task that has filled the heap is woken, too. */
  private static void wakeWaiters(Cold rest) {
    for (Thread waiter; (waiter = rest.takeWaiter()) != null; ) {
      LockSupport.unpark(waiter);
    }
  }

  /** Any interrupt of a cancellation that was accepted is sent before the monitor can be taken. */
  private void awaitInterrupts() {
    Cold rest = cold;
    if (rest != null) {
      synchronized (rest) {
        Thread.interrupted();
      }
    }
  }

  private void callBack(Cold rest) {
    while (true) {
      Consumer<?> callback;
      synchronized (rest) {
        rest.callingBack = true;
        callback = rest.callbacks == null ? null : rest.callbacks.poll();
        if (callback == null) {
          rest.callingBack = false;
          rest.calledBack = true;
          rest.endStragglerWatch();
          return;
        }
      }
      callBack(callback);
      rest.closeInside(null);
    }
  }

  void callBack(Consumer<?> callback) {
    try {
      @SuppressWarnings("unchecked") // onDone's
      var typed = (Consumer<? super Task<T, X>>) callback;
      typed.accept(this);
    } catch (Throwable t) {
      loop()
          .reports()
          .deliver(new ExceptionContext("Exception in a callback of a task", t, this, Map.of()));
    }
  }

  /**
   * Ends as cancelled without a thread: forked into a cancelled owner, or no thread was to be had.
   */
  void neverRun(CancelReason reason) {
    Cold rest = cold();
    boolean asked;
    synchronized (rest) {
      asked = rest.requests > 0;
      if (!asked) {
        rest.requests = 1;
        rest.reason = reason;
      }
      slot = new TaskCancelledException(reason, null);
      STATE.getAndBitwiseOr(this, CANCEL | DONE | CANCELLED);
    }
    thread = null;
    Listeners listeners = loop().listeners();
    if (listeners != null) {
      if (!asked) {
        listeners.tell(listener -> listener.cancelled(this, reason));
      }
      listeners.finished(this, ending(), 0);
    }
    wakeWaiters(rest);
    callBack(rest);
  }

  /**
   * {@inheritDoc} What a factory has the thread do around the task may fail before the task begins,
   * which then ends with that.
   */
  @Override
  public void uncaughtException(Thread thread, Throwable thrown) {
    if (!isDone() && thread == this.thread && thread == Thread.currentThread()) {
      end(true, null, thrown, 0, null);
      return;
    }
    loop()
        .reports()
        .post(
            new ExceptionContext(
                "Uncaught exception in the thread of a task", thrown, this, Map.of()));
  }

  // ---- awaiting

  @Override
  public T await() throws X, InterruptedException {
    awaitDone();
    return get();
  }

  @Override
  public T await(Duration limit) throws X, InterruptedException, TimeoutException {
    if (!awaitDone(limit)) {
      throw new TimeoutException(name() + " is not done within " + limit);
    }
    return get();
  }

  @Override
  public void awaitDone() throws InterruptedException {
    awaitDone(null, 0, false);
  }

  @Override
  public boolean awaitDone(Duration limit) throws InterruptedException {
    return awaitDone(null, Timers.nanos(limit), true);
  }

  boolean awaitDone(long nanos) throws InterruptedException {
    return awaitDone(null, nanos, true);
  }

  /**
   * Waits for the end and retrieves nothing.
   *
   * @param view through which it waits, whose end is enough
   * @return whether it has ended
   */
  boolean awaitDone(@Nullable ShieldView<T, X> view, long nanos, boolean timed)
      throws InterruptedException {
    if (Thread.interrupted()) {
      throw Failures.interrupted();
    }
    if (isDone() || (view != null && view.isDone())) {
      return true;
    }
    if (timed && nanos <= 0) {
      return false;
    }
    TaskImpl<?, ?> caller = current();
    if (equals(caller) && !timed) {
      throw new IllegalStateException(name() + " awaits itself: it would wait for ever");
    }
    var waiter = new Cold.Waiter(this, view, caller != null, timed);
    Points.reach("wait");
    if (!cold().addWaiter(waiter)) {
      return true;
    }
    try {
      if (caller == null) {
        return timed ? parkByClock(waiter, null, nanos) : park(waiter, null, 0, false);
      }
      caller.cold().blockedOn = waiter;
      if (timed) {
        return parkByClock(waiter, caller, nanos);
      }
      if (Circle.mayClose(caller)) {
        Circle.refuse(caller);
      }
      if (!park(waiter, caller, CIRCLE_CHECK_NANOS, true)) {
        Circle.refuse(caller);
        park(waiter, caller, 0, false);
      }
      return true;
    } finally {
      if (caller != null) {
        caller.cold().blockedOn = null;
      }
      if (!isDone()) {
        cold().removeWaiter(waiter);
      }
    }
  }

  private boolean parkByClock(Cold.Waiter waiter, @Nullable TaskImpl<?, ?> caller, long nanos)
      throws InterruptedException {
    LoopClock clock = caller == null ? Strand.foreignClock() : caller.loop().clock();
    if (clock.equals(LoopClock.system())) {
      return park(waiter, caller, nanos, true);
    }
    if (nanos == Timers.LONGEST) {
      return park(waiter, caller, 0, false);
    }
    LoopClock.Alarm alarm = clock.schedule(waiter::expire, Duration.ofNanos(nanos));
    try {
      return park(waiter, caller, 0, false);
    } finally {
      alarm.cancel();
    }
  }

  private boolean park(
      Cold.Waiter waiter, @Nullable TaskImpl<?, ?> caller, long nanos, boolean timed)
      throws InterruptedException {
    long deadline = System.nanoTime() + nanos;
    Points.reach("park");
    while (!waiter.isOver()) {
      if (waiter.expired) {
        return false;
      }
      if (timed) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        LockSupport.parkNanos(this, left);
      } else {
        LockSupport.park(this);
      }
      if (Thread.currentThread().isInterrupted()) {
        if (caller != null) {
          caller.cold().blockedOn = null;
        }
        Thread.interrupted();
        throw Failures.interrupted();
      }
      String refusal = waiter.refusal;
      if (refusal != null && !waiter.isOver()) {
        throw new IllegalStateException(refusal);
      }
    }
    return true;
  }

  // ---- the outcome

  @Override
  public T result() throws X {
    requireDone();
    return get();
  }

  @Override
  public Optional<Throwable> exception() {
    requireDone();
    Throwable ending = ending();
    if (ending == null) {
      return Optional.empty();
    }
    retrieve();
    if (ending instanceof TaskCancelledException cancelled && isCancelled()) {
      throw cancelled;
    }
    return Optional.of(ending);
  }

  @Override
  public Outcome<T> outcome() {
    requireDone();
    Throwable ending = ending();
    if (ending == null) {
      return new Outcome.Success<>(value());
    }
    retrieve();
    return isCancelled()
        ? new Outcome.Cancelled<>((TaskCancelledException) ending)
        : new Outcome.Failure<>(ending);
  }

  private T get() {
    Throwable ending = ending();
    if (ending == null) {
      return value();
    }
    retrieve();
    TaskTrace.awaited(ending);
    throw Failures.<RuntimeException>sneak(ending);
  }

  @Override
  public @Nullable Throwable ending() {
    if ((state & (FAILED | CANCELLED)) == 0) {
      return null;
    }
    return slot instanceof Failed failed ? failed.exception : (Throwable) slot;
  }

  @Override
  @SuppressWarnings({"unchecked", "NullAway"}) // what the body returned
  public T value() {
    return (T) slot;
  }

  private void requireDone() {
    if (!isDone()) {
      throw new IllegalStateException(name() + " is not done: await it, or ask isDone() first");
    }
  }

  @Override
  public void retrieve() {
    int seen = (int) STATE.getAndBitwiseOr(this, RETRIEVED);
    Points.reach("retrieve");
    if ((seen & DONE) != 0 && slot instanceof Failed failed) {
      failed.settle(Failed.Fate.AWAITED);
    }
  }

  @Override
  public void retrieveSuppressed() {
    if (isDone() && slot instanceof Failed failed) {
      failed.settle(Failed.Fate.SUPPRESSED);
    }
    retrieve();
  }

  @Override
  public Task<T, X> ignoreFailure() {
    int seen = (int) STATE.getAndBitwiseOr(this, IGNORED);
    Points.reach("ignore");
    if ((seen & DONE) != 0 && slot instanceof Failed failed) {
      failed.settle(Failed.Fate.TOLERATED);
    }
    return this;
  }

  // ---- cancelling

  @Override
  public boolean cancel(String message) {
    return cancel(CancelReason.request(requireNonNull(message, "message")));
  }

  @Override
  public boolean cancel(CancelReason reason) {
    requireNonNull(reason, "reason");
    var forward = new ArrayDeque<Owner>();
    if (!request(reason, forward)) {
      return false;
    }
    interrupt();
    Cold asked = cold();
    synchronized (asked) {
      if (asked.stragglerWatch == null && !isDone()) {
        watch(asked, loop().stragglerWarning());
      }
    }
    Owner.cancelAll(forward, reason);
    return true;
  }

  /** Accepts a request, which {@link #interrupt} has to follow, and adds the scopes below. */
  boolean request(CancelReason why, Collection<? super Owner> below) {
    if (!accept(why, below)) {
      return false;
    }
    FlightRecorder.cancelled(this, why);
    Listeners listeners = loop().listeners();
    if (listeners != null && (state & HIDDEN) == 0) {
      listeners.tell(listener -> listener.cancelled(this, why));
    }
    return true;
  }

  private boolean accept(CancelReason why, Collection<? super Owner> below) {
    if (isDone() && !hasCold()) {
      return false;
    }
    Cold asked = cold();
    Points.reach("request");
    synchronized (asked) {
      int seen;
      do {
        seen = state;
        if ((seen & DONE) != 0) {
          // Its callbacks are not interrupted, but what they have opened is owned by its owner.
          asked.addExposed(null, below);
          return false;
        }
      } while (!STATE.compareAndSet(this, seen, seen | CANCEL));
      Points.reach("requested");
      if (asked.requests == 0) {
        asked.askedAt = loop().clock().nanoTime();
      }
      asked.requests++;
      if (asked.reason == null) {
        asked.reason = why;
      }
      if (Thread.currentThread() == thread) {
        asked.noteOwnRequest();
      }
      asked.interruptDue = true;
      asked.addExposed(null, below);
      return true;
    }
  }

  /** Interrupts the body of a task that was asked. */
  void interrupt() {
    Cold asked = cold();
    Points.reach("interrupt");
    synchronized (asked) {
      if (asked.interruptDue && !isDone()) {
        Points.reach("send");
        asked.interrupts++;
        asked.interrupt(null);
      }
      asked.interruptIsSent();
    }
    owner.endIfQueued(this);
  }

  private void watch(Cold asked, Duration delay) {
    asked.stragglerWatch =
        loop()
            .clock()
            .schedule(
                () -> {
                  synchronized (asked) {
                    if (asked.stragglerWatch == null) {
                      return;
                    }
                    watch(asked, delay.multipliedBy(2));
                  }
                  warnAsStraggler();
                },
                delay);
  }

  /** Tells of a task that was asked to cancel and goes on, and names it to the handler. */
  void warnAsStraggler() {
    straggling(true);
  }

  /** Tells of it, but leaves the handler in peace. */
  void tellAsStraggler() {
    straggling(false);
  }

  private void straggling(boolean warns) {
    Thread running = thread;
    if (running == null || (isDone() ? !isCallingBack() : isClosing())) {
      return;
    }
    CancelReason inherited = owner.cancelled();
    Duration asked = sinceRequest();
    FlightRecorder.straggling(this, asked);
    ExceptionContext warning =
        !warns
            ? null
            : new ExceptionContext(
                "Task ignores its cancellation",
                null,
                this,
                Map.of(
                    "reason", cancelReason().orElse(inherited != null ? inherited : NO_REASON),
                    "asked", asked,
                    "stack", StackText.of(running.getStackTrace())));
    loop().reports().postStraggler(this, asked, warning);
  }

  /** Whether it waits for children that were cancelled with it, and are named themselves. */
  private boolean isClosing() {
    return cold().blockedOn instanceof Owner.Join join && join.owner().cancelled() != null;
  }

  /** Whether nobody holds its handle. */
  boolean isLaunched() {
    return (state & LAUNCHED) != 0;
  }

  private boolean isCallingBack() {
    Cold rest = cold();
    synchronized (rest) {
      return rest.callingBack;
    }
  }

  private Duration sinceRequest() {
    Cold asked = cold();
    synchronized (asked) {
      // Done, and then its owner was cancelled while a callback was still running?
      long since = asked.requests > 0 ? asked.askedAt : owner.cancelledAt();
      return Duration.ofNanos(loop().clock().nanoTime() - since);
    }
  }

  @Override
  public Optional<CancelReason> cancelReason() {
    if (isDone() && ending() instanceof TaskCancelledException cancelled && isCancelled()) {
      return Optional.of(cancelled.reason());
    }
    Cold asked = cold;
    if (asked == null) {
      return Optional.empty();
    }
    synchronized (asked) {
      return Optional.ofNullable(asked.reason);
    }
  }

  @Override
  public int cancelRequests() {
    Cold asked = cold;
    if (asked == null) {
      return 0;
    }
    synchronized (asked) {
      return asked.requests;
    }
  }

  @Override
  public int uncancel() {
    Cold asked = cold;
    if (asked == null) {
      return 0;
    }
    synchronized (asked) {
      if (asked.requests > 0 && --asked.requests == 0) {
        asked.reason = null;
        asked.interruptIsSent();
        asked.withdrawOwnRequest();
        asked.endStragglerWatch();
      }
      return asked.requests;
    }
  }

  // ---- the rest

  @Override
  public Task<T, X> onDone(Consumer<? super Task<T, X>> callback) {
    requireNonNull(callback, "callback");
    Cold rest = cold();
    Points.reach("callback");
    synchronized (rest) {
      boolean pending = rest.callbacks != null && !rest.callbacks.isEmpty();
      boolean ownerMayNotKnow = slot instanceof Failed && !rest.calledBack;
      if (!isDone() || rest.callingBack || pending || ownerMayNotKnow) {
        if (rest.callbacks == null) {
          rest.callbacks = new ArrayDeque<>(2);
        }
        rest.callbacks.add(callback);
        return this;
      }
    }
    callBack(callback);
    return this;
  }

  @Override
  public Task<T, X> shield() {
    return isDone() ? this : new ShieldView<>(this);
  }

  @Override
  public boolean isCancelledWithOwner() {
    return owner.cancelled() != null;
  }

  @Override
  public CompletableFuture<T> toCompletableFuture() {
    return new FutureCopy<>(this);
  }

  @Override
  public boolean isDone() {
    return (state & DONE) != 0;
  }

  @Override
  public boolean isCancelled() {
    return (state & CANCELLED) != 0;
  }

  @Override
  public Future.State state() {
    int seen = state;
    if ((seen & DONE) == 0) {
      return Future.State.RUNNING;
    }
    if ((seen & CANCELLED) != 0) {
      return Future.State.CANCELLED;
    }
    return (seen & FAILED) != 0 ? Future.State.FAILED : Future.State.SUCCESS;
  }

  @Override
  public String name() {
    String given = givenName();
    return given != null ? given : "task-" + id();
  }

  @Override
  public boolean isNamed() {
    return givenName() != null;
  }

  @Override
  public String ownerName() {
    return owner().name();
  }

  @Nullable String givenName() {
    Cold rest = cold;
    return rest == null ? null : rest.givenName;
  }

  @Override
  public long id() {
    return idAndBirth & (1L << ID_BITS) - 1;
  }

  Duration age() {
    long birth = idAndBirth >>> ID_BITS << (Integer.SIZE - STATE_BITS) | state >>> STATE_BITS;
    return Timers.since(birth);
  }

  /** What it waits for, by id. */
  List<Long> awaits() {
    Cold waiting = cold;
    return switch (waiting == null ? null : waiting.blockedOn) {
      case Cold.Waiter waiter -> List.of(waiter.target.id());
      case Owner.Join join -> List.of(join.owner().id());
      case null, default -> List.of();
    };
  }

  @Override
  public List<StackTraceElement> stackTrace() {
    Thread running = thread;
    List<StackTraceElement> stack = running == null ? List.of() : List.of(running.getStackTrace());
    // What it does after its end, as waking those who await it, is not the task's.
    return isDone() ? List.of() : stack;
  }

  /** Where it was created, in debug mode. */
  @Nullable TaskTrace created() {
    Cold rest = cold;
    return rest == null ? null : rest.created;
  }

  Owner owner() {
    return owner;
  }

  Loop loop() {
    return owner.loop();
  }

  @Nullable Thread thread() {
    return thread;
  }

  /** Names the thread, before the task is published or the thread starts. */
  void thread(Thread thread) {
    THREAD.set(this, thread);
  }

  /** Whether its thread has nothing left to do for it. */
  boolean hasEnded() {
    return isDone() && thread == null;
  }

  boolean needsPlace() {
    return (state & (HIDDEN | MAIN)) == 0;
  }

  /** Whether it runs the exception handler. */
  boolean isHidden() {
    return (state & HIDDEN) != 0;
  }

  boolean hasCold() {
    return cold != null;
  }

  /** The rarely used part, made on demand. */
  Cold cold() {
    Cold present = cold;
    if (present != null) {
      return present;
    }
    var created = new Cold(this, null, null);
    Cold raced = (Cold) COLD.compareAndExchange(this, null, created);
    return raced == null ? created : raced;
  }

  void addScopes(Collection<? super TaskScope<?>> scopes) {
    Cold strand = cold;
    if (strand != null) {
      strand.addScopes(scopes);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof TaskImpl<?, ?> task && task.id() == id();
  }

  @Override
  public int hashCode() {
    return Long.hashCode(id());
  }

  /** One word for the state, as asyncio prints it. */
  String word() {
    return word(isDone());
  }

  private String word(boolean done) {
    if (done) {
      return isCancelled() ? "cancelled" : "finished";
    }
    return cancelRequests() > 0 ? "cancelling" : "pending";
  }

  /** Counts as retrieving nothing, and throws nothing, whatever the value and failure do. */
  @Override
  public String toString() {
    String given = givenName();
    boolean done = isDone();
    String text = given == null ? "Task[" : "Task[" + StackText.escape(given) + ", ";
    text += "id=" + id() + ", " + word(done);
    if (done) {
      Throwable ending = ending();
      text +=
          ending == null
              ? ", result=" + StackText.value(slot)
              : ", exception=" + StackText.describe(ending);
    } else {
      for (long awaited : awaits()) {
        text += ", awaits #" + awaited;
      }
      List<StackTraceElement> stack = stackTrace();
      text += stack.isEmpty() ? "" : ", at " + StackText.caller(stack);
    }
    TaskTrace trace = created();
    return text + (trace == null ? "" : ", created at " + trace.where()) + "]";
  }
}
