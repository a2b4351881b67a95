package dev.selvedge.gather;

import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope.Policy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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
    var children = new Children<X>("gather", Policy.CANCEL_ON_FAILURE, name, concurrency, bodies);
    try (children) {
      var tasks = new ArrayList<Task<T, X>>(bodies.size());
      for (Body<? extends T, ? extends X> body : bodies) {
        tasks.add(
            body instanceof Task<? extends T, ? extends X> task
                ? standIn(children, task)
                : children.fork(body));
      }
      children.scope().join();
      var values = new ArrayList<T>(tasks.size());
      for (Task<T, X> task : tasks) {
        values.add(task.result());
      }
      return Collections.unmodifiableList(values);
    } catch (Throwable thrown) {
      throw children.end(thrown);
    }
  }

  @SuppressWarnings("unchecked") // forked for this very task
  private static <T extends @Nullable Object, X extends Exception> Task<T, X> standIn(
      Children<X> children, Task<? extends T, ? extends X> task) {
    Task<?, X> before = children.childFor(task);
    return before != null
        ? (Task<T, X>) before
        : children.forkFor(task, Members.<T, X>takeOver(task), null);
  }

  static <T extends @Nullable Object> List<Outcome<T>> settle(
      @Nullable String name, int concurrency, List<? extends Body<? extends T, ?>> bodies)
      throws InterruptedException {
    if (bodies.isEmpty()) {
      Task.checkCancelled();
      return List.of();
    }
    var children = new Children<Exception>("settle", Policy.SUPERVISE, name, concurrency, bodies);
    try (children) {
      var waits = new ArrayList<Task<?, ?>>();
      var tasks = new ArrayList<Task<? extends T, ?>>(bodies.size());
      for (Body<? extends T, ?> body : bodies) {
        if (body instanceof Task<? extends T, ?> task) {
          if (children.childFor(task) == null) {
            waits.add(children.forkFor(task, Members.waitingFor(task), null));
          }
          tasks.add(task);
        } else {
          tasks.add(children.<T>fork(body));
        }
      }
      Members.join(children.scope());
      for (Task<?, ?> wait : waits) {
        // Not an outcome: that wait was refused.
        wait.exception().ifPresent(Suppression::<RuntimeException>sneak);
      }
      var outcomes = new ArrayList<Outcome<T>>(tasks.size());
      for (Task<? extends T, ?> task : tasks) {
        outcomes.add(Members.outcome(task));
      }
      return Collections.unmodifiableList(outcomes);
    } catch (Throwable thrown) {
      throw children.end(thrown);
    }
  }
}
