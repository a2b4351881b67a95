package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A copy of a task as a CompletableFuture, and when it counts as a reader. */
@ExtendWith(Oracle.class)
class FutureCopyTest {
  private static final int TIMES = Threads.times(Threads.PLATFORM ? 300 : 2000);

  private final Threads.Reported reported = new Threads.Reported();
  private final IOException failure = new IOException("body");
  private final CountDownLatch release = new CountDownLatch(1);

  /** The ways to read a copy. */
  enum Reading {
    GET,
    TIMED_GET,
    JOIN,
    GET_NOW,
    EXCEPTION_NOW
  }

  @Test
  @DisplayName("THR-01: value, failure and cancellation are carried over")
  void everyOutcomeIsCarriedOver() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> success = loop.createTask(() -> "value");
      Task<Object, IOException> failing = loop.createTask(this::fail);
      Task<Void, RuntimeException> cancelled = loop.createTask(() -> Thread.sleep(60_000));
      var cancelledCopy = cancelled.toCompletableFuture();
      assertThat(cancelled.cancel("enough")).isTrue();
      release.countDown();

      assertThat(success.toCompletableFuture().get()).isEqualTo("value");
      assertThatThrownBy(failing.toCompletableFuture()::get)
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isSameAs(failure);
      assertThatThrownBy(cancelledCopy::get).isInstanceOf(CancellationException.class);
      assertThat(cancelledCopy.isCancelled()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("THR-01: each way to read a copy gives the value")
  void everyReadingHasTheValue() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      Task<String, RuntimeException> task = loop.createTask(() -> "value");
      task.awaitDone();
      CompletableFuture<String> copy = task.toCompletableFuture();

      assertThat(copy.get(1, TimeUnit.DAYS)).isEqualTo("value");
      assertThat(copy.join()).isEqualTo("value");
      assertThat(copy.getNow("absent")).isEqualTo("value");
      assertThat(copy.resultNow()).isEqualTo("value");
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("NRX-17: a copy that is read retrieves the failure")
  void aReadCopyRetrieves(Reading reading) {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> copy = task.toCompletableFuture();
      release.countDown();
      await().until(copy::isDone);

      Throwable unused =
          switch (reading) {
            case GET -> catchThrowable(copy::get);
            case TIMED_GET -> catchThrowable(() -> copy.get(10, TimeUnit.SECONDS));
            case JOIN -> catchThrowable(copy::join);
            case GET_NOW -> catchThrowable(() -> copy.getNow(null));
            case EXCEPTION_NOW -> copy.exceptionNow();
          };
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("NRX-17: resultNow of a copy that failed does not say why, so it is no reader")
  void resultNowDoesNotRetrieve() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> copy = task.toCompletableFuture();
      release.countDown();
      await().until(copy::isDone);

      assertThatThrownBy(copy::resultNow).isInstanceOf(IllegalStateException.class).hasNoCause();
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("NRX-17: exceptionNow and getNow that come before the end read no failure")
  void tooEarlyDoesNotRetrieve() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> copy = task.toCompletableFuture();

      assertThat(copy.getNow("absent")).isEqualTo("absent");
      assertThatThrownBy(copy::exceptionNow).isInstanceOf(IllegalStateException.class);

      release.countDown();
      await().until(copy::isDone);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @Tag("race")
  @DisplayName("NRX-17: a timed get that races with the end throws the failure, or leaves it")
  void aTimedGetThatRacesWithTheEnd() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      long limit = TimeUnit.MICROSECONDS.toNanos(20 + 7 * i % 180);
      boolean received = false;
      reported.contexts.clear();
      try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
        long start = System.nanoTime();
        Task<Object, IOException> task =
            loop.createTask(() -> {
              while (System.nanoTime() - start < TimeUnit.MICROSECONDS.toNanos(100)) {
                Thread.onSpinWait();
              }
              throw failure;
            });
        try {
          task.toCompletableFuture().get(limit, TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
          received = true;
        } catch (TimeoutException e) {
          received = false;
        }
        task.awaitDone();
      }

      assertThat(received || reported.exceptions().contains(failure)).as("round " + i).isTrue();
    }
  }

