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

  /** Cancels the children when the time is over, whatever the reader does; null without a limit. */
  private final LoopClock.@Nullable Alarm alarm;

  /** What was pulled and not handed out, in the order of the inputs. */
  private final SequencedSet<Element<T, X>> window = new LinkedHashSet<>();

  /** Those of them that have ended, in order of completion; unused if that is not asked for. */
  private final BlockingQueue<Element<T, X>> completed = new LinkedBlockingQueue<>();

  private boolean inOrder;
  private int pulled;
  private boolean exhausted;
  private boolean closed;

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
    this.scope = Members.open(policy, name == null ? "stream" : name);
    Duration left = left();
    if (left == null || left.isPositive()) {
      this.alarm = left == null ? null : clock.schedule(this::expire, left);
    } else {
      this.alarm = null;
      expire();
    }
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
      disarm();
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
    closed = true;
    disarm();
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
    if (closed) {
      throw new IllegalStateException("the stream is closed: read it before");
    }
    if (exhausted && window.isEmpty()) {
      return end();
    }
    if (isOver()) {
      throw timeout();
    }
    boolean replaced = false;
    while (!exhausted && window.size() < limit && !(replaced && isReady())) {
      inputs.pull(scope, this::unread, this::pull);
      throwIf(inputs.hasFailed());
      replaced = true;
    }
    if (window.isEmpty()) {
      return end();
    }
    Element<T, X> element = inOrder ? await(window.getFirst()) : take();
    if (element.task().state() != Future.State.SUCCESS && isOver()) {
      throw timeout();
    }
    // One that is waited for may have ended before it has announced itself.
    throwIf(inputs.hasFailed() || inputs.endsAll(element.task()) || isCancelledWith(element));
    window.remove(element);
    return element;
  }

  /** Whether the caller was cancelled and the element with it; it may be seen to end first. */
  private boolean isCancelledWith(Element<T, X> element) {
    return element.task().isCancelled() && Thread.currentThread().isInterrupted();
  }

  private @Nullable Element<T, X> end() throws X, InterruptedException {
    scope.join();
    disarm();
    return null;
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
    return timeLimit == null || !timeLimit.isPositive()
        ? timeLimit
        : timeLimit.minusNanos(clock.nanoTime() - start);
  }

  private boolean isOver() {
    Duration left = left();
    return left != null && !left.isPositive();
  }

  private void expire() {
    scope.cancel(new CancelReason(CancelReason.Source.TIMEOUT, message(), null));
  }

  private void disarm() {
    if (alarm != null) {
      alarm.cancel();
    }
  }

  private String message() {
    return "the stream was not read to its end within " + timeLimit;
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
    expire();
    var timeout = new TimeoutException(message());
    try {
      scope.join();
    } catch (InterruptedException outside) {
      throw outside;
    } catch (Exception | Error failure) {
      return Suppression.suppress(timeout, List.of(failure));
    }
    return Suppression.suppress(timeout, Members.failures(unread()));
  }

  private void throwIf(boolean failed) throws X, InterruptedException, TimeoutException {
    if (failed && isOver()) {
      throw timeout();
    }
    if (failed) {
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
