package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Outcome;
import dev.selvedge.TaskScope.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code map} and its family: an element for each input, so many of them at once.
 *
 * @param name of the scope, and the first part of those of its tasks
 * @param limit how many elements there are at most that have not ended or, of a stream, were not
 *     handed out
 */
record Mapping<A extends @Nullable Object, T extends @Nullable Object, X extends Exception>(
    @Nullable String name,
    int limit,
    Iterable<? extends A> inputs,
    Mapper<? super A, ? extends T, ? extends X> mapper) {
  Mapping {
    if (limit < 1) {
      throw new IllegalArgumentException(
          "limit is " + limit + ": at least one must be allowed to run");
    }
    requireNonNull(inputs, "inputs");
    requireNonNull(mapper, "mapper");
  }

  /** The values in the order of the inputs; one failure is that of all. */
  List<T> toList() throws X, InterruptedException {
    var elements = new ArrayList<Element<A, T, X>>();
    run(Policy.CANCEL_ON_FAILURE, elements::add);
    var values = new ArrayList<T>(elements.size());
    for (Element<A, T, X> element : elements) {
      values.add(element.take());
    }
    return Collections.unmodifiableList(values);
  }

  /** The outcomes in the order of the inputs. */
  List<Outcome<T>> settle() throws X, InterruptedException {
    var elements = new ArrayList<Element<A, T, X>>();
    run(Policy.SUPERVISE, elements::add);
    return elements.stream().map(Element::outcome).toList();
  }

  /** Keeps nothing; one failure is that of all. */
  void forEach() throws X, InterruptedException {
    run(Policy.CANCEL_ON_FAILURE, _ -> {});
  }

  private void run(Policy policy, Consumer<? super Element<A, T, X>> started)
      throws X, InterruptedException {
    var permits = new Semaphore(limit);
    try (var pull = new Pull<A, T, X>(this, policy, _ -> permits.release())) {
      Throwable pulled = null;
      try {
        pull.begin();
        pull.<@Nullable Void>interruptibly(() -> {
          while (true) {
            permits.acquire();
            Element<A, T, X> next = pull.isOver() ? null : pull.next();
            if (next == null) {
              return null;
            }
            started.accept(next);
          }
        });
      } catch (Throwable t) {
        pulled = t;
      }
      Throwable thrown = pull.end(pulled);
      if (thrown != null) {
        throw Suppression.<RuntimeException>sneak(thrown);
      }
    }
  }

  /** The values in the order of the inputs, while they are read. */
  Stream<T> stream(@Nullable Duration timeLimit) {
    return MappedStream.inOrder(this, Policy.CANCEL_ON_FAILURE, timeLimit, Element::take);
  }

  /** The values in order of completion, while they are read. */
  Stream<T> streamCompleted(@Nullable Duration timeLimit) {
    return MappedStream.completed(this, Policy.CANCEL_ON_FAILURE, timeLimit, Element::take);
  }

  /** The outcomes in order of completion, while they are read. */
  Stream<Outcome<T>> settledStream(@Nullable Duration timeLimit) {
    return MappedStream.completed(this, Policy.SUPERVISE, timeLimit, Element::outcome);
  }
}
