package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Futures of other libraries as bodies. */
@ExtendWith(Oracle.class)
class FutureBodyTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final IOException failure = new IOException("foreign");
  private final CompletableFuture<String> future = new CompletableFuture<>();

  private Loop loop() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  @Test
  @DisplayName("Body.ofFuture: the value, or the very exception, unwrapped")
  void aFuturesOutcomeIsPassedOn() throws Exception {
    var failing = new FutureTask<String>(this::fail);
    try (Loop loop = loop()) {
      Task<String, Exception> success = loop.createTask(Body.ofFuture(future));
      Task<String, Exception> failed = loop.createTask(Body.ofFuture(failing));

      assertThat(future.complete("value")).isTrue();
      failing.run();

      assertThat(success.await()).isEqualTo("value");
      assertThatThrownBy(failed::await).isSameAs(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("Body.ofStage: the value, or the very exception, also over a chain of stages")
  void aStagesOutcomeIsPassedOn() throws Exception {
    CompletionStage<Integer> stage = future.minimalCompletionStage().thenApply(String::length);
    var failing = new CompletableFuture<String>();
    try (Loop loop = loop()) {
      Task<Integer, Exception> success = loop.createTask(Body.ofStage(stage));
      Task<String, Exception> failed =
          loop.createTask(Body.ofStage(failing.thenApply(String::trim)));

      assertThat(future.complete("value")).isTrue();
      assertThat(failing.completeExceptionally(failure)).isTrue();

      assertThat(success.await()).isEqualTo(5);
      assertThatThrownBy(failed::await).isSameAs(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("Body.ofFuture: cancelling the task ends its wait and leaves the future alone")
  void cancellingTheTaskLeavesTheFutureAlone() {
    try (Loop loop = loop()) {
      Task<String, Exception> task = loop.createTask(Body.ofFuture(future));

      assertThat(task.cancel("enough")).isTrue();

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
      assertThat(future).isNotDone();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "EXC-09, NRX-09: a future that somebody cancelled is a failure of the task, and reported")
  void aCancelledFutureIsAFailure() {
    try (Loop loop = loop()) {
      Task<String, Exception> task = loop.createTask(Body.ofFuture(future));

      assertThat(future.cancel(true)).isTrue();

      await().until(task::isDone);
      assertThat(task.isCancelled()).isFalse();
    }
    assertThat(reported.exceptions())
        .singleElement()
        .isInstanceOf(CancellationException.class)
        .isNotInstanceOf(TaskCancelledException.class);
  }

  @Test
  @DisplayName(
      "promise 4: a future that failed with an InterruptedException is no cancellation of mine")
  void aFutureThatWasInterruptedIsAFailure() {
    var interrupted = new InterruptedException("somebody else");
    try (Loop loop = loop()) {
      Task<String, Exception> task = loop.createTask(Body.ofFuture(future));

      assertThat(future.completeExceptionally(interrupted)).isTrue();

      await().until(task::isDone);
      assertThat(task.isCancelled()).isFalse();
    }
    assertThat(reported.exceptions())
        .singleElement()
        .satisfies(thrown -> assertThat(rootCause(thrown)).isSameAs(interrupted));
  }

  private static Throwable rootCause(Throwable thrown) {
    return thrown.getCause() == null ? thrown : rootCause(thrown.getCause());
  }

  private String fail() throws IOException {
    throw failure;
  }
}
