package dev.selvedge.gather;

import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** The verbs that wait for all: {@code gather} and {@code settle}. */
final class Together {
  private Together() {}

  static <T extends @Nullable Object, X extends Exception> List<T> gather(
      @Nullable String name, int concurrency, List<? extends Body<? extends T, ? extends X>> bodies)
      throws X, InterruptedException {
    if (bodies.isEmpty()) {
      Task.checkCancelled();
      return List.of();
    }
    try (TaskScope<X> scope = Members.open(Policy.CANCEL_ON_FAILURE, name)) {
      Semaphore permits = concurrency < bodies.size() ? new Semaphore(concurrency) : null;
      var children = new ArrayList<Task<T, X>>(bodies.size());
      IdentityHashMap<Object, Task<T, X>> takenOver = null;
      for (Body<? extends T, ? extends X> body : bodies) {
        if (body instanceof Task<? extends T, ? extends X> task) {
          if (takenOver == null) {
            takenOver = new IdentityHashMap<>();
          }
          Task<T, X> child = takenOver.get(task);
          if (child == null) {
            child = fork(scope, name, permits, children.size(), Members.takeOver(task));
            takenOver.put(task, child);
          }
          children.add(child);
        } else {
          children.add(fork(scope, name, permits, children.size(), body));
        }
      }
      scope.join();
      var values = new ArrayList<T>(children.size());
      for (Task<T, X> child : children) {
        values.add(child.result());
      }
      return Collections.unmodifiableList(values);
    }
  }

  static <T extends @Nullable Object> List<Outcome<T>> settle(
      @Nullable String name, int concurrency, List<? extends Body<? extends T, ?>> bodies)
      throws InterruptedException {
    if (bodies.isEmpty()) {
      Task.checkCancelled();
      return List.of();
    }
    try (TaskScope<Exception> scope = Members.open(Policy.SUPERVISE, name)) {
      Semaphore permits = concurrency < bodies.size() ? new Semaphore(concurrency) : null;
      var tasks = new ArrayList<Task<? extends T, ?>>(bodies.size());
      var takenOver = new IdentityHashMap<Object, Task<@Nullable Void, Exception>>();
      for (Body<? extends T, ?> body : bodies) {
        if (body instanceof Task<? extends T, ?> task) {
          if (!takenOver.containsKey(task)) {
            Body<@Nullable Void, RuntimeException> waiting = Members.waitingFor(task);
            takenOver.put(task, fork(scope, name, permits, tasks.size(), waiting));
          }
          tasks.add(task);
        } else {
          tasks.add(Together.<T, Exception>fork(scope, name, permits, tasks.size(), body));
        }
      }
      Members.join(scope);
      for (Task<@Nullable Void, Exception> waited : takenOver.values()) {
        // Not an outcome: that wait was refused.
        waited.exception().ifPresent(Suppression::<RuntimeException>sneak);
      }
      var outcomes = new ArrayList<Outcome<T>>(tasks.size());
      for (Task<? extends T, ?> task : tasks) {
        outcomes.add(Members.outcome(task));
      }
      return Collections.unmodifiableList(outcomes);
    }
  }

  private static <T extends @Nullable Object, X extends Exception> Task<T, X> fork(
      TaskScope<X> scope,
      @Nullable String name,
      @Nullable Semaphore permits,
      int index,
      Body<? extends T, ? extends X> body)
      throws InterruptedException {
    if (permits == null) {
      return Members.fork(scope, name, index, body);
    }
    Members.acquire(permits, scope);
    return Members.<T, X>fork(scope, name, index, body).onDone(_ -> permits.release());
  }
}
