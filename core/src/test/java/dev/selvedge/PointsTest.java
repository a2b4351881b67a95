package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** That the points at which sweeps interfere are still there, where they matter. */
@Tag("virtual-only") // a scope with threads of a factory is not closed by the short way
@ExtendWith(Oracle.class)
class PointsTest {
  private static final Duration EVER = Duration.ofDays(1);

  private final List<String> reached = new CopyOnWriteArrayList<>();
  private final Threads.Reported reported = new Threads.Reported();
  private final Loop loop = Threads.builder().exceptionHandler(reported).build();
  private final Gate gate = new Gate();
  private final CountDownLatch started = new CountDownLatch(1);

  @AfterEach
  void close() {
    Points.hook = null;
    gate.open();
    loop.close();
  }

  private List<String> points(Action<Exception> action) throws Exception {
    Points.hook = reached::add;
    action.run();
    loop.close();
    return reached;
  }

  private Void fail() throws IOException {
    throw new IOException("failed");
  }

  private void sleep() throws InterruptedException {
    started.countDown();
    Thread.sleep(EVER);
  }

  @Test
  @DisplayName("of a task from its fork to its end, and of its loop")
  void ofATask() throws Exception {
    assertThat(points(() -> loop.createTask(() -> "value").awaitDone()))
        .containsSubsequence("counted", "listed")
        .containsSubsequence(
            "counted", "start", "settle", "done", "wake", "end", "count-down", "report", "close");
  }

  @Test
  @DisplayName("of a wait, a callback, and of reading a failure or not")
  void ofAFailure() throws Exception {
    assertThat(
            points(() -> {
              Task<Void, IOException> task =
                  loop.createTask(() -> {
                    gate.pass();
                    return fail();
                  });
              Thread opener =
                  Thread.ofVirtual()
                      .start(() -> {
                        await().until(() -> reached.contains("park"));
                        gate.open();
                      });
              catchThrowable(task::await);
              opener.join();
              task.onDone(_ -> {});
              task.ignoreFailure();
            }))
        .containsSubsequence("wait", "park", "settle", "retrieve")
        .containsSubsequence("retrieve", "claim", "callback", "ignore", "claim");
  }

  @Test
  @DisplayName("of a failure that is reported")
  void ofAReport() throws Exception {
    assertThat(points(() -> loop.createTask(this::fail).awaitDone()))
        .containsSubsequence("settle", "report", "claim", "claimed", "close");
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("of a request and its interrupt, and of a task that ends cancelled")
  void ofACancellation() throws Exception {
    assertThat(
            points(() -> {
              Task<Void, RuntimeException> task = loop.createTask(this::sleep);
              started.await();
              task.cancel();
              task.awaitDone();
            }))
        .containsSubsequence("start", "request", "requested", "interrupt", "send")
        .containsSubsequence("requested", "settle", "done");
  }

  @Test
  @DisplayName("of a scope that is cancelled by a failure, joined and closed")
  void ofAScope() throws Exception {
    assertThat(
            points(() -> {
              Task<Throwable, RuntimeException> owner =
                  loop.createTask(() ->
                      catchThrowable(() -> {
                        try (TaskScope<Exception> scope = TaskScope.open()) {
                          scope.fork(this::sleep);
                          started.await();
                          scope.fork(this::fail);
                          scope.join();
                        }
                      }));
              assertThat(owner.await()).isInstanceOf(IOException.class);
            }))
        .containsSubsequence("counted", "listed", "listed", "listed")
        .containsSubsequence("failed", "cancelled", "request", "asked", "interrupt", "send")
        .contains("join");
  }

  @Test
  @DisplayName("of a scope that is closed with nothing to wait for, and with a child left")
  void ofTheCloseOfAScope() throws Exception {
    loop.runUntilComplete(() -> {
      Points.hook = reached::add;
      try (TaskScope<Exception> scope = TaskScope.open()) {
        scope.join();
      }
      assertThat(reached).containsExactly("idle", "closing");

      reached.clear();
      try (TaskScope<Exception> scope = TaskScope.open()) {
        scope.fork(this::sleep);
        started.await();
      }
      assertThat(reached).containsSubsequence("listed", "close", "cancelled", "join", "report");
    });
  }

  @Test
  @DisplayName("of a cancel scope, a limit and a shield")
  void ofWhatIsInside() throws Exception {
    assertThat(
            points(() ->
                loop.createTask(
                        () -> {
                          // Moved by the body, which has begun then.
                          catchThrowable(() ->
                              Timeout.within(
                                  EVER,
                                  timeout -> {
                                    timeout.reschedule(Instant.EPOCH);
                                    Thread.sleep(EVER);
                                    return null;
                                  }));
                          Task.shielded(() -> {});
                        })
                    .await()))
        .containsSubsequence("expire", "cut in", "leave")
        .contains("disarm", "leave shield");
  }
}
