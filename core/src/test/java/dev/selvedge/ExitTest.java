package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What loops are told when the process ends; {@link ProcessExitTest} ends processes. */
@Tag("virtual-only")
@ExtendWith(Oracle.class)
class ExitTest {
  private static final Duration EVER = Duration.ofDays(1);

  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch started = new CountDownLatch(1);
  private final AtomicBoolean cleaned = new AtomicBoolean();
  private final Gate gate = new Gate();
  private final Loop loop = open(EVER);

  private Loop open(Duration shutdownTimeout) {
    return Threads.builder().exceptionHandler(reported).shutdownTimeout(shutdownTimeout).build();
  }

  @AfterEach
  void close() {
    gate.open();
    loop.close();
  }

  private Void sleepAndCleanUp() throws InterruptedException {
    started.countDown();
    try {
      Thread.sleep(EVER);
      return null;
    } finally {
      cleaned.set(true);
    }
  }

  @Test
  @DisplayName("the main of a run is cancelled, and its finally has run")
  void aRun() throws Exception {
    var run =
        new FutureTask<>(
            () -> loop.<Void, InterruptedException>runUntilComplete(this::sleepAndCleanUp));
    Thread.ofVirtual().start(run);
    started.await();

    Exit.end(List.of(loop));

    assertThat(cleaned).isTrue();
    assertThatThrownBy(run::get)
        .cause()
        .isInstanceOfSatisfying(
            TaskCancelledException.class,
            cancelled ->
                assertThat(cancelled.reason().source()).isEqualTo(CancelReason.Source.SHUTDOWN));
  }

  @Test
  @DisplayName("without a run the tasks are cancelled, and their finally has run")
  void tasksWithoutARun() throws Exception {
    Task<Void, RuntimeException> task = loop.createTask(() -> sleepAndCleanUp());
    started.await();

    Exit.end(List.of(loop));

    assertThat(cleaned).isTrue();
    assertThat(task.isCancelled()).isTrue();
    assertThat(task.cancelReason())
        .map(CancelReason::source)
        .contains(CancelReason.Source.SHUTDOWN);
  }

  @Test
  @DisplayName(
      "what ignores its cancellation is waited for until the shutdownTimeout and no longer")
  void atMostTheShutdownTimeout() throws Exception {
    Duration limit = Duration.ofMillis(50);
    try (Loop patient = open(limit)) {
      Task<Void, RuntimeException> task =
          patient.createTask(() -> {
            started.countDown();
            gate.pass();
          });
      started.await();

      long start = System.nanoTime();
      Exit.end(List.of(patient));

      assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(limit);
      assertThat(task.isDone()).isFalse();
      gate.open();
    }
  }

  @Test
  @DisplayName("a scope that no task has opened is cancelled, too")
  void aScopeOfAPlainThread() throws Exception {
    var joining =
        new FutureTask<>(() ->
            loop.asCurrent(() -> {
              try (TaskScope<InterruptedException> scope = TaskScope.open()) {
                scope.fork(this::sleepAndCleanUp);
                scope.join();
              }
              return cleaned.get();
            }));
    Thread.ofVirtual().start(joining);
    started.await();

    Exit.end(List.of(loop));

    assertThat(cleaned).isTrue();
    assertThat(joining.get()).isTrue();
  }

  @Test
  @DisplayName("what nobody has read is reported before it returns")
  void whatNobodyHasRead() throws Exception {
    var failure = new IOException("unread");
    Task<Void, IOException> task =
        loop.createTask(() -> {
          throw failure;
        });
    task.awaitDone();

    Exit.end(List.of(loop));

    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("a handler that blocks gets what is left of the time and no more")
  void aHandlerThatBlocks() throws Exception {
    var handled = new CountDownLatch(1);
    Loop blocking =
        Threads.builder()
            .shutdownTimeout(Duration.ofMillis(50))
            .exceptionHandler((_, _) -> {
              handled.countDown();
              gate.pass();
            })
            .build();
    Task<Void, IOException> task =
        blocking.createTask(() -> {
          throw new IOException("unread");
        });
    task.awaitDone();

    Exit.end(List.of(blocking));

    handled.await();
    gate.open();
    blocking.close();
  }
}
