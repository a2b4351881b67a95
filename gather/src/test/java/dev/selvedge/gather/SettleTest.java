package dev.selvedge.gather;

import static dev.selvedge.gather.Gather.settle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class SettleTest extends LoopFixture {
  private static Task<String, RuntimeException> sleeper(Loop loop) {
    return loop.createTask(() -> {
      Thread.sleep(Duration.ofDays(1));
      return "never";
    });
  }

  @Test
  @DisplayName(
      "each outcome stands at the place of its body, with the very exception [GATHER-06, L5]")
  void outcomesInOrder() throws Exception {
    var failure = new IOException("bad");
    var error = new AssertionError("worse");
    inTask(() -> {
      List<Outcome<String>> outcomes =
          settle(
              () -> "ok",
              () -> {
                throw failure;
              },
              () -> {
                throw error;
              },
              () -> "last");

      assertThat(outcomes)
          .containsExactly(
              new Outcome.Success<>("ok"),
              new Outcome.Failure<>(failure),
              new Outcome.Failure<>(error),
              new Outcome.Success<>("last"));
    });
  }

  @Test
  @DisplayName("it waits for the last, whoever failed before")
  void waitsForAll() throws Exception {
    inTask(() -> {
      var failed = new CountDownLatch(1);
      List<Outcome<String>> outcomes =
          settle(
              () -> {
                failed.await();
                return "late";
              },
              () -> {
                Task.current().orElseThrow().onDone(_ -> failed.countDown());
                throw new IOException("early");
              });

      assertThat(outcomes.getFirst()).isEqualTo(new Outcome.Success<>("late"));
    });
  }

  @Test
  @DisplayName(
      "a cancelled task stands as its own cancellation, at each of its places [GATHER-07,"
          + " GATHER-14]")
  void cancelledTasks() throws Exception {
    Task<String, RuntimeException> task = sleeper(loop);
    task.cancel("not needed");
    inTask(() -> {
      List<Outcome<String>> outcomes = settle(task, () -> "fine", task);

      assertThat(outcomes.get(0)).isInstanceOf(Outcome.Cancelled.class).isEqualTo(task.outcome());
      assertThat(outcomes.get(1)).isEqualTo(new Outcome.Success<>("fine"));
      assertThat(outcomes.get(2)).isEqualTo(outcomes.get(0));
    });
  }

  @Test
  @DisplayName("the shutdown pattern cancel, cancel, settle keeps the caller's own exit reason")
  void theShutdownPattern() throws Exception {
    var seen = new ArrayList<Outcome<String>>();
    var begun = new CountDownLatch(1);
    Task<String, RuntimeException> main =
        loop.createTask(() -> {
          Task<String, RuntimeException> a = sleeper(loop);
          Task<String, RuntimeException> b = sleeper(loop);
          try {
            begun.countDown();
            Thread.sleep(Duration.ofDays(1));
            return "never";
          } finally {
            a.cancel();
            b.cancel();
            seen.addAll(settle(a, b));
          }
        });
    begun.await();

    main.cancel("Ctrl-C");

    Throwable thrown = catchThrowable(() -> main.await());
    assertThat(((TaskCancelledException) thrown).reason().message()).isEqualTo("Ctrl-C");
    assertThat(seen).hasSize(2).allMatch(Outcome.Cancelled.class::isInstance);
  }

  @Test
  @DisplayName("cancelling the caller cancels all; what they throw is suppressed")
  void cancellingTheCaller() throws Exception {
    var early = new IOException("early");
    var cleanUp = new IOException("clean-up");
    var begun = new CountDownLatch(2);
    Body<String, IOException> body =
        () -> {
          begun.countDown();
          try {
            Thread.sleep(Duration.ofDays(1));
            return "never";
          } catch (InterruptedException cancelled) {
            throw cleanUp;
          }
        };
    Task<List<Outcome<String>>, RuntimeException> caller =
        loop.createTask(() ->
            settle(
                body,
                () -> {
                  begun.countDown();
                  throw early;
                }));
    begun.await();
    Gate.awaitBlocked(caller);

    caller.cancel();

    Throwable thrown = catchThrowable(() -> caller.await());
    assertThat(((TaskCancelledException) thrown).failures())
        .containsExactlyInAnyOrder(early, cleanUp);
  }

  @Test
  @DisplayName("actions settle too")
  void actions() throws Exception {
    inTask(() -> {
      Action<IOException> bad =
          () -> {
            throw new IOException("bad");
          };
      Action<IOException> good = () -> Thread.sleep(1);

      assertThat(settle(good, bad))
          .extracting(outcome -> outcome instanceof Outcome.Success)
          .containsExactly(true, false);
    });
  }

  @Test
  @DisplayName("a task that closes a circle is refused, it does not hang")
  void circles() throws Exception {
    inTask(() -> {
      Task<?, ?> caller = Task.current().orElseThrow();
      Task<Object, Exception> waiting = loop.createTask(() -> caller.await());

      Throwable refusal;
      try {
        // The task may be the one whose wait is refused.
        refusal = ((Outcome.Failure<?>) settle(waiting, () -> "b").getFirst()).exception();
      } catch (IllegalStateException e) {
        refusal = e;
      }

      assertThat(refusal).isInstanceOf(IllegalStateException.class).hasMessageContaining("circle");
    });
  }
}
