package dev.selvedge.gather;

import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** {@code asCompleted}: a mapping whose inputs are bodies. */
final class Completed {
  private Completed() {}

  static <T extends @Nullable Object> Stream<Outcome<T>> stream(
      @Nullable String name,
      int concurrency,
      @Nullable Duration limit,
      List<? extends Body<? extends T, ?>> bodies) {
    List<? extends Task<? extends T, ?>> tasks =
        bodies.stream()
            .filter(Task.class::isInstance)
            .map(body -> (Task<? extends T, ?>) body)
            .toList();
    var mapping =
        new Mapping<Body<? extends T, ?>, T, Exception>(
            name, concurrency, bodies, body -> Completed.<T>takeOver(body).call());
    Stream<Outcome<T>> outcomes;
    try {
      outcomes = mapping.settledStream(limit);
    } catch (Throwable t) {
      end(tasks);
      throw t;
    }
    return tasks.isEmpty()
        ? outcomes
        : outcomes.map(outcome -> own(outcome, tasks)).onClose(() -> end(tasks));
  }

  /** The tasks that no child stands for yet, or whose child has never run. */
  private static void end(List<? extends Task<?, ?>> tasks) {
    for (Task<?, ?> task : tasks) {
      if (!task.isDone()) {
        Members.cancel(task, MappedStream.closed());
      }
    }
    Members.awaitUninterruptibly(tasks);
  }

  private static <T extends @Nullable Object> Body<? extends T, ?> takeOver(
      Body<? extends T, ?> body) {
    return body instanceof Task<? extends T, ?> task ? Members.takeOver(task) : body;
  }

  /** The child that stands for a cancelled task has failed with that cancellation. */
  private static <T extends @Nullable Object> Outcome<T> own(
      Outcome<T> outcome, List<? extends Task<? extends T, ?>> tasks) {
    if (outcome instanceof Outcome.Failure<T>(TaskCancelledException cancelled)) {
      for (Task<? extends T, ?> task : tasks) {
        if (task.isCancelled()
            && Members.outcome(task) instanceof Outcome.Cancelled<?>(var its)
            && its == cancelled) {
          return new Outcome.Cancelled<>(cancelled);
        }
      }
    }
    return outcome;
  }
}
