package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Who may close a loop, how often, and what a loop that closes refuses. */
@ExtendWith(Oracle.class)
class LoopCloseTest {
  private static final Duration EVER = Duration.ofDays(1);

  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch cleaning = new CountDownLatch(1);
  private final CountDownLatch go = new CountDownLatch(1);
  private final AtomicBoolean cleaned = new AtomicBoolean();

  @Test
  @DisplayName("Closing a closed loop does nothing")
  void closeIsIdempotent() {
    Loop loop = Threads.builder().build();
    assertThat(loop.isClosed()).isFalse();

    loop.close();
    loop.close();

    assertThat(loop.isClosed()).isTrue();
    assertThat(loop).hasToString("Loop[loop, closed]");
  }

  @Test
  @DisplayName(
      "A loop that is shut down starts no tasks; those that it has go on, and fork in scopes")
  void shutdownRefusesNewTasks() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      assertThat(loop.isShutdown()).isFalse();
      Task<String, InterruptedException> running =
          loop.createTask(() -> {
            go.await();
            try (TaskScope<InterruptedException> scope = TaskScope.open()) {
              Task<String, InterruptedException> child = scope.fork(() -> "still here");
              scope.join();
              return child.result();
            }
          });

      loop.shutdown();
      loop.shutdown();

