package dev.selvedge.gather;

import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope.Policy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The verbs that need only some of them: {@code any}, {@code race} and {@code quorum}.
 *
 * <p>Each child says how it ended before the scope counts it down, and the one that decides cancels
 * the others there and then. Failures are tolerated only where the verb has what it was asked for.
 */
final class First<T extends @Nullable Object> implements AutoCloseable {
  private final List<? extends Body<? extends T, ?>> given;
  private final List<? extends Body<? extends T, ?>> bodies;
  private final Children<Exception> children;

  /** The children, in the order of the bodies. */
  private final List<Task<T, Exception>> tasks = new ArrayList<>();

  /** Why those that go on are cancelled. */
  private final AtomicReference<@Nullable CancelReason> decision = new AtomicReference<>();

  First(
      String verb,
      @Nullable String name,
      int concurrency,
      List<? extends Body<? extends T, ?>> bodies) {
    this.given = bodies;
    this.bodies = Members.distinct(bodies);
    this.children = new Children<>(verb, Policy.SUPERVISE, name, concurrency, this.bodies);
  }

  @Override
  public void close() {
    children.close();
  }

  /** The first so many successes, in order of completion. */
  List<T> quorum(int needed) throws ExceptionGroup, InterruptedException {
    List<Task<T, Exception>> winners = winners(needed);
    tolerateAllBut(winners);
    var values = new ArrayList<T>(needed);
    for (Task<T, Exception> winner : winners) {
      values.add(Members.value(winner));
    }
    return Collections.unmodifiableList(values);
  }

  /** The first success. */
  Winner<T> winner() throws ExceptionGroup, InterruptedException {
    List<Task<T, Exception>> winners = winners(1);
    Task<T, Exception> winner = winners.getFirst();
    return new Winner<>(Members.value(winner), indexOf(winner), tolerateAllBut(winners));
  }

  /** The place of the winner's body; of a task that occurs twice, the first. */
  @SuppressWarnings("ReferenceEquality") // a body may be anything
  private int indexOf(Task<T, Exception> winner) {
    Body<? extends T, ?> body = bodies.get(tasks.indexOf(winner));
    int before = 0;
    for (int i = 0; i < tasks.indexOf(winner); i++) {
      before += bodies.get(i) == body ? 1 : 0;
    }
    for (int i = 0; ; i++) {
      if (given.get(i) == body && before-- == 0) {
        return i;
      }
    }
  }

  private List<Task<T, Exception>> winners(int needed) throws ExceptionGroup, InterruptedException {
    Queue<Task<T, Exception>> successes = new ConcurrentLinkedQueue<>();
    var left = new AtomicInteger(needed);
    var spare = new AtomicInteger(bodies.size() - needed);
    run(child -> {
      if (child.state() == Future.State.SUCCESS) {
        successes.add(child);
        if (left.decrementAndGet() == 0) {
          decide("enough others succeeded", child);
        }
      } else if (spare.decrementAndGet() < 0) {
        decide("too few can succeed", child);
      }
    });
    List<Task<T, Exception>> winners = successes.stream().limit(needed).toList();
    if (winners.size() < needed) {
      throw ExceptionGroup.of(failures(tasks));
    }
    return winners;
  }

  /** The first that ends, be it by a failure. */
  Task<T, Exception> race() throws InterruptedException {
    Queue<Task<T, Exception>> ended = new ConcurrentLinkedQueue<>();
    run(child -> {
      ended.add(child);
      decide("another was first", child);
    });
    Task<T, Exception> first = ended.element();
    tolerateAllBut(List.of(first));
    return first;
  }

  /** Forks them and waits until all have ended. */
  private void run(Consumer<Task<T, Exception>> onEnd) throws InterruptedException {
    try {
      for (Body<? extends T, ?> body : bodies) {
        tasks.add(
            body instanceof Task<? extends T, ?> task
                ? children.forkFor(task, Members.<T, Exception>tentative(task), onEnd)
                : children.fork(body, onEnd));
      }
      Members.join(children.scope());
    } catch (InterruptedException | RuntimeException e) {
      children.close();
      throw children.end(e);
    }
  }

  private void decide(String message, Task<?, ?> by) {
    var reason = new CancelReason(CancelReason.Source.NOT_NEEDED, message, by);
    if (decision.compareAndSet(null, reason)) {
      children.scope().cancel(reason);
    }
  }

  private List<Throwable> tolerateAllBut(List<Task<T, Exception>> winners) {
    var losers = new ArrayList<>(tasks);
    losers.removeAll(winners);
    losers.forEach(Task::ignoreFailure);
    return List.copyOf(failures(losers));
  }

  /** What they threw, but for the cancellation that was decided here. */
  private List<Throwable> failures(List<Task<T, Exception>> ended) {
    var failures = new ArrayList<Throwable>();
    for (Task<T, Exception> child : ended) {
      switch (child.outcome()) {
        case Outcome.Success<T> _ -> {}
        case Outcome.Failure<T>(Throwable failure) -> failures.add(failure);
        case Outcome.Cancelled<T>(var cancelled) -> {
          if (cancelled.reason().equals(decision.get())) {
            failures.addAll(cancelled.failures());
          } else {
            failures.add(cancelled);
          }
        }
      }
    }
    failures.addAll(children.left());
    return failures;
  }
}
