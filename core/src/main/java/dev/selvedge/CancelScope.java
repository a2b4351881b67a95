package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Runs one body in the caller's thread so that any thread can cancel just that body: Trio's {@code
 * CancelScope}. Timeouts and groups are built upon it.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="cancel-scope"}
 *
 * <p><b>Cancellation:</b> {@link #cancel(CancelReason)} interrupts the body and cancels the scopes
 * that it has open. If that is what ended the body, {@link #call} throws {@link
 * TaskCancelledException}; a value, or a different exception, comes out as it is. No interrupt of
 * its own is left behind. A cancellation of the caller from outside wins: it comes out as {@link
 * InterruptedException}, or, if the body ended in another way, as the interrupt flag.
 *
 * <p><b>Threads:</b> a scope runs one body, once. {@code cancel} may come from any thread, also
 * before the body starts (it then starts with the interrupt flag set).
 *
 * <p><b>Pitfall:</b> one interrupt flag cannot say who set it. Cancellations through the library
 * are told apart; a {@link Thread#interrupt} by other code while this scope is being cancelled is
 * not.
 *
 * @since 0.1.0
 */
public final class CancelScope extends Frame {
  private enum Phase {
    NEW,
    ENTERED,
    EXITED
  }

  private final @Nullable Timeout timeout;

  // Guarded by this, taken before the monitor of the strand: phase, strand, reason.
  private Phase phase = Phase.NEW;
  private @Nullable Strand strand;

  /** Once the scope is in a strand, written under both monitors and read under either. */
  private @Nullable CancelReason reason;

  /** The count of the strand's cancellations with this one; guarded by the strand. */
  private int cancelledAt;

  /** A scope whose cancellation means that a limit was reached, or that of a user. */
  CancelScope(@Nullable Timeout timeout) {
    this.timeout = timeout;
  }

  /**
   * A new scope.
   *
   * @return the scope
   */
  public static CancelScope create() {
    return new CancelScope(null);
  }

  /**
   * Runs a body in the caller's thread.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param body what to run
   * @return its value
   * @throws X what the body throws
   * @throws TaskCancelledException if this scope's cancellation ended the body
   * @throws InterruptedException if the caller was cancelled
   * @throws IllegalStateException if the scope has run a body before
   */
  public <T extends @Nullable Object, X extends Exception> T call(
      Body<? extends T, ? extends X> body) throws X, InterruptedException {
    requireNonNull(body, "body");
    Strand here = Strand.current();
    int interruptsAtEntry;
    int cancellationsAtEntry;
    boolean interruptedAtEntry;
    synchronized (this) {
      if (phase != Phase.NEW) {
        throw new IllegalStateException(
            "a CancelScope runs one body, and this one is used: create another");
      }
      phase = Phase.ENTERED;
      strand = here;
      synchronized (here) {
        here.push(this);
        interruptsAtEntry = here.interrupts();
        cancellationsAtEntry = here.cancellations();
        // With the counts: what comes later raises them, what came before has set the flag.
        interruptedAtEntry = Thread.currentThread().isInterrupted();
        if (reason != null) {
          Thread.currentThread().interrupt();
        }
      }
    }
    T value = null;
    Throwable thrown = null;
    try {
      value = body.call();
    } catch (Throwable t) {
      thrown = t;
    }
    here.closeInside(this);
    Points.reach("leave");
    CancelReason own;
    boolean outside;
    boolean interrupted;
    synchronized (this) {
      phase = Phase.EXITED;
      own = reason;
      synchronized (here) {
        outside =
            interruptedAtEntry
                || isCancelledFromOutside(here, interruptsAtEntry, cancellationsAtEntry);
        here.pop(this);
        // Cleared before the monitor is free: the next interrupt is somebody else's.
        interrupted = own != null && Thread.interrupted();
      }
    }
    if (own == null) {
      return Failures.deliver(value, thrown);
    }
    if (thrown == null || !Failures.isCancellation(thrown, true, interrupted)) {
      if (outside) {
        Thread.currentThread().interrupt();
      }
      if (thrown != null && timeout != null) {
        timeout.explain(thrown);
      }
      return Failures.deliver(value, thrown);
    }
    if (!outside) {
      Throwable ended =
          timeout == null ? new TaskCancelledException(own, thrown) : timeout.exception(thrown);
      throw Failures.<RuntimeException>sneak(Failures.carry(ended, thrown));
    }
    if (thrown instanceof InterruptedException) {
      return Failures.deliver(value, thrown);
    }
    var cancelled = new InterruptedException(thrown.getMessage());
    cancelled.initCause(thrown);
    throw Failures.carry(cancelled, thrown);
  }

  /**
   * Runs an action in the caller's thread.
   *
   * @param <X> the checked exception of the action
   * @param action what to run
   * @throws X what the action throws
   * @throws TaskCancelledException if this scope's cancellation ended the action
   * @throws InterruptedException if the caller was cancelled
   * @throws IllegalStateException if the scope has run a body before
   */
  public <X extends Exception> void run(Action<? extends X> action) throws X, InterruptedException {
    this.<@Nullable Void, X>call(Failures.body(action));
  }

  /**
   * Whether the task, or a scope around this one with no shield between, was cancelled meanwhile.
   */
  private boolean isCancelledFromOutside(Strand here, int interrupts, int cancellations) {
    for (Frame frame = enclosing; frame != null; frame = frame.enclosing) {
      switch (frame) {
        case Strand.Shield _ -> {
          return false;
        }
        case CancelScope outer when outer.cancelledAt > cancellations -> {
          return true;
        }
        case CancelScope _ -> {}
        case Owner _ -> {}
      }
    }
    return here.interrupts() > interrupts;
  }

  /**
   * Cancels the body.
   *
   * @param message why
   * @return false if the body has ended, or was cancelled before
   */
  public boolean cancel(String message) {
    return cancel(CancelReason.request(requireNonNull(message, "message")));
  }

  /**
   * Cancels the body: interrupts it once, and cancels the scopes that it has open.
   *
   * @param reason who asks and why
   * @return false if the body has ended, or was cancelled before
   */
  public boolean cancel(CancelReason reason) {
    requireNonNull(reason, "reason");
    var forward = new ArrayDeque<Owner>();
    if (!request(reason, forward)) {
      return false;
    }
    Owner.cancelAll(forward, reason);
    return true;
  }

  /** Interrupts the body, unless it was or has ended, and adds the scopes below. */
  synchronized boolean request(CancelReason why, Collection<? super Owner> below) {
    if (phase == Phase.EXITED || reason != null) {
      return false;
    }
    Strand entered = strand;
    if (entered == null) {
      reason = why;
      return true;
    }
    Points.reach("cut in");
    synchronized (entered) {
      reason = why;
      cancelledAt = entered.nextCancellation();
      entered.addExposed(this, below);
      entered.interrupt(this);
    }
    return true;
  }

  /**
   * Why the scope was cancelled.
   *
   * @return the reason; empty if it was not
   */
  public synchronized Optional<CancelReason> cancelReason() {
    return Optional.ofNullable(reason);
  }

  synchronized boolean hasEnded() {
    return phase == Phase.EXITED;
  }

  @Nullable Timeout timeout() {
    return timeout;
  }

  /** Why it was cancelled in its strand; the caller holds the monitor of that. */
  @Nullable CancelReason reasonInStrand() {
    return reason;
  }

  @Override
  public synchronized String toString() {
    return "CancelScope[" + phase + (reason == null ? "" : ", cancelled: " + reason) + "]";
  }
}
