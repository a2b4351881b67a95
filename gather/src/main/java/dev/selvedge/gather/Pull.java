package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.CancelReason.Source;
import dev.selvedge.CancelScope;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The inputs of one mapping, pulled by the thread that made this, and the scope of their elements.
 *
 * <p><b>Stopping.</b> The caller pulls and waits inside of a {@link CancelScope}. The first element
 * that fails writes {@code stop} and then reads {@code inside}; the caller writes {@code inside}
 * and then reads {@code stop}: one of them sees the other, and the caller comes out of an iterator
 * that blocks.
 *
 * <p><b>Ending.</b> {@link #end} is given what the pulling threw and says what the caller throws,
 * when all elements have ended. A join that is interrupted throws none of their failures but takes
 * all along: that is how they become suppressed in an exception that is not theirs.
 */
final class Pull<A extends @Nullable Object, T extends @Nullable Object, X extends Exception>
    implements AutoCloseable {
  /** An interrupt that is on its way is there long before that. */
  private static final long LATEST_INTERRUPT_MILLIS = 100;

  private final Mapping<A, T, X> mapping;
  private final Policy policy;
  private final Consumer<? super Element<A, T, X>> onEnd;
  private final TaskScope<X> scope;

  private @Nullable Iterator<? extends A> iterator;
  private long index;

  /** Where the caller pulls or waits. */
  private volatile @Nullable CancelScope inside;

  /** That an element has failed where one failure is that of all. */
  private final AtomicReference<@Nullable CancelReason> stop = new AtomicReference<>();

  /** The first element that was cancelled. */
  private final AtomicReference<@Nullable Task<?, ?>> cancelled = new AtomicReference<>();

  /** That the elements were cancelled because the caller was. */
  private volatile boolean outside;

  Pull(Mapping<A, T, X> mapping, Policy policy, Consumer<? super Element<A, T, X>> onEnd) {
    this.mapping = mapping;
    this.policy = policy;
    this.onEnd = onEnd;
    this.scope = Members.open(policy, mapping.name());
  }

  Mapping<A, T, X> mapping() {
    return mapping;
  }

  // ---- pulling, by the caller

  /** Asks for the iterator, outside of {@link #interruptibly}: it may have a scope of its own. */
  void begin() {
    if (iterator == null) {
      iterator =
          requireNonNull(
              mapping.inputs().iterator(),
              "inputs.iterator() returned null: return an iterator without elements");
    }
  }

  /** Runs what the first failing element interrupts. */
  <R extends @Nullable Object> R interruptibly(Body<R, RuntimeException> body)
      throws InterruptedException {
    var entered = CancelScope.create();
    inside = entered;
    try {
      CancelReason why = stop.get();
      if (why != null) {
        entered.cancel(why);
      }
      return entered.call(body);
    } finally {
      inside = null;
    }
  }

  /** Starts the next element; null if there is none. */
  @Nullable Element<A, T, X> next() throws InterruptedException {
    var inputs = requireNonNull(iterator, "begun");
    if (!inputs.hasNext()) {
      return null;
    }
    Task.checkCancelled();
    var element = new Element<A, T, X>(this, inputs.next());
    String name = mapping.name();
    element.forkedAs(name == null ? scope.fork(element) : scope.fork(name + "-" + index, element));
    index++;
    return element;
  }

  /** Whether nothing needs to be pulled any more. */
  boolean isOver() {
    return outside || stop.get() != null;
  }

  // ---- the end of an element, in its thread

  void ended(Element<A, T, X> element, Task<?, ?> task) {
    switch (task.state()) {
      case FAILED -> {
        if (policy == Policy.CANCEL_ON_FAILURE) {
          stop(task);
        }
      }
      case CANCELLED -> {
        cancelled.compareAndSet(null, task);
        if (task.cancelReason().filter(why -> why.source() == Source.PARENT).isPresent()) {
          outside = true;
        }
      }
      default -> {}
    }
    onEnd.accept(element);
  }

  private void stop(Task<?, ?> failed) {
    var reason = new CancelReason(Source.SIBLING_FAILURE, failed.name() + " failed", failed);
    CancelScope entered = stop.compareAndSet(null, reason) ? inside : null;
    if (entered != null) {
      entered.cancel(reason);
    }
  }

  // ---- the end of all

  /**
   * Waits for the elements.
   *
   * @param pulled what the pulling threw; null if nothing
   * @return what the caller throws, with every failure in it; null if nothing
   */
  @Nullable Throwable end(@Nullable Throwable pulled) {
    return switch (pulled) {
      case null -> joined(List.of());
      case InterruptedException e -> {
        Thread.currentThread().interrupt();
        yield joined(Members.failures(e));
      }
      case TaskCancelledException e when e.reason().equals(stop.get()) -> joined(e.failures());
      case TimeoutException e -> abandoned(e, Source.TIMEOUT);
      default ->
          stop.get() != null
              ? joined(List.of(pulled))
              : abandoned(pulled, Source.SIBLING_FAILURE);
    };
  }

  /** Ends as the scope does. */
  private @Nullable Throwable joined(List<Throwable> others) {
    Throwable thrown = join();
    if (outside && !(thrown instanceof InterruptedException)) {
      thrown = interrupted();
    }
    if (thrown == null && policy == Policy.CANCEL_ON_FAILURE) {
      Task<?, ?> first = cancelled.get();
      if (first != null && first.outcome() instanceof Outcome.Cancelled<?>(var exception)) {
        thrown = exception;
      }
    }
    if (thrown == null) {
      if (others.isEmpty()) {
        return null;
      }
      thrown = others.getFirst();
    }
    return Suppression.suppress(thrown, others);
  }

  private @Nullable Throwable join() {
    try {
      scope.join();
      return null;
    } catch (Throwable t) {
      return t;
    }
  }

  /** The caller was cancelled, but the iterator may have swallowed the interrupt. */
  private @Nullable Throwable interrupted() {
    try {
      Thread.sleep(LATEST_INTERRUPT_MILLIS);
    } catch (InterruptedException e) {
      // It was on its way.
    }
    Thread.currentThread().interrupt();
    return join();
  }

  /** Ends with an exception that is not of an element: cancels them, and takes theirs along. */
  private @Nullable Throwable abandoned(Throwable primary, Source source) {
    scope.cancel(
        new CancelReason(source, String.valueOf(primary), Task.current().orElse(null)));
    var collecting = CancelScope.create();
    collecting.cancel("takes all failures along");
    List<Throwable> failures;
    try {
      collecting.run(scope::join);
      failures = List.of();
    } catch (TaskCancelledException e) {
      failures = e.failures();
    } catch (InterruptedException e) {
      return Suppression.suppress(e, List.of(primary));
    } catch (Throwable e) {
      failures = List.of(e);
    }
    if (outside) {
      return joined(List.of(primary));
    }
    return Suppression.suppress(primary, failures);
  }

  /** Cancels what is left because nobody asks for it any more, and waits. */
  void leave(String message) {
    scope.cancel(new CancelReason(Source.NOT_NEEDED, message, Task.current().orElse(null)));
    scope.close();
  }

  @Override
  public void close() {
    scope.close();
  }
}
