package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Gate;
import dev.selvedge.Outcome;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Existing tasks, with children that wait for them and with children that never begin: with a
 * concurrency of one it is not their turn before everything has been decided.
 */
class TakenOverTest extends LoopFixture {
  TakenOverTest() {
    super(Kit.builder().expectAnything().build());
  }

  private static final GatherOptions<RuntimeException> ONE = Gather.options().concurrency(1);

  private final IOException cleanUp = new IOException("clean-up");
  private final CountDownLatch begun = new CountDownLatch(1);
  private Task<String, IOException> task;

  @BeforeEach
  void start() {
    task =
        loop.createTask(() -> {
          begun.countDown();
          try {
            Thread.sleep(Duration.ofDays(1));
            return "never";
          } catch (InterruptedException cancelled) {
            throw cleanUp;
          }
        });
  }

  private void inTaskOnceBegun(Action<Exception> body) throws Exception {
    begun.await();
    inTask(body);
  }

  private void assertCancelled(CancelReason.Source source) {
    assertThat(task.isDone()).isTrue();
    assertThat(task.cancelReason().orElseThrow().source()).isEqualTo(source);
  }

  @Test
  @DisplayName("gather: a sibling's failure cancels the task and waits for it")
  void gather() throws Exception {
    var failure = new IOException("sibling");
    inTaskOnceBegun(() -> {
      Body<String, IOException> failing =
          () -> {
            throw failure;
          };
      Throwable thrown = catchThrowable(() -> ONE.gather(failing, task, task));

      assertThat(thrown).isSameAs(failure);
      assertThat(Suppressed.in(thrown)).containsExactly(cleanUp);
      assertCancelled(CancelReason.Source.SIBLING_FAILURE);
    });
    assertThat(reported.contexts()).isEmpty();
  }

  /** Cancels a verb whose first body has the only permit. */
  private void cancelCallerOf(
      Function<Body<String, RuntimeException>, Body<Object, Exception>> verb) throws Exception {
    begun.await();
    Body<String, RuntimeException> first =
        () -> {
          Thread.sleep(Duration.ofDays(1));
          return "never";
        };
    Task<Object, Exception> caller = loop.createTask(verb.apply(first));
    Gate.awaitBlocked(caller);

    caller.cancel("enough");

    Throwable thrown = catchThrowable(caller::await);
    assertThat(thrown).isInstanceOf(TaskCancelledException.class);
    assertThat(((TaskCancelledException) thrown).failures()).containsExactly(cleanUp);
    assertThat(task.isDone()).isTrue();
    assertThat(task.cancelReason().orElseThrow().message()).isEqualTo("enough");
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName(
      "settle: what a task throws that a child waits for is not lost with the caller [L11]")
  void settleIsCancelledWhileItWaits() throws Exception {
    cancelCallerOf(_ -> () -> Gather.settle(task));
  }

  @Test
  @DisplayName("any: what a task throws that a child waits for is not lost with the caller [L11]")
  void anyIsCancelledWhileItWaits() throws Exception {
    cancelCallerOf(_ -> () -> Gather.any(task));
  }

  @Test
  @DisplayName("a task that is cancelled together with the caller is cancelled once")
  void cancelledTogether() throws Exception {
    inTaskOnceBegun(() -> {
      var started = new CountDownLatch(1);
      Task<String, RuntimeException> shared;
      try (TaskScope<RuntimeException> scope = TaskScope.open()) {
        shared =
            scope.fork(() -> {
              started.countDown();
              try {
                Thread.sleep(Duration.ofDays(1));
                return "never";
              } finally {
                Thread.sleep(20); // long enough for a second request
              }
            });
        Task<List<Outcome<String>>, RuntimeException> caller =
            scope.fork(() -> Gather.settle(shared));
        started.await();
        Gate.awaitBlocked(caller);
        scope.cancel("enough");
      }
      assertThat(shared.isCancelled()).isTrue();
      assertThat(shared.cancelRequests()).isEqualTo(1);
    });
    task.cancel();
    assertThat(catchThrowable(task::await)).isSameAs(cleanUp);
  }

  @Test
  @DisplayName("gather: cancelling the caller cancels the task and waits for it")
  void gatherIsCancelled() throws Exception {
    cancelCallerOf(first -> () -> ONE.gather(first, task));
  }

  @Test
  @DisplayName("settle: cancelling the caller cancels the task and waits for it")
  void settleIsCancelled() throws Exception {
    cancelCallerOf(first -> () -> ONE.settle(first, task));
  }

  @Test
  @DisplayName("any: cancelling the caller cancels the task and waits for it")
  void anyIsCancelled() throws Exception {
    cancelCallerOf(first -> () -> ONE.any(first, task));
  }

  @Test
  @DisplayName(
      "any and winner: a task that is not needed is cancelled, what it throws is tolerated")
  void notNeeded() throws Exception {
    inTaskOnceBegun(() -> {
      Winner<String> winner = ONE.winner(() -> "won", task);

      assertThat(winner.value()).isEqualTo("won");
      assertThat(winner.tolerated()).containsExactly(cleanUp);
      assertCancelled(CancelReason.Source.NOT_NEEDED);
    });
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("asCompleted: a task whose turn has not come is cancelled by an early close")
  void asCompleted() throws Exception {
    inTaskOnceBegun(() -> {
      try (Stream<Outcome<String>> outcomes = ONE.asCompleted(() -> "first", task)) {
        assertThat(outcomes.findFirst()).contains(new Outcome.Success<>("first"));
      }
      assertCancelled(CancelReason.Source.NOT_NEEDED);
    });
    loop.close();
    assertThat(reported.contexts())
        .extracting(ExceptionContext::exception)
        .containsExactly(cleanUp);
  }
}
