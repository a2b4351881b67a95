package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Task;
import dev.selvedge.TaskScope.Policy;
import dev.selvedge.Timeout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Spliterator;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * The results of a mapping as a stream, in one of two orders.
 *
 * <p>Each step starts one element, so that there are always as many on their way, and further ones
 * while the next result is not there. So a source that is slow holds back a result for one input,
 * not for as many as the limit allows.
 *
 * <p>It does not split: a stream that was made parallel takes all its results in the thread that
 * calls the terminal operation, and that must be the one that made the stream.
 */
final class MappedStream<
        A extends @Nullable Object,
        T extends @Nullable Object,
        X extends Exception,
        R extends @Nullable Object>
    implements Spliterator<R> {
  private final Pull<A, T, X> pull;
  private final Policy policy;
  private final @Nullable Duration timeLimit;
  private final Function<Element<A, T, X>, R> result;

  /** Those that were started, the oldest first; null if the order is that of completion. */
  private final @Nullable Queue<Element<A, T, X>> started;

  /** Those that have ended and were not handed out; empty in the order of the inputs. */
  private final LinkedBlockingQueue<Element<A, T, X>> ended = new LinkedBlockingQueue<>();

  private final Thread owner = Thread.currentThread();
  private final long birth = System.nanoTime();

  /** How many were started and not handed out. */
  private int ahead;

  private boolean exhausted;

  /** What it has ended with. */
  private @Nullable Throwable thrown;

  private MappedStream(
      Mapping<A, T, X> mapping,
      Policy policy,
      @Nullable Duration timeLimit,
      Function<Element<A, T, X>, R> result,
      boolean inOrder) {
    this.policy = policy;
    this.timeLimit = timeLimit;
    this.result = result;
    this.started = inOrder ? new ArrayDeque<>() : null;
    this.pull = new Pull<>(mapping, policy, inOrder ? _ -> {} : ended::add);
  }

  static <
          A extends @Nullable Object,
          T extends @Nullable Object,
          X extends Exception,
          R extends @Nullable Object>
      Stream<R> inOrder(
          Mapping<A, T, X> mapping,
          Policy policy,
          @Nullable Duration timeLimit,
          Function<Element<A, T, X>, R> result) {
    return new MappedStream<>(mapping, policy, timeLimit, result, true).stream();
  }

  static <
          A extends @Nullable Object,
          T extends @Nullable Object,
          X extends Exception,
          R extends @Nullable Object>
      Stream<R> completed(
          Mapping<A, T, X> mapping,
          Policy policy,
          @Nullable Duration timeLimit,
          Function<Element<A, T, X>, R> result) {
    return new MappedStream<>(mapping, policy, timeLimit, result, false).stream();
  }

  private Stream<R> stream() {
    return StreamSupport.stream(this, false).onClose(this::close);
  }

  private void close() {
    requireOwner("close");
    pull.leave("the stream was closed");
  }

  private void requireOwner(String what) {
    if (Thread.currentThread() != owner) {
      throw new WrongThreadException(
          what + " belongs to the thread that made the stream, " + owner);
    }
  }

  @Override
  public boolean tryAdvance(Consumer<? super R> action) {
    requireNonNull(action, "action");
    requireOwner("reading");
    if (thrown != null) {
      throw Suppression.<RuntimeException>sneak(thrown);
    }
    Element<A, T, X> next;
    try {
      next = pull.isOver() ? null : next();
    } catch (Throwable t) {
      throw end(t);
    }
    boolean over = pull.isOver();
    if (over || (next != null && policy == Policy.CANCEL_ON_FAILURE && !next.hasSucceeded())) {
      throw end(over ? null : cancellation(requireNonNull(next)));
    }
    if (next == null) {
      return false;
    }
    action.accept(result.apply(next));
    return true;
  }

  /** Null if the element has failed. */
  private @Nullable Throwable cancellation(Element<A, T, X> element) {
    return element.task().isCancelled()
            && element.task().outcome() instanceof dev.selvedge.Outcome.Cancelled<?>(var exception)
        ? exception
        : null;
  }

  private RuntimeException end(@Nullable Throwable pulled) {
    Throwable ending = pull.end(pulled);
    thrown = ending == null ? new AssertionError("ended by nothing") : ending;
    throw Suppression.<RuntimeException>sneak(thrown);
  }

  /** The next that has ended; null if there is none. */
  private @Nullable Element<A, T, X> next() throws InterruptedException, TimeoutException {
    Task.checkCancelled();
    if (ahead == 0 && exhausted) {
      return null;
    }
    pull.begin();
    if (timeLimit == null) {
      return pull.interruptibly(this::step);
    }
    Duration left = timeLimit.minusNanos(System.nanoTime() - birth);
    if (!left.isPositive() && isReady()) {
      return take();
    }
    return Timeout.within(left, () -> pull.interruptibly(this::step));
  }

  private @Nullable Element<A, T, X> step() throws InterruptedException {
    boolean pulled = false;
    while (!exhausted && ahead < pull.mapping().limit() && !(pulled && isReady())) {
      Element<A, T, X> next = pull.next();
      pulled = true;
      if (next == null) {
        exhausted = true;
      } else {
        ahead++;
        if (started != null) {
          started.add(next);
        }
      }
    }
    return ahead == 0 ? null : take();
  }

  private boolean isReady() {
    Element<A, T, X> next = started == null ? ended.peek() : started.peek();
    return next != null && next.isDone();
  }

  private Element<A, T, X> take() throws InterruptedException {
    Element<A, T, X> next;
    if (started == null) {
      next = ended.take();
    } else {
      started.element().task().awaitDone();
      next = started.remove();
    }
    ahead--;
    return next;
  }

  @Override
  public @Nullable Spliterator<R> trySplit() {
    return null;
  }

  @Override
  public long estimateSize() {
    return Long.MAX_VALUE;
  }

  @Override
  public int characteristics() {
    return ORDERED;
  }
}
