package dev.selvedge.gather;

import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code map} and its kin. The caller's thread takes a permit, pulls an input and forks a child for
 * it; the permit comes back when the child ends. So no thread waits for a permit but the caller's,
 * and no input is pulled before it can run.
 */
final class Mapping<A extends @Nullable Object, T extends @Nullable Object, X extends Exception> {
  private final @Nullable String name;
  private final int limit;
  private final Iterable<? extends A> inputs;
  private final Mapper<? super A, ? extends T, ? extends X> mapper;

  Mapping(
      @Nullable String name,
      int limit,
      Iterable<? extends A> inputs,
      Mapper<? super A, ? extends T, ? extends X> mapper) {
    this.name = name;
    this.limit = limit;
    this.inputs = inputs;
    this.mapper = mapper;
  }

  List<T> toList() throws X, InterruptedException {
    try (TaskScope<X> scope = Members.open(Policy.CANCEL_ON_FAILURE, name)) {
      List<Task<T, X>> children = forkAll(scope, true);
      var values = new ArrayList<T>(children.size());
      for (Task<T, X> child : children) {
        values.add(child.result());
      }
      return Collections.unmodifiableList(values);
    }
  }

  List<Outcome<T>> settle() throws InterruptedException {
    try (TaskScope<X> scope = Members.open(Policy.SUPERVISE, name)) {
      return forkAll(scope, false).stream().map(Task::outcome).toList();
    } catch (Exception e) {
      // Of the inputs, which declare none.
      throw Suppression.<RuntimeException>sneak(e);
    }
  }

  /** Forks a child for each input, keeps them, and waits for all. */
  private List<Task<T, X>> forkAll(TaskScope<X> scope, boolean failFast)
      throws X, InterruptedException {
    var children = new ArrayList<Task<T, X>>();
    forkAll(
        scope,
        new Inputs<>(inputs, failFast),
        () -> children,
        input -> {
          Task<T, X> child = fork(scope, children.size(), input);
          children.add(child);
          return child;
        });
    return children;
  }

  void forEach() throws X, InterruptedException {
    try (TaskScope<X> scope = Members.open(Policy.CANCEL_ON_FAILURE, name)) {
      var pulled = new Inputs<A>(inputs, true);
      var index = new int[1];
      forkAll(scope, pulled, List::of, input -> fork(scope, index[0]++, input));
      pulled.throwIfCancelled();
    }
  }

  Stream<T> stream(@Nullable Duration timeLimit) {
    return new MappedStream<A, T, X>(
            name, limit, timeLimit, inputs, mapper, Policy.CANCEL_ON_FAILURE)
        .inOrder();
  }

  Stream<T> streamCompleted(@Nullable Duration timeLimit) {
    return new MappedStream<A, T, X>(
            name, limit, timeLimit, inputs, mapper, Policy.CANCEL_ON_FAILURE)
        .asCompleted();
  }

  Stream<Outcome<T>> settledStream(@Nullable Duration timeLimit) {
    return new MappedStream<A, T, X>(name, limit, timeLimit, inputs, mapper, Policy.SUPERVISE)
        .settled();
  }

  private Task<T, X> fork(TaskScope<X> scope, int index, A input) {
    return Members.fork(scope, name, index, () -> mapper.apply(input));
  }

  private void forkAll(
      TaskScope<X> scope,
      Inputs<A> pulled,
      Supplier<List<? extends Task<?, ?>>> unread,
      Function<A, Task<T, X>> fork)
      throws X, InterruptedException {
    var permits = new Semaphore(limit);
    pulled.pull(
        scope,
        unread,
        () -> {
          Iterator<? extends A> iterator = pulled.iterator();
          while (true) {
            permits.acquire();
            if (!iterator.hasNext()) {
              return;
            }
            fork.apply(iterator.next())
                .onDone(child -> {
                  pulled.ended(child);
                  permits.release();
                });
          }
        });
    scope.join();
  }
}