      assertThat(loop.isShutdown()).isTrue();
      for (Runnable start :
          List.<Runnable>of(
              () -> loop.createTask(() -> "late"),
              () -> loop.createTask("late", () -> "late"),
              () -> loop.launch(() -> {}),
              () -> loop.asExecutor().execute(() -> {}),
              () -> loop.asExecutor().submit(() -> "late"))) {
        assertThatThrownBy(start::run)
            .isInstanceOf(RejectedExecutionException.class)
            .hasMessageContaining("is shut down");
      }
      assertThat(loop.allTasks()).containsExactly(running);
      go.countDown();
      assertThat(running.await()).isEqualTo("still here");
    }
  }

  @Test
  @DisplayName("Every one of several concurrent closes returns only when the last task has ended")
  void concurrentClosesAllWait() throws Exception {
    Loop loop = Threads.builder().build();
    slowToEnd(loop);
    Callable<Boolean> close =
        () -> {
          loop.close();
          return cleaned.get();
        };

    var first = new FutureTask<>(close);
    Thread.ofPlatform().start(first);
    cleaning.await();
    var second = new FutureTask<>(close);
    Thread waiting = Thread.ofPlatform().start(second);
    Gate.awaitState(waiting, Thread.State.WAITING);
    waiting.interrupt();
    assertThat(waiting.join(Duration.ofMillis(20))).isFalse();
    assertThat(first.isDone()).isFalse();
    go.countDown();

    assertThat(first.get()).isTrue();
    assertThat(second.get()).isTrue();
    assertThat(loop.isClosed()).isTrue();
  }

  @Test
  @DisplayName("A close that is interrupted waits all the same, and sets the flag")
  void anInterruptedCloseWaits() throws Exception {
    Loop loop = Threads.builder().build();
    slowToEnd(loop);
    var flag = new AtomicBoolean();
    Thread closer =
        Thread.ofPlatform()
            .start(() -> {
              loop.close();
              flag.set(cleaned.get() && Thread.currentThread().isInterrupted());
            });
    cleaning.await();

    closer.interrupt();
    assertThat(closer.join(Duration.ofMillis(20))).isFalse();
    go.countDown();
    closer.join();

    assertThat(flag).isTrue();
  }

  @Test
  @DisplayName(
      "A task that closes its own loop gets an IllegalStateException, and the loop stays open")
  void anOwnTaskMayNotClose() throws Exception {
    try (Loop loop = Threads.builder().name("own").build()) {
      var closer = loop.createTask("closer", loop::close);

      assertThatThrownBy(closer::await)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("close would wait for its caller")
          .hasMessageContaining("closer is a task of Loop[own]");
      assertThat(loop.isClosed()).isFalse();
      assertThat(loop.createTask(() -> 1).await()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("So does a task in a scope below, and in the scope of another thread's run")
  void aTaskOfAScopeMayNotCloseTheLoop() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      loop.runUntilComplete(() -> {
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          var closer = scope.fork(loop::close);
          assertThatThrownBy(closer::await).isInstanceOf(IllegalStateException.class);
          assertThatThrownBy(scope::join).isInstanceOf(IllegalStateException.class);
        }
      });
    }
  }

  @Test
  @DisplayName("A loop that is running cannot be closed by another thread")
  void aRunningLoopCannotBeClosed() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      var refused = new AtomicBoolean();
      loop.runUntilComplete(() -> {
        Thread other =
            Thread.ofPlatform()
                .start(() -> {
                  assertThatThrownBy(loop::close)
                      .isInstanceOf(IllegalStateException.class)
                      .hasMessageContaining("is running");
                  refused.set(true);
                });
        other.join();
      });

      assertThat(refused).isTrue();
      assertThat(loop.isClosed()).isFalse();
    }
  }

  @Test
  @DisplayName("The default loop refuses close")
  void theDefaultLoopRefusesClose() {
    Loop loop = Loop.current();

    assertThatThrownBy(loop::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("default loop");

    assertThat(loop.isClosed()).isFalse();
    assertThat(Loop.current()).isSameAs(loop);
    assertThat(loop).hasToString("Loop[default]");
  }

  @Test
  @DisplayName("A closed loop starts nothing: IllegalStateException")
  void aClosedLoopStartsNothing() {
    Loop loop = Threads.builder().name("gone").build();
    loop.close();
    Body<String, RuntimeException> body = () -> "never";
    Action<RuntimeException> action = () -> {};

    List<Runnable> starts =
        List.of(
            () -> loop.createTask(body),
            () -> loop.createTask(action),
            () -> loop.createTask("named", body),
            () -> loop.createTask("named", action),
            () -> loop.launch(action),
            () -> loop.launch("named", action));

    assertThat(starts)
        .allSatisfy(start ->
            assertThatThrownBy(start::run)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Loop[gone, closed]"));
  }

  @Test
  @DisplayName("SHUT-06: what is created during the shutdown is visibly cancelled and never runs")
  void aClosingLoopGivesCancelledTasks() throws Exception {
    var ran = new AtomicBoolean();
    Task<Task<?, ?>, RuntimeException> late;
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      var begun = new CountDownLatch(1);
      late =
          loop.createTask(() -> {
            begun.countDown();
            try {
              Thread.sleep(EVER);
            } catch (InterruptedException e) {
              return loop.createTask("late", () -> ran.set(true));
            }
            return null;
          });
      begun.await();
    }

    Task<?, ?> created = late.result();
    assertThat(created.isCancelled()).isTrue();
    assertThatThrownBy(created::await)
        .isInstanceOfSatisfying(
            TaskCancelledException.class,
            e -> assertThat(e.reason().source()).isEqualTo(CancelReason.Source.SHUTDOWN));
    assertThat(ran).isFalse();
    assertThat(reported.contexts).isEmpty();
  }

  /** A task that needs {@code go} to come to its end. */
  private void slowToEnd(Loop loop) throws InterruptedException {
    var begun = new CountDownLatch(1);
    loop.launch(() -> {
      begun.countDown();
      try {
        Thread.sleep(EVER);
      } finally {
        cleaning.countDown();
        go.await();
        cleaned.set(true);
      }
    });
    begun.await();
  }

  @Test
  @DisplayName("close waits for the threads of a factory, which may go on after their task")
  void closeWaitsForTheThreadsOfAFactory() throws Exception {
    Thread closer = Thread.currentThread();
    Loop loop =
        Loop.builder()
            .handleSignals(false)
            .exceptionHandler(reported)
            .threadFactory(task ->
                Thread.ofVirtual()
                    .unstarted(() -> {
                      task.run();
                      // What the closer waits for in this state is a thread, not a task.
                      Gate.awaitState(closer, Thread.State.WAITING);
                      cleaned.set(true);
                    }))
            .build();
    loop.createTask(() -> "value");

    loop.close();

    assertThat(cleaned).isTrue();
  }

  @Test
  @DisplayName("who is interrupted while somebody else closes the loop still waits, flag set")
  void interruptedWhileSomebodyElseCloses() throws Exception {
    Loop loop = Threads.builder().exceptionHandler(reported).build();
    var gate = new Gate();
    Gate.awaitBlocked(loop.createTask(gate::pass));
    Thread first = Thread.ofVirtual().start(loop::close);
    Gate.awaitState(first, Thread.State.WAITING, Thread.State.TIMED_WAITING);
    var flag = new AtomicBoolean();
    Thread second =
        Thread.ofVirtual()
            .start(() -> {
              loop.close();
              flag.set(Thread.currentThread().isInterrupted());
            });
    Gate.awaitState(second, Thread.State.WAITING);

    second.interrupt();
    gate.open();
    first.join();
    second.join();

    assertThat(flag).isTrue();
  }

  @Test
  @DisplayName(
      "A loop that is closing refuses what is launched: nobody holds a handle that says so")
  void aClosingLoopRefusesWhatIsLaunched() throws Exception {
    var refused = new ArrayList<Throwable>();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.launch(() -> {
        try {
          cleaning.countDown();
          Thread.sleep(EVER);
        } finally {
          refused.add(catchThrowable(() -> loop.launch("late", () -> cleaned.set(true))));
          refused.add(catchThrowable(() -> loop.asExecutor().execute(() -> cleaned.set(true))));
        }
      });
      cleaning.await();
    }
    assertThat(refused)
        .hasSize(2)
        .allSatisfy(each ->
            assertThat(each)
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("does not start: SHUTDOWN: loop is closing"));
    assertThat(cleaned).isFalse();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("Closing cancels the scopes that a callback has open, whose task is done")
  void closeCancelsTheScopesOfACallback() throws Exception {
    var ended = new AtomicReference<Throwable>();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.createTask(
              () -> {
                go.await();
                return "value";
              })
          .onDone(task -> {
            try (TaskScope<InterruptedException> scope = TaskScope.open()) {
              scope.fork(() -> {
                cleaning.countDown();
                Thread.sleep(EVER);
              });
              scope.join();
              cleaned.set(true);
            } catch (InterruptedException e) {
              ended.set(e);
            }
          });
      go.countDown();
      cleaning.await();
    }
    assertThat(cleaned).isTrue();
    assertThat(ended).hasNullValue();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("The default loop can neither be closed nor shut down")
  void theDefaultLoopStays() {
    Loop loop = Loop.current();

    assertThatIllegalStateException()
        .isThrownBy(loop::shutdown)
        .withMessage(
            "the default loop lives as long as the process: create a loop to shut down one");
    assertThatIllegalStateException().isThrownBy(loop::close).withMessageEndingWith("close one");
    assertThat(loop.isShutdown()).isFalse();
  }

  @Test
  @DisplayName("A listener that closes the loop which is closing, in that thread, is refused")
  void aListenerThatCloses() throws Exception {
    var loops = new AtomicReference<Loop>();
    LoopListener closing =
        new LoopListener() {
          @Override
          public void cancelled(Task<?, ?> task, CancelReason reason) {
            loops.get().close();
          }
        };
    try (Loop loop = Threads.builder().exceptionHandler(reported).listener(closing).build()) {
      loops.set(loop);
      loop.createTask(() -> {
        cleaning.countDown();
        Thread.sleep(EVER);
      });
      cleaning.await();
    }
    assertThat(reported.exceptions())
        .singleElement(InstanceOfAssertFactories.THROWABLE)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("which is closing Loop[loop");
  }
}
