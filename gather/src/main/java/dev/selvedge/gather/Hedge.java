package dev.selvedge.gather;

import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Attempts at the same thing. The next one starts when the last has not answered in time, and at
 * once when it has failed; there is nothing to wait for then.
 */
final class Hedge<T extends @Nullable Object, X extends Exception> implements AutoCloseable {
  private final @Nullable String name;
  private final int concurrency;
  private final Body<? extends T, ? extends X> body;
  private final TaskScope<X> scope;
  private final List<Task<T, X>> attempts = new ArrayList<>();
  private final BlockingQueue<Task<T, X>> ended = new LinkedBlockingQueue<>();

  Hedge(@Nullable String name, int concurrency, Body<? extends T, ? extends X> body) {
    this.name = name;
    this.concurrency = concurrency;
    this.body = body;
    this.scope = Members.open(Policy.SUPERVISE, name);
  }

  @Override
  public void close() {
    scope.close();
  }

  T call(Duration delay, int times) throws X, InterruptedException {
    // Not read before the end: if the caller is cancelled, the scope lists what is unread.
    var failed = new ArrayList<Task<T, X>>();
    while (failed.size() < times) {
      if (mayStart(times, failed.size())) {
        Task<T, X> attempt = Members.fork(scope, name, attempts.size(), body);
        attempts.add(attempt);
        attempt.onDone(ended::add);
      }
      Task<T, X> first = next(mayStart(times, failed.size()) ? delay : null);
      if (first != null && first.state() == Future.State.SUCCESS) {
        return winner(first);
      }
      if (first != null) {
        failed.add(first);
      }
    }
    Members.join(scope);
    List<Throwable> failures = failed.stream().map(Hedge::failure).toList();
    throw Suppression.<RuntimeException>sneak(Suppression.suppress(failures.getFirst(), failures));
  }

  private boolean mayStart(int times, int ended) {
    return attempts.size() < times && attempts.size() - ended < concurrency;
  }

  /** The next attempt that ends; null if none does within the limit. */
  private @Nullable Task<T, X> next(@Nullable Duration limit) throws InterruptedException {
    try {
      return Members.poll(ended, limit);
    } catch (InterruptedException e) {
      throw Members.abandon(scope, e);
    }
  }

  private T winner(Task<T, X> first) throws InterruptedException {
    scope.cancel(
        new CancelReason(CancelReason.Source.NOT_NEEDED, "another attempt succeeded", first));
    Members.join(scope);
    attempts.forEach(Task::ignoreFailure);
    return Members.value(first);
  }

  private static Throwable failure(Task<?, ?> attempt) {
    return switch (attempt.outcome()) {
      case Outcome.Success<?> _ -> throw new AssertionError(attempt);
      case Outcome.Failure<?>(Throwable failure) -> failure;
      case Outcome.Cancelled<?>(var cancelled) -> cancelled;
    };
  }
}
