package dev.selvedge;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Failed.Fate;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** What a {@code Throwable} means here, and how several of them become one. */
final class Failures {
  /** As many others an exception takes along; the rest goes to the handler. */
  static final int MAX_SUPPRESSED = 16;

  /** So often what found no memory is tried again. */
  private static final int MOST_TRIES = 100;

  private Failures() {}

  /** Throws a stored exception as what it is; the type parameter of the task vouches for it. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  static <X extends Throwable> RuntimeException sneak(Throwable exception) throws X {
    throw (X) exception;
  }

  /** Ends a call as its body ended. */
  @SuppressWarnings("NullAway") // a null without an exception is the body's own
  static <T extends @Nullable Object> T deliver(@Nullable T value, @Nullable Throwable thrown) {
    if (thrown != null) {
      throw Failures.<RuntimeException>sneak(thrown);
    }
    return value;
  }

  static <X extends Exception> Body<@Nullable Void, X> body(Action<? extends X> action) {
    requireNonNull(action, "action");
    return () -> {
      action.run();
      return null;
    };
  }

  /**
   * Whether a body that threw this was cancelled rather than failed. Decided on the outermost
   * exception alone.
   *
   * @param asked whether somebody asked through the library
   * @param interrupted whether the interrupt flag is still set, as {@code java.nio} leaves it
   */
  static boolean isCancellation(Throwable thrown, boolean asked, boolean interrupted) {
    return thrown instanceof InterruptedException
        || (asked && thrown instanceof CancellationException)
        || (asked && interrupted && isInterruptedIo(thrown));
  }

  private static boolean isInterruptedIo(Throwable thrown) {
    return thrown instanceof ClosedByInterruptException
        || thrown instanceof FileLockInterruptionException
        || thrown instanceof SocketException
        || (thrown instanceof InterruptedIOException
            && !(thrown instanceof SocketTimeoutException));
  }

  /** What a wait throws when its thread was interrupted: it says why, if the library knows. */
  static InterruptedException interrupted() {
    CancelReason reason = Strand.cancellation();
    return new InterruptedException(reason == null ? null : reason.toString());
  }

  /**
   * The failures that the cancellation which ended a task has in tow: an interrupted join left them
   * in it, or in another that it wraps or has suppressed.
   */
  static List<Throwable> suppressedFailures(@Nullable Throwable ending) {
    if (ending == null || (ending.getSuppressed().length == 0 && wrapped(ending) == null)) {
      return List.of();
    }
    var failures = new ArrayList<Throwable>();
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    var cancellations = new ArrayDeque<Throwable>(List.of(ending));
    for (Throwable each; (each = cancellations.poll()) != null; ) {
      for (Throwable suppressed : each.getSuppressed()) {
        if (!(suppressed instanceof TaskTrace) && seen.add(suppressed)) {
          (isCancellation(suppressed) ? cancellations : failures).add(suppressed);
        }
      }
      Throwable wrapped = wrapped(each);
      if (wrapped != null && seen.add(wrapped)) {
        cancellations.add(wrapped);
      }
    }
    return failures;
  }

  private static @Nullable Throwable wrapped(Throwable cancellation) {
    Throwable cause = cancellation.getCause();
    return cause != null && isCancellation(cause) ? cause : null;
  }

  private static boolean isCancellation(Throwable thrown) {
    return thrown instanceof InterruptedException || thrown instanceof CancellationException;
  }

  /**
   * Suppresses one exception in another.
   *
   * @return false if the primary refuses it or is full; true also if it is there already
   */
  @SuppressWarnings("ReferenceEquality") // an exception may call itself equal to others
  static boolean suppress(Throwable primary, Throwable other) {
    synchronized (primary) {
      if (primary == other) {
        return true;
      }
      Throwable[] present = primary.getSuppressed();
      int failures = 0;
      for (Throwable suppressed : present) {
        if (suppressed == other) {
          return true;
        }
        if (!(suppressed instanceof TaskTrace)) {
          failures++;
        }
      }
      if (failures >= MAX_SUPPRESSED) {
        return false;
      }
      primary.addSuppressed(other);
      return primary.getSuppressed().length > present.length;
    }
  }

  /**
   * Takes the failures that one cancellation carries along to the one that is thrown in its place.
   */
  static <E extends Throwable> E carry(E wrapper, @Nullable Throwable ending) {
    suppressedFailures(ending).forEach(failure -> suppress(wrapper, failure));
    return wrapper;
  }

  /**
   * Gives way to whoever fills the heap, before something is tried again that must not fail for
   * want of memory. A wait of some length would itself need memory, and trying makes the collector
   * run.
   */
  @SuppressWarnings("ThreadPriorityCheck") // whoever has the memory goes on, or nobody does
  static void awaitMemory() {
    Thread.yield();
  }

  /** The same, if memory is what was missing and this was not tried too often. */
  static boolean mayTryAgain(Throwable thrown, int tries) {
    if (!(thrown instanceof OutOfMemoryError) || tries >= MOST_TRIES) {
      return false;
    }
    awaitMemory();
    return true;
  }

  /** Leaves the cancellation that a failing body was under in its failure, once. */
  static void explain(Throwable failure, CancelReason reason) {
    synchronized (failure) {
      for (Throwable suppressed : failure.getSuppressed()) {
        if (suppressed instanceof CancellationException) {
          return;
        }
      }
      // Without who asked: a failure that is kept must not keep a task alive.
      var context = new CancelReason(reason.source(), reason.message(), null);
      suppress(failure, new TaskCancelledException(context, null));
    }
  }

  /**
   * Lists failures in the exception that is about to be thrown for them all: they count as
   * retrieved. What it does not take goes to the handler.
   */
  @SuppressWarnings("ReferenceEquality") // the exception itself
  static void attach(Throwable primary, List<Failed> failures) {
    for (Failed failed : failures) {
      var left = new ArrayList<Throwable>();
      for (Throwable failure : failed.failures()) {
        if (!suppress(primary, failure)) {
          left.add(failure);
        }
      }
      if (left.isEmpty()) {
        failed.settle(failed.exception == primary ? Fate.AWAITED : Fate.SUPPRESSED);
      } else {
        failed.deliver(left);
      }
    }
  }
}
