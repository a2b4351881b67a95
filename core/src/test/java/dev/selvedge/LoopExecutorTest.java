package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@link Loop#asExecutor}: the thread-side view of a loop. */
@ExtendWith(Oracle.class)
class LoopExecutorTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final IOException failure = new IOException("body");
  private final CountDownLatch release = new CountDownLatch(1);
  private final Callable<String> sleeping =
      () -> {
        Thread.sleep(60_000);
        return "never";
      };

  private Loop loop() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  @Test
  @DisplayName("THR-01: submit gives a future; result, error and cancellation are carried over")
  void submitCarriesEveryOutcomeOver() throws Exception {
    try (Loop loop = loop()) {
      ExecutorService executor = loop.asExecutor();
      Future<String> success = executor.submit(() -> "value");
      Future<String> failing = executor.submit(this::fail);
      Future<String> cancelled = executor.submit(sleeping);
      var ran = new AtomicReference<Loop>();
      Future<?> runnable = executor.submit(() -> ran.set(Loop.current()));
      Future<String> withResult = executor.submit(() -> {}, "given");

      assertThat(success.get()).isEqualTo("value");
      assertThat(success.get(10, TimeUnit.SECONDS)).isEqualTo("value");
      assertThat(success.isCancelled()).isFalse();
      assertThatThrownBy(failing::get)
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isSameAs(failure);
      assertThatThrownBy(() -> failing.get(10, TimeUnit.SECONDS)).hasCause(failure);
      assertThat(cancelled.cancel(true)).isTrue();
      assertThatThrownBy(cancelled::get).isInstanceOf(CancellationException.class);
      assertThat(cancelled.isCancelled()).isTrue();
      assertThat(cancelled.isDone()).isTrue();
      assertThat(cancelled.cancel(true)).isFalse();
      assertThat(runnable.get()).isNull();
      assertThat(ran).hasValue(loop);
      assertThat(withResult.get()).isEqualTo("given");
      assertThat(success.state()).isEqualTo(Future.State.SUCCESS);
      assertThat(failing.state()).isEqualTo(Future.State.FAILED);
      assertThat(cancelled.state()).isEqualTo(Future.State.CANCELLED);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("THR-02: cancelling the future cancels the task inside, which runs its finally")
  void cancellingTheFutureCancelsTheTask() throws Exception {
    var started = new CountDownLatch(1);
    var cleaned = new CountDownLatch(1);
    try (Loop loop = loop()) {
      Future<?> future =
          loop.asExecutor()
              .submit(() -> {
                try {
                  started.countDown();
                  Thread.sleep(60_000);
                } finally {
                  cleaned.countDown();
                }
                return null;
              });
      started.await();

      assertThat(future.cancel(false)).isTrue();

      assertThat(cleaned.await(10, TimeUnit.SECONDS)).isTrue();
      await().until(future::isCancelled);
    }
  }

  @Test
  @DisplayName("THR-02: a timed get that times out cancels and retrieves nothing")
  void aTimedGetThatTimesOutCancelsNothing() {
    try (Loop loop = loop()) {
      Future<String> future =
          loop.asExecutor()
              .submit(() -> {
                release.await();
                return fail();
              });

      assertThatThrownBy(() -> future.get(1, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);

      assertThat(future.isDone()).isFalse();
      assertThat(loop.allTasks())
          .singleElement()
          .satisfies(task -> assertThat(task.cancelRequests()).isZero());
      release.countDown();
      await().until(future::isDone);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName(
      "THR-05, NRX-17: what fails after its future was dropped, or its loop closed, is reported")
  void aFailureAfterTheFutureWasDroppedIsReported() throws Exception {
    var started = new CountDownLatch(1);
    try (Loop loop = loop()) {
      Future<String> dropped =
          loop.asExecutor()
              .submit(() -> {
                started.countDown();
                try {
                  Thread.sleep(60_000);
                } finally {
                  fail();
                }
                return "never";
              });
      started.await();
      assertThat(dropped.isDone()).isFalse();
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("orphan 1: execute is launch: its failure is reported at once")
  void executeReportsAtOnce() {
    var broken = new IllegalStateException("command");
    try (Loop loop = loop()) {
      loop.asExecutor()
          .execute(() -> {
            throw broken;
          });

      await().until(() -> !reported.contexts.isEmpty());

      assertThat(reported.exceptions()).containsExactly(broken);
    }
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("asExecutor: invokeAll waits for all, in order, and retrieves what is read")
  void invokeAllWaitsForAll() throws Exception {
    try (Loop loop = loop()) {
      List<Future<String>> futures =
          loop.asExecutor().invokeAll(List.of(() -> "one", this::fail, () -> "three"));

      assertThat(futures).hasSize(3).allMatch(Future::isDone);
      assertThat(futures.get(0).get()).isEqualTo("one");
      assertThatThrownBy(futures.get(1)::get).hasCause(failure);
      assertThat(futures.get(2).resultNow()).isEqualTo("three");
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("asExecutor: invokeAll with a limit cancels what is not done by then")
  void invokeAllWithALimitCancelsTheRest() throws Exception {
    try (Loop loop = loop()) {
      ExecutorService executor = loop.asExecutor();

      List<Future<String>> futures =
          executor.invokeAll(List.of(() -> "quick", sleeping), 200, TimeUnit.MILLISECONDS);

      assertThat(futures).hasSize(2);
      await().until(futures.get(1)::isCancelled);
      assertThat(futures.get(0).get()).isEqualTo("quick");
      List<Future<String>> inTime =
          executor.invokeAll(List.of(() -> "a", () -> "b"), 60, TimeUnit.SECONDS);
      assertThat(inTime).extracting(Future::resultNow).containsExactly("a", "b");
      executor.shutdown();
      assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  @DisplayName("asExecutor: an interrupted invokeAll cancels its tasks")
  void anInterruptedInvokeAllCancelsItsTasks() {
    try (Loop loop = loop()) {
      ExecutorService executor = loop.asExecutor();
      Thread.currentThread().interrupt();

      assertThatThrownBy(() -> executor.invokeAll(List.of(sleeping, sleeping)))
          .isInstanceOf(InterruptedException.class);

      await().until(() -> loop.allTasks().isEmpty());
    }
  }

  @Test
  @DisplayName("asExecutor: invokeAny returns a success, or throws when all have failed")
  void invokeAnyReturnsASuccess() throws Exception {
    try (Loop loop = loop()) {
      ExecutorService executor = loop.asExecutor();

      String first = executor.invokeAny(List.of(this::fail, () -> "success"));
      assertThat(first).isEqualTo("success");
      assertThatThrownBy(() -> executor.invokeAny(List.<Callable<String>>of(this::fail)))
          .isInstanceOf(ExecutionException.class)
          .hasRootCause(failure);
      assertThatThrownBy(() ->
              executor.invokeAny(List.<Callable<String>>of(sleeping), 1, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
    }
  }

  @Test
  @DisplayName(
      "asExecutor: after shutdown commands are rejected, running ones go on, the loop is open")
  void afterShutdownCommandsAreRejected() throws Exception {
    try (Loop loop = loop()) {
      ExecutorService executor = loop.asExecutor();
      Future<String> running =
          executor.submit(() -> {
            release.await();
            return "went on";
          });
      assertThat(executor.isShutdown()).isFalse();

      executor.shutdown();

      assertThat(executor.isShutdown()).isTrue();
      assertThat(executor.isTerminated()).isFalse();
      assertThatThrownBy(() -> executor.execute(() -> {}))
          .isInstanceOf(RejectedExecutionException.class);
      assertThatThrownBy(() -> executor.submit(sleeping))
          .isInstanceOf(RejectedExecutionException.class);
      assertThat(executor.awaitTermination(1, TimeUnit.MILLISECONDS)).isFalse();
      release.countDown();
      assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
      assertThat(executor.isTerminated()).isTrue();
      assertThat(running.get()).isEqualTo("went on");
      assertThat(loop.createTask(() -> "open").await()).isEqualTo("open");
      assertThat(loop.asExecutor().submit(() -> "another").get()).isEqualTo("another");
    }
  }

  @Test
  @DisplayName("asExecutor: who awaits the termination of an idle executor hears of its shutdown")
  void whoAwaitsTheTerminationHearsOfTheShutdown() throws Exception {
    try (Loop loop = loop()) {
      ExecutorService executor = loop.asExecutor();
      var terminated = new FutureTask<>(() -> executor.awaitTermination(1, TimeUnit.MINUTES));
      Thread waiting = Thread.startVirtualThread(terminated);
      Gate.awaitState(waiting, Thread.State.TIMED_WAITING);

      executor.shutdown();

      assertThat(terminated.get(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  @DisplayName("asExecutor: shutdownNow cancels this executor's tasks and no others")
  void shutdownNowCancelsItsOwnTasks() throws Exception {
    try (Loop loop = loop()) {
      ExecutorService executor = loop.asExecutor();
      Future<String> submitted = executor.submit(sleeping);
      Task<String, RuntimeException> other =
          loop.createTask(() -> {
            release.await();
            return "untouched";
          });

      assertThat(executor.shutdownNow()).isEmpty();

      assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
      assertThat(submitted.isCancelled()).isTrue();
      release.countDown();
      assertThat(other.await()).isEqualTo("untouched");
      assertThat(executor.shutdownNow()).isEmpty();
    }
  }

  @Test
  @DisplayName("asExecutor: closing the executor waits for its tasks; a closed loop takes none")
  void closingTheExecutorWaits() throws Exception {
    Loop loop = loop();
    ExecutorService left = loop.asExecutor();
    try (loop) {
      Future<String> future;
      try (ExecutorService executor = loop.asExecutor()) {
        future = executor.submit(() -> "waited for");
      }
      assertThat(future.isDone()).isTrue();
      assertThat(future.get()).isEqualTo("waited for");
    }

    assertThatThrownBy(() -> left.submit(sleeping)).isInstanceOf(RuntimeException.class);
    left.shutdown();
    assertThat(left.isTerminated()).isTrue();
  }

  @Test
  @DisplayName(
      "asExecutor: while its loop closes, execute rejects, and submit gives a cancelled future")
  void aClosingLoopRejectsCommands() throws Exception {
    var ran = new AtomicBoolean();
    Loop loop = loop();
    ExecutorService executor = loop.asExecutor();
    var entered = new CountDownLatch(1);
    Task<Void, InterruptedException> slow =
        loop.createTask(() ->
            Task.shielded(() -> {
              entered.countDown();
              release.await();
            }));
    entered.await();
    Thread closing = Thread.startVirtualThread(loop::close);
    await().until(slow::isCancelledWithOwner);

    assertThatThrownBy(() -> executor.execute(() -> ran.set(true)))
        .isInstanceOf(RejectedExecutionException.class)
        .hasMessageContaining("SHUTDOWN: ");
    assertThatThrownBy(() -> CompletableFuture.runAsync(() -> ran.set(true), executor))
        .isInstanceOf(RejectedExecutionException.class);
    assertThatThrownBy(() -> executor.invokeAny(List.of(sleeping)))
        .isInstanceOf(RejectedExecutionException.class);
    assertThatThrownBy(executor.submit(sleeping)::get).isInstanceOf(CancellationException.class);

    executor.shutdown();
    assertThat(executor.isTerminated()).isTrue();
    release.countDown();
    closing.join();
    assertThat(ran).isFalse();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "asExecutor: a thread that is interrupted while its command waits for a place is told so")
  void anInterruptedThreadWhoseCommandWaitsForAPlace() {
    var ran = new AtomicBoolean();
    try (Loop loop =
        Threads.builder().exceptionHandler(reported).admission(Admission.block(1)).build()) {
      ExecutorService executor = loop.asExecutor();
      executor.execute(this::awaitRelease);
      Thread.currentThread().interrupt();

      assertThatThrownBy(() -> executor.execute(() -> ran.set(true)))
          .isInstanceOf(RejectedExecutionException.class)
          .hasMessageContaining("the thread that forks was interrupted");

      assertThat(Thread.interrupted()).isTrue();
      release.countDown();
    }
    assertThat(ran).isFalse();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("asExecutor: shutdownNow returns the commands that have not started, oldest first")
  void shutdownNowReturnsWhatHasNotStarted() throws Exception {
    var ran = new AtomicInteger();
    Runnable first = ran::incrementAndGet;
    Runnable second = ran::incrementAndGet;
    try (Loop loop =
        Threads.builder().exceptionHandler(reported).admission(Admission.queue(1, 9)).build()) {
      ExecutorService executor = loop.asExecutor();
      var started = new CountDownLatch(1);
      executor.execute(() -> {
        started.countDown();
        awaitRelease();
      });
      started.await();
      executor.execute(first);
      Future<Integer> submitted = executor.submit(ran::incrementAndGet);
      executor.execute(second);

      assertThat(executor.shutdownNow()).containsExactly(first, second);

      assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
      assertThatThrownBy(submitted::get).isInstanceOf(CancellationException.class);
      assertThat(executor.shutdownNow()).isEmpty();
    }
    assertThat(ran).hasValue(0);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("asExecutor: shutdownNow returns a command whose thread still waits for a place")
  void shutdownNowReturnsWhatWaitsForAPlace() throws Exception {
    var ran = new AtomicInteger();
    Runnable waiting = ran::incrementAndGet;
    try (Loop loop =
        Threads.builder().exceptionHandler(reported).admission(Admission.block(1)).build()) {
      ExecutorService executor = loop.asExecutor();
      var started = new CountDownLatch(1);
      executor.execute(() -> {
        started.countDown();
        awaitRelease();
      });
      started.await();
      Thread executing = Thread.startVirtualThread(() -> executor.execute(waiting));
      Gate.awaitState(executing, Thread.State.WAITING);

      assertThat(executor.shutdownNow()).containsExactly(waiting);

      executing.join();
      assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(ran).hasValue(0);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("NRX-17: resultNow of a future that failed says so, and leaves the failure unread")
  void resultNowLeavesTheFailureUnread() {
    try (Loop loop = loop()) {
      Future<String> future = loop.asExecutor().submit(this::fail);
      await().until(future::isDone);

      assertThatThrownBy(future::resultNow)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("exception=java.io.IOException: body");
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  private void awaitRelease() {
    try {
      release.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String fail() throws IOException {
    throw failure;
  }
}
