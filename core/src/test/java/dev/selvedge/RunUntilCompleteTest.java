package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Runs in a loop that stays open: {@code runUntilComplete}, {@code runForever}, {@code stop}. */
@ExtendWith(Oracle.class)
class RunUntilCompleteTest {
  private static final Duration EVER = Duration.ofDays(1);

  private final Threads.Reported reported = new Threads.Reported();

  @Test
  @DisplayName("RUN-04: several mains run in one loop; what one leaves goes on in the next")
  void severalMainsRunInOneLoop() throws Exception {
    var second = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, InterruptedException> left =
          loop.runUntilComplete(() ->
              Loop.current()
                  .createTask(
                      "left",
                      () -> {
                        second.await();
                        return "from the first main";
                      }));
      assertThat(left.isDone()).isFalse();
      assertThat(left.cancelRequests()).isZero();

      String value =
          loop.runUntilComplete(() -> {
            assertThat(Loop.current()).isSameAs(loop);
            second.countDown();
            return left.await();
          });

      assertThat(value).isEqualTo("from the first main");
      assertThat(loop.getExceptionHandler()).containsSame(reported);
      assertThat(loop.isClosed()).isFalse();
    }
  }

  @Test
  @DisplayName("RUN-04: a task that is left goes on between the runs, and close ends it")
  void whatIsLeftGoesOnUntilTheClose() throws Exception {
    var turns = new AtomicInteger();
    Task<?, ?> left;
    try (Loop loop = Threads.builder().build()) {
      left =
          loop.<Task<?, ?>, RuntimeException>runUntilComplete(() ->
              loop.createTask(() -> {
                while (true) {
                  turns.incrementAndGet();
                  Thread.sleep(1);
                }
              }));

      int seen = turns.get();
      await().until(() -> turns.get() > seen + 2);
    }

    assertThat(left.isCancelled()).isTrue();
    assertThat(left.cancelReason().orElseThrow().source()).isEqualTo(CancelReason.Source.SHUTDOWN);
  }

  @Test
  @DisplayName("runUntilComplete throws main's identical failure, and the loop can run again")
  void runUntilCompleteThrowsTheIdenticalFailure() throws Exception {
    var failure = new IOException("main failed");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      assertThatThrownBy(() ->
              loop.runUntilComplete(() -> {
                throw failure;
              }))
          .isSameAs(failure);

      assertThat(loop.<String, RuntimeException>runUntilComplete(() -> "again")).isEqualTo("again");
      var ran = new CountDownLatch(1);
      loop.runUntilComplete(() -> ran.countDown());
      assertThat(ran.getCount()).isZero();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("A main that is cancelled comes out of runUntilComplete as a TaskCancelledException")
  void aCancelledMain() {
    try (Loop loop = Threads.builder().build()) {
      assertThatThrownBy(() ->
              loop.runUntilComplete(() -> {
                Task.current().orElseThrow().cancel("enough");
                Thread.sleep(EVER);
              }))
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("enough");
    }
  }

  @Test
  @DisplayName("A loop runs one main at a time, and none from its own tasks")
  void oneMainAtATime() throws Exception {
    try (Loop loop = Threads.builder().name("busy").build()) {
      assertThat(loop.isRunning()).isFalse();
      loop.runUntilComplete(() -> {
        assertThat(loop.isRunning()).isTrue();
        assertThat(loop).hasToString("Loop[busy, running]");
        assertThatThrownBy(() -> loop.runUntilComplete(() -> "never"))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("main is a task of Loop[busy, running]");
        assertThatThrownBy(loop::runForever).isInstanceOf(IllegalStateException.class);
        var foreign = new FutureTask<>(() -> loop.<Object, Exception>runUntilComplete(() -> 1));
        Thread.ofVirtual().start(foreign);
        assertThatThrownBy(foreign::get)
            .hasCauseInstanceOf(IllegalStateException.class)
            .hasMessageContaining("is running already");
      });
      assertThat(loop.isRunning()).isFalse();
    }
  }

  @Test
  @DisplayName("A main that gets no thread leaves the loop as it was")
  void aMainWithoutAThread() throws Exception {
    var refuse = new AtomicInteger(1);
    try (Loop loop =
        Loop.builder()
            .handleSignals(false)
            .threadFactory(
                body -> refuse.getAndDecrement() > 0 ? null : Thread.ofVirtual().unstarted(body))
            .build()) {
      assertThatThrownBy(() -> loop.runUntilComplete(() -> "never"))
          .isInstanceOf(RejectedExecutionException.class);

      assertThat(loop.isRunning()).isFalse();
      assertThat(loop.<String, RuntimeException>runUntilComplete(() -> "now")).isEqualTo("now");
    }
  }

  @Test
  @DisplayName("stop ends runForever; tasks that are left go on")
  void stopEndsRunForever() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      var stopper =
          loop.createTask(() -> {
            while (!loop.isRunning()) {
              Thread.sleep(1);
            }
            loop.stop();
            Thread.sleep(EVER);
          });

      loop.runForever();

      assertThat(loop.isRunning()).isFalse();
      assertThat(stopper.isDone()).isFalse();
    }
  }

  @Test
  @DisplayName("A stop before runForever ends the next one, and no other")
  void aStopBeforeRunForeverEndsTheNext() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      loop.stop();

      loop.runForever();

      var again = new FutureTask<Object>(() -> null);
      Thread runner =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  loop.runForever();
                } catch (InterruptedException e) {
                  again.run();
                }
              });
      await().until(() -> loop.isRunning() && runner.getState() == Thread.State.WAITING);
      runner.interrupt();
      runner.join();
      assertThat(again).isDone();
      assertThat(loop.isRunning()).isFalse();
    }
  }

  @Test
  @DisplayName("stop has no effect on runUntilComplete")
  void stopLeavesRunUntilCompleteAlone() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      String value =
          loop.runUntilComplete(() -> {
            loop.stop();
            Thread.sleep(1);
            return "to the end";
          });

      assertThat(value).isEqualTo("to the end");
    }
  }

  @Test
  @DisplayName("A closed loop runs nothing")
  void aClosedLoopRunsNothing() {
    Loop loop = Threads.builder().build();
    loop.close();

    assertThatThrownBy(() -> loop.runUntilComplete(() -> "never"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(loop::runForever).isInstanceOf(IllegalStateException.class);
  }
}