  @Test
  @Tag("race")
  @DisplayName("NRX-17: a get that is interrupted at the end throws the failure, or leaves it")
  void anInterruptedGetThatRacesWithTheEnd() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      reported.contexts.clear();
      boolean received = false;
      try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
        var go = new Gate();
        Task<Object, IOException> task =
            loop.createTask(() -> {
              go.pass();
              throw failure;
            });
        CompletableFuture<Object> copy = task.toCompletableFuture();
        var read = new FutureTask<>(() -> catchThrowable(copy::get));
        Thread reader = Thread.startVirtualThread(read);
        Gate.awaitState(reader, Thread.State.WAITING);
        Thread interrupting =
            Thread.startVirtualThread(() -> {
              go.pass();
              reader.interrupt();
            });
        go.open();
        received = read.get() instanceof ExecutionException;
        interrupting.join();
        task.awaitDone();
      }

      assertThat(received || reported.exceptions().contains(failure)).as("round " + i).isTrue();
    }
  }

  @Test
  @DisplayName("NRX-17: allOf counts as a reader also while a timed get waits for the copy")
  void allOfRetrievesBesideATimedGet() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> copy = task.toCompletableFuture();
      CompletableFuture<Void> all = CompletableFuture.allOf(copy);
      assertThatThrownBy(() -> copy.get(1, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);

      release.countDown();
      assertThatThrownBy(all::join).hasCause(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("NRX-17: something attached counts as a reader, before and after the end")
  void anAttachedStageRetrieves() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> stage =
          task.toCompletableFuture().exceptionally(thrown -> "recovered from " + thrown);
      release.countDown();
      assertThat(stage.join()).isEqualTo("recovered from " + failure);
    }
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      await().until(task::isDone);
      CompletableFuture<Object> stage =
          task.toCompletableFuture().handle((value, thrown) -> thrown.getMessage());
      assertThat(stage.join()).isEqualTo("body");
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("NRX-17: allOf over the copy before the end counts as a reader")
  void allOfRetrieves() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Void> all =
          CompletableFuture.allOf(
              task.toCompletableFuture(), CompletableFuture.completedFuture("other"));
      release.countDown();
      assertThatThrownBy(all::join).hasCause(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("NRX-17: a copy that is dropped unread leaves the failure to the handler")
  void anUnreadCopyDoesNotRetrieve() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> copy = task.toCompletableFuture();
      release.countDown();
      await().until(copy::isDone);

      assertThat(copy.isCompletedExceptionally()).isTrue();
      assertThat(copy.toString()).contains("exceptionally");
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("THR-02, NRX-17: a timed get that times out neither retrieves nor cancels")
  void aTimedGetThatTimesOutDoesNothing() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> copy = task.toCompletableFuture();

      assertThatThrownBy(() -> copy.get(1, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);

      assertThat(task.cancelRequests()).isZero();
      release.countDown();
      await().until(task::isDone);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("THR-02: completing or cancelling the copy changes nothing in the task")
  void completingTheCopyChangesNothing() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            release.await();
            return "its own";
          });
      CompletableFuture<String> completed = task.toCompletableFuture();
      CompletableFuture<String> cancelled = task.toCompletableFuture();

      assertThat(completed.complete("foreign")).isTrue();
      assertThat(cancelled.cancel(true)).isTrue();

      assertThat(task.isDone()).isFalse();
      assertThat(task.cancelRequests()).isZero();
      release.countDown();
      assertThat(task.await()).isEqualTo("its own");
      assertThat(task.toCompletableFuture().get()).isEqualTo("its own");
      assertThat(completed.join()).isEqualTo("foreign");
    }
  }

  @Test
  @DisplayName(
      "THR-05: a copy completed before the task fails is left alone, and the failure reported")
  void aFailureThatComesTooLateForItsCopyIsReported() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> copy = task.toCompletableFuture();
      assertThat(copy.complete("too early")).isTrue();
      assertThat(copy.join()).isEqualTo("too early");

      release.countDown();
      await().until(task::isDone);

      assertThat(copy.join()).isEqualTo("too early");
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("THR-05: the same if a stage was attached, which never sees the failure")
  void aFailureThatNoAttachedStageSeesIsReported() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> copy = task.toCompletableFuture();
      assertThat(copy.cancel(true)).isTrue();
      CompletableFuture<Object> stage = copy.exceptionally(thrown -> "saw " + thrown);
      assertThat(stage.join().toString()).contains("CancellationException");

      release.countDown();
      await().until(task::isDone);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("a limit on the copy ends the copy alone, and who waits for it reads no failure")
  void aLimitEndsTheCopyAlone() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      CompletableFuture<Object> late =
          task.toCompletableFuture().orTimeout(1, TimeUnit.MILLISECONDS);
      CompletableFuture<Object> given =
          task.toCompletableFuture().completeOnTimeout("instead", 1, TimeUnit.MILLISECONDS);

      assertThatThrownBy(late::join).hasCauseInstanceOf(TimeoutException.class);
      assertThat(given.join()).isEqualTo("instead");

      assertThat(task.isDone()).isFalse();
      assertThat(task.cancelRequests()).isZero();
      release.countDown();
      await().until(task::isDone);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("a copy that ends before its limit leaves no timer, and a limit set later is none")
  void aLimitThatIsNotReached() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            release.await();
            return "in time";
          });
      CompletableFuture<String> copy = task.toCompletableFuture().orTimeout(1, TimeUnit.HOURS);
      release.countDown();

      assertThat(copy.join()).isEqualTo("in time");
      assertThat(copy.orTimeout(1, TimeUnit.NANOSECONDS).join()).isEqualTo("in time");
      await().until(() -> Timers.armed() == 0);
    }
  }

  @Test
  @DisplayName("NRX-17: a minimal stage of the copy counts as a reader")
  void aMinimalStageRetrieves() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      var stage = task.toCompletableFuture().minimalCompletionStage();
      release.countDown();

      assertThatThrownBy(stage.toCompletableFuture()::join).hasCause(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  private Object fail() throws IOException, InterruptedException {
    release.await();
    throw failure;
  }

  @Test
  @DisplayName("THR-01: exceptionNow of a copy is the failure itself")
  void exceptionNow() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, IOException> task =
          loop.createTask(() -> {
            throw failure;
          });
      CompletableFuture<String> copy = task.toCompletableFuture();
      task.awaitDone();

      await().until(copy::isDone);
      assertThat(copy.exceptionNow()).isSameAs(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }
}
