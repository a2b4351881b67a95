package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.CancelReason;
import dev.selvedge.CancelScope;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Inputs that the caller's thread pulls. Where a failure ends all, a failing child interrupts the
 * caller if it is blocked in the iterator: each announces itself before it looks at the other.
 */
final class Inputs<A extends @Nullable Object> {
  private final Iterable<? extends A> inputs;
  private final boolean failFast;
  private @Nullable Iterator<? extends A> iterator;
  private volatile boolean failed;

  /** The first child that was cancelled. */
  private final AtomicReference<@Nullable Task<?, ?>> cancelled = new AtomicReference<>();

  private volatile @Nullable CancelScope pulling;

  Inputs(Iterable<? extends A> inputs, boolean failFast) {
    this.inputs = inputs;
    this.failFast = failFast;
  }

  /** The one iterator; for code inside of {@link #pull}, as it may block and throw. */
  Iterator<? extends A> iterator() {
    if (iterator == null) {
      iterator = requireNonNull(inputs.iterator(), "the iterator of inputs is null");
    }
    return iterator;
  }

  /** Whether a child has failed, and its failure ends all. */
  boolean hasFailed() {
    return failed;
  }

  /** Once all have ended and none has failed: somebody else had cancelled a child. */
  void resume() {
    failed = false;
  }

  /** Once all have ended and none has failed: throws if one was cancelled nevertheless. */
  void throwIfCancelled() {
    Task<?, ?> child = cancelled.get();
    if (child != null) {
      child.exception();
    }
  }

  /** Has to be told of the end of each child. */
  void ended(Task<?, ?> child) {
    if (child.state() == Future.State.CANCELLED) {
      cancelled.compareAndSet(null, child);
    }
    if (endsAll(child)) {
      failed = true;
      CancelScope blocked = pulling;
      if (blocked != null) {
        blocked.cancel(
            new CancelReason(CancelReason.Source.SIBLING_FAILURE, "an element failed", child));
      }
    }
  }

  /** Whether the end of a child is that of all; true already before it has announced itself. */
  boolean endsAll(Task<?, ?> child) {
    return failFast && (child.state() == Future.State.FAILED || hasFailingSibling(child));
  }

  /** Those that a failure has cancelled may end before it is heard of here. */
  private static boolean hasFailingSibling(Task<?, ?> child) {
    return child
        .cancelReason()
        .filter(reason -> reason.source() == CancelReason.Source.SIBLING_FAILURE)
        .isPresent();
  }

  /**
   * Runs what pulls, unless or until a child fails. If it throws, the children are cancelled and
   * waited for, and what they threw is not lost.
   */
  <X extends Exception> void pull(
      TaskScope<X> scope, Supplier<List<? extends Task<?, ?>>> unread, Action<? extends X> loop)
      throws X, InterruptedException {
    var cancellable = CancelScope.create();
    pulling = cancellable;
    try {
      if (!failed) {
        cancellable.<X>run(loop);
      }
    } catch (InterruptedException e) {
      throw Members.abandon(scope, e);
    } catch (Throwable thrown) {
      if (!isOwn(cancellable, thrown)) {
        throw end(scope, unread, thrown);
      }
    } finally {
      pulling = null;
    }
  }

  /** Whether a failing child ended the loop, so that its join will throw. */
  @SuppressWarnings("ReferenceEquality") // the very request
  private static boolean isOwn(CancelScope scope, Throwable thrown) {
    return thrown instanceof TaskCancelledException cancelled
        && cancelled.failures().isEmpty()
        && scope.cancelReason().filter(own -> own == cancelled.reason()).isPresent();
  }

  private <X extends Exception> RuntimeException end(
      TaskScope<X> scope, Supplier<List<? extends Task<?, ?>>> unread, Throwable thrown)
      throws InterruptedException {
    boolean childWasFirst = failed && !(thrown instanceof TimeoutException);
    var source =
        thrown instanceof TimeoutException
            ? CancelReason.Source.TIMEOUT
            : CancelReason.Source.PARENT;
    scope.cancel(new CancelReason(source, "inputs: " + ExceptionGroup.describe(thrown), null));
    Throwable first = null;
    try {
      scope.join();
    } catch (InterruptedException outside) {
      throw Suppression.suppress(outside, List.of(thrown));
    } catch (Throwable failure) {
      first = failure;
    }
    if (first != null && childWasFirst) {
      throw Suppression.<RuntimeException>sneak(Suppression.suppress(first, List.of(thrown)));
    }
    List<Throwable> others = first != null ? List.of(first) : Members.failures(unread.get());
    throw Suppression.<RuntimeException>sneak(Suppression.suppress(thrown, others));
  }
}
