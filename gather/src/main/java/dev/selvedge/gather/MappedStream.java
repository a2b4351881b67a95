package dev.selvedge.gather;

import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import dev.selvedge.Timeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A mapping that is read as a stream. Reading pulls: before an element is handed out an input takes
 * its place, and while none can be handed out more are pulled, up to the limit.
 *
 * <p>All of it happens in the thread that made the stream; the children only say that they ended.
 */
final class MappedStream<
    A extends @Nullable Object, T extends @Nullable Object, X extends Exception> {
  /** What was pulled. It has the value, because the scope may keep an ended task for a while. */
  private static final class Element<T extends @Nullable Object, X extends Exception> {
    private @Nullable T value;
    private @Nullable Task<?, X> task;

    Task<?, X> task() {
      if (task == null) {
        throw new AssertionError("its task was not forked");
      }
      return task;
    }

    @SuppressWarnings("NullAway") // what the mapper returned
    T value() {
      return value;
    }

    /** The value; of one that was cancelled its cancellation is thrown. */
    T read() {
      if (task().state() != Future.State.SUCCESS) {
        task().exception().ifPresent(Suppression::<RuntimeException>sneak);
      }
      return value();
    }

    Outcome<T> outcome() {
      return switch (task().outcome()) {
        case Outcome.Success<?> _ -> new Outcome.Success<>(value());
        case Outcome.Failure<?>(Throwable failure) -> new Outcome.Failure<>(failure);
        case Outcome.Cancelled<?>(var cancelled) -> new Outcome.Cancelled<>(cancelled);
      };
    }
  }

  private final @Nullable String name;
  private final int limit;
  private final @Nullable Duration timeLimit;
  private final LoopClock clock = Loop.current().clock();
  private final long start = clock.nanoTime();
  private final Mapper<? super A, ? extends T, ? extends X> mapper;
  private final Inputs<A> inputs;
  private final Thread owner = Thread.currentThread();
  private final TaskScope<X> scope;

  /** What was pulled and not handed out, in the order of the inputs. */
  private final SequencedSet<Element<T, X>> window = new LinkedHashSet<>();

  /** Those of them that have ended, in order of completion; unused if that is not asked for. */
  private final BlockingQueue<Element<T, X>> completed = new LinkedBlockingQueue<>();

  private boolean inOrder;
  private int pulled;
  private boolean exhausted;

  MappedStream(
      @Nullable String name,
      int limit,
      @Nullable Duration timeLimit,
      Iterable<? extends A> inputs,
      Mapper<? super A, ? extends T, ? extends X> mapper,
      Policy policy) {
    this.name = name;
    this.limit = limit;
    this.timeLimit = timeLimit;
    this.mapper = mapper;
    this.inputs = new Inputs<>(inputs, policy == Policy.CANCEL_ON_FAILURE);
    this.scope = Members.open(policy, name);
  }

  Stream<T> inOrder() {
    inOrder = true;
    return stream(Spliterator.ORDERED, Element::read);
  }

  Stream<T> asCompleted() {
    return stream(0, Element::read);
  }

  /** What can run starts now: the inputs are bodies, and their caller knows them all. */
  Stream<Outcome<T>> settled() {
    try {
      while (!exhausted && window.size() < limit) {
        inputs.pull(scope, this::unread, this::pull);
      }
    } catch (Throwable t) {
      scope.close();
      throw Suppression.<RuntimeException>sneak(t);
    }
    return stream(0, Element::outcome);
  }

  private <R extends @Nullable Object> Stream<R> stream(
      int characteristics, Function<Element<T, X>, R> read) {
    var elements =
        new Spliterators.AbstractSpliterator<R>(Long.MAX_VALUE, characteristics) {
          @Override
          public boolean tryAdvance(Consumer<? super R> action) {
            Element<T, X> element = nextUnchecked();
            if (element == null) {
              return false;
            }
            action.accept(read.apply(element));
            return true;
          }

          // Never: the children belong to one thread.
          @Override
          public @Nullable Spliterator<R> trySplit() {
            return null;
          }
        };
    return StreamSupport.stream(elements, false).onClose(this::close);
  }

  private void close() {
    requireOwner();
    scope.cancel(closed());
    scope.close();
  }

  static CancelReason closed() {
    return new CancelReason(CancelReason.Source.NOT_NEEDED, "the stream was closed", null);
  }

  private void requireOwner() {
    if (Thread.currentThread() != owner) {
      throw new WrongThreadException("the stream belongs to the thread that made it, " + owner);
    }
  }

  /** The method that made the stream has declared what this throws. */
  private @Nullable Element<T, X> nextUnchecked() {
    try {
      return next();
    } catch (Exception e) {
      throw Suppression.<RuntimeException>sneak(e);
    }
  }

  /** The next element, which has ended; null at the end of the inputs. */
  private @Nullable Element<T, X> next() throws Exception {
    requireOwner();
    boolean replaced = false;
    while (!exhausted && window.size() < limit && !(replaced && isReady())) {
      inputs.pull(scope, this::unread, this::pull);
      throwIfFailed();
      replaced = true;
    }
    if (window.isEmpty()) {
      scope.join();
      return null;
    }
    Element<T, X> element = inOrder ? await(window.getFirst()) : take();
    throwIfFailed();
    window.remove(element);
    return element;
  }

  private boolean isReady() {
    return inOrder ? !window.isEmpty() && window.getFirst().task().isDone() : !completed.isEmpty();
  }

  private void pull() throws InterruptedException {
    Duration left = left();
    try {
      if (left == null) {
        pullOne();
      } else {
        Timeout.within(left, () -> pullOne());
      }
    } catch (TimeoutException reached) {
      throw Suppression.<RuntimeException>sneak(reached);
    }
  }

  private void pullOne() {
    Iterator<? extends A> iterator = inputs.iterator();
    if (!iterator.hasNext()) {
      exhausted = true;
      return;
    }
    A input = iterator.next();
    var element = new Element<T, X>();
    Task<?, X> task =
        Members.<@Nullable Void, X>fork(
            scope,
            name,
            pulled++,
            () -> {
              element.value = mapper.apply(input);
              return null;
            });
    element.task = task;
    window.add(element);
    task.onDone(ended -> {
      inputs.ended(ended);
      if (!inOrder) {
        completed.add(element);
      }
    });
  }

  /** What is left of the time limit; null without one. */
  private @Nullable Duration left() {
    return timeLimit == null ? null : timeLimit.minusNanos(clock.nanoTime() - start);
  }

  private Element<T, X> await(Element<T, X> head) throws X, InterruptedException, TimeoutException {
    Duration left = left();
    try {
      if (left == null) {
        head.task().awaitDone();
      } else if (!head.task().awaitDone(left)) {
        throw timeout();
      }
      return head;
    } catch (InterruptedException e) {
      throw Members.abandon(scope, e);
    }
  }

  private Element<T, X> take() throws InterruptedException, TimeoutException {
    Duration left = left();
    Element<T, X> element;
    try {
      element = Members.poll(completed, left);
    } catch (InterruptedException e) {
      throw Members.abandon(scope, e);
    }
    if (element == null) {
      throw timeout();
    }
    return element;
  }

  private TimeoutException timeout() throws InterruptedException {
    String message = "the stream was not read to its end within " + timeLimit;
    scope.cancel(new CancelReason(CancelReason.Source.TIMEOUT, message, null));
    var timeout = new TimeoutException(message);
    try {
      scope.join();
    } catch (InterruptedException outside) {
      throw outside;
    } catch (Exception | Error failure) {
      return Suppression.suppress(timeout, List.of(failure));
    }
    return Suppression.suppress(timeout, Members.failures(unread()));
  }

  private void throwIfFailed() throws X, InterruptedException {
    if (inputs.hasFailed()) {
      scope.join();
      inputs.resume();
    }
  }

  private List<Task<?, ?>> unread() {
    var unread = new ArrayList<Task<?, ?>>();
    window.forEach(element -> unread.add(element.task()));
    return unread;
  }
}
