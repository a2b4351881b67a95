package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What StructuredTaskScope loses when tasks are cancelled, time out, are forked late, or left open.
 */
@ExtendWith(Oracle.class)
class DroppedByTheJdkScopeTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch started = new CountDownLatch(1);

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  private Action<IOException> failWhenCancelled(IOException failure) {
    return () -> {
      started.countDown();
      try {
        Thread.sleep(60_000);
      } catch (InterruptedException e) {
        throw failure;
      }
    };
  }

  /** Lets a limit be reached, and waits until a thread has noticed. */
  private static void expireAndAwaitNotice(Timeout timeout, Thread noticing) {
    timeout.reschedule(Instant.MIN);
    while (noticing.isInterrupted()) {
      Thread.yield();
    }
  }

  @Test
  @DisplayName("L9: a child has failed, then the limit is reached: suppressed in what it throws")
  void aFailureThenATimeout() throws Exception {
    var failure = new IOException("before");
    try (Loop loop = open()) {
      Task<Object, Exception> owner =
          loop.createTask(() -> {
            Thread joining = Thread.currentThread();
            return Timeout.<Object, Exception>within(
                Duration.ofDays(1),
                timeout -> {
                  try (var scope = TaskScope.<IOException>open()) {
                    var sibling =
                        scope.fork(() -> {
                          try {
                            started.countDown();
                            Thread.sleep(60_000);
                          } finally {
                            expireAndAwaitNotice(timeout, joining);
                          }
                        });
                    started.await();
                    var failing =
                        scope.fork(() -> {
                          throw failure;
                        });
                    scope.join();
                    return List.of(sibling, failing);
                  }
                });
          });

      assertThatThrownBy(owner::await)
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(Suppressed.in(owner.exception().orElseThrow())).containsExactly(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L9: the same under a policy that leaves siblings alone")
  void aFailureThenATimeoutUnderSupervise() throws Exception {
    var failure = new IOException("before");
    try (Loop loop = open()) {
      Task<Object, Exception> owner =
          loop.createTask(() ->
              Timeout.<Object, Exception>within(
                  Duration.ofDays(1),
                  timeout -> {
                    try (var scope = TaskScope.<IOException>open(TaskScope.Policy.SUPERVISE)) {
                      var sibling = scope.fork(() -> Thread.sleep(60_000));
                      var failing =
                          scope.fork(() -> {
                            throw failure;
                          });
                      failing.onDone(task -> timeout.reschedule(Instant.MIN));
                      scope.join();
                      return List.of(sibling, failing);
                    }
                  }));

      assertThatThrownBy(owner::await).isInstanceOf(TimeoutException.class);
      assertThat(Suppressed.in(owner.exception().orElseThrow())).containsExactly(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L17: a child throws while it is timed out: suppressed in what the limit throws")
  void aFailureWhileTimingOut() throws Exception {
    var failure = new IOException("while timing out");
    try (Loop loop = open()) {
      Task<Object, Exception> owner =
          loop.createTask(() -> {
            Thread joining = Thread.currentThread();
            return Timeout.<Object, Exception>within(
                Duration.ofDays(1),
                timeout -> {
                  try (var scope = TaskScope.<IOException>open()) {
                    var child =
                        scope.fork(() -> {
                          try {
                            timeout.reschedule(Instant.MIN);
                            Thread.sleep(60_000);
                          } catch (InterruptedException e) {
                            while (joining.isInterrupted()) {
                              Thread.yield();
                            }
                            throw failure;
                          }
                        });
                    scope.join();
                    return child;
                  }
                });
          });

      assertThatThrownBy(owner::await).isInstanceOf(TimeoutException.class);
      assertThat(Suppressed.in(owner.exception().orElseThrow())).containsExactly(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L17: the body did not join, so nobody throws it: to the handler")
  void aFailureWhileTimingOutWithoutAJoin() throws Exception {
    var failure = new IOException("while timing out");
    try (Loop loop = open()) {
      Task<Object, Exception> owner =
          loop.createTask(() ->
              Timeout.<Object, Exception>within(
                  Duration.ofDays(1),
                  timeout -> {
                    try (var scope = TaskScope.<IOException>open()) {
                      var child = scope.fork(failWhenCancelled(failure));
                      started.await();
                      timeout.reschedule(Instant.MIN);
                      Thread.sleep(60_000);
                      return child;
                    }
                  }));

      assertThatThrownBy(owner::await).isInstanceOf(TimeoutException.class);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName(
      "L11: the join is interrupted, a child fails afterwards: suppressed in what join throws")
  void aFailureAfterAnInterruptedJoin() throws Exception {
    var failure = new IOException("afterwards");
    var fromJoin = new AtomicReference<InterruptedException>();
    try (Loop loop = open()) {
      Task<Void, IOException> owner =
          loop.createTask(() -> {
            try (var scope = TaskScope.<IOException>open()) {
              var unused = scope.fork(failWhenCancelled(failure));
              scope.join();
            } catch (InterruptedException e) {
              fromJoin.set(e);
              throw e;
            }
          });
      started.await();
      owner.cancel("outside");

      assertThatThrownBy(owner::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outside");
      assertThat(Suppressed.in(fromJoin.get())).containsExactly(failure);
      assertThat(owner.isCancelled()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L11: the same when the thread is no task and is interrupted")
  void aFailureAfterAnInterruptedJoinOfAThread() throws Exception {
    var failure = new IOException("afterwards");
    try (var scope = TaskScope.<IOException>open()) {
      var unused = scope.fork(failWhenCancelled(failure));
      started.await();
      Thread.currentThread().interrupt();

      assertThatThrownBy(scope::join)
          .isInstanceOf(InterruptedException.class)
          .hasSuppressedException(failure);
    }
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  @DisplayName("L12: a fork after the cancel is visibly cancelled, and its body never runs")
  void aForkAfterTheCancel() throws Exception {
    var ran = new AtomicBoolean();
    var calledBack = new AtomicBoolean();
    try (Loop loop = open()) {
      loop.<Exception>runUntilComplete(() -> {
        try (var scope = TaskScope.<Exception>open()) {
          scope.cancel("over");
          Task<Void, Exception> late = scope.fork("late", () -> ran.set(true));

          assertThat(late.isDone()).isTrue();
          assertThat(late.isCancelled()).isTrue();
          assertThat(late.cancel()).isFalse();
          assertThat(late.cancelReason()).map(CancelReason::message).contains("over");
          assertThat(late.toString()).contains("late").contains("cancelled");
          assertThatThrownBy(late::await)
              .isInstanceOf(TaskCancelledException.class)
              .hasMessageContaining("over");
          assertThat(late.onDone(task -> calledBack.set(task.isCancelled()))).isSameAs(late);
          scope.join();
        }
      });
    }
    assertThat(ran).isFalse();
    assertThat(calledBack).isTrue();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L12: a fork into a scope that is closing is visibly cancelled")
  void aForkWhileClosing() throws Exception {
    var late = new CompletableFuture<Task<String, Exception>>();
    try (Loop loop = open()) {
      loop.<Exception>runUntilComplete(() -> {
        try (var scope = TaskScope.<Exception>open()) {
          var unused =
              scope.fork(() -> {
                started.countDown();
                try {
                  Thread.sleep(60_000);
                } finally {
                  late.complete(scope.fork(() -> "late"));
                }
              });
          started.await();
        }
      });
    }

    assertThat(late.get().isCancelled()).isTrue();
    assertThat(late.get().cancelReason().orElseThrow().message()).contains("closed");
    assertThat(reported.contexts).isEmpty();
  }

  private void assertForkRejected(ThreadFactory broken) throws Exception {
    var current = new AtomicReference<ThreadFactory>(Thread.ofVirtual().factory());
    try (Loop loop =
        Loop.builder()
            .handleSignals(false)
            .exceptionHandler(reported)
            .threadFactory(task -> current.get().newThread(task))
            .build()) {
      loop.<Exception>runUntilComplete(() -> {
        try (var scope = TaskScope.<Exception>open()) {
          ThreadFactory working = current.getAndSet(broken);
          assertThatThrownBy(() -> scope.fork(() -> "phantom"))
              .isInstanceOf(RejectedExecutionException.class);
          scope.join();
          current.set(working);
          Task<String, Exception> next = scope.fork(() -> "next");
          scope.join();
          assertThat(next.result()).isEqualTo("next");
        }
      });
      assertThat(loop.allTasks()).isEmpty();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L14: the thread factory returns null: fork is rejected and nothing is counted")
  void theFactoryReturnsNull() throws Exception {
    assertForkRejected(task -> null);
  }

  @Test
  @DisplayName("L14: the thread factory throws: fork is rejected and nothing is counted")
  void theFactoryThrows() throws Exception {
    assertForkRejected(task -> {
      throw new OutOfMemoryError("no threads left");
    });
  }

  @Test
  @DisplayName("L14: the thread cannot be started: fork is rejected and nothing is counted")
  void theThreadCannotBeStarted() throws Exception {
    assertForkRejected(task ->
        new Thread(task) {
          @Override
          public void start() {
            throw new OutOfMemoryError("unable to create native thread");
          }
        });
  }

  @Test
  @DisplayName("L14: the thread factory returns a started thread: fork is rejected")
  void theFactoryReturnsAStartedThread() throws Exception {
    assertForkRejected(task -> Thread.ofVirtual().start(() -> {}));
  }

  @Test
  @DisplayName("L15: a task ends without closing its scope: closed for it, failures to the handler")
  void aForgottenScope() throws Exception {
    var failure = new IOException("forgotten");
    var forgotten = new CompletableFuture<TaskScope<IOException>>();
    try (Loop loop = open()) {
      Task<String, Exception> owner =
          loop.createTask(
              "forgetful",
              () -> {
                var scope = TaskScope.<IOException>open();
                forgotten.complete(scope);
                var unused = scope.fork(failWhenCancelled(failure));
                started.await();
                return "value";
              });

      assertThat(owner.await()).isEqualTo("value");
      assertThat(forgotten.get().isClosed()).isTrue();
      assertThat(reported.exceptions()).containsExactly(failure);
      assertThat(reported.contexts)
          .filteredOn(context -> context.exception() == null)
          .singleElement()
          .satisfies(warning -> {
            assertThat(warning.message()).contains("never closed");
            assertThat(warning.future()).isEqualTo(owner);
            assertThat(warning.details()).containsKey("scope");
          });
    }
    assertThat(reported.contexts).hasSize(2);
  }

  @Test
  @DisplayName("L15: a scope forgotten inside of another is closed with it")
  void aForgottenScopeInsideOfAnother() throws Exception {
    try (Loop loop = open()) {
      loop.<Exception>runUntilComplete(() -> {
        Task<Void, Exception> child;
        try (var outer = TaskScope.<Exception>open()) {
          var inner = TaskScope.<Exception>open();
          child = inner.fork(() -> Thread.sleep(60_000));
          outer.join();
          assertThat(child.isDone()).isFalse();
        }
        assertThat(child.isCancelled()).isTrue();
      });
    }
    assertThat(reported.exceptions()).isEmpty();
    assertThat(reported.messages()).singleElement().asString().contains("never closed");
  }

  @Test
  @DisplayName("L18: a sibling succeeds after the cancel: its value is readable on its task")
  void aSiblingSucceedsAfterTheCancel() throws Exception {
    var failure = new IOException("first");
    var gate = new Gate();
    try (Loop loop = open()) {
      loop.<Exception>runUntilComplete(() -> {
        try (var scope = TaskScope.<IOException>open()) {
          Task<String, IOException> sibling =
              scope.fork(() -> {
                started.countDown();
                gate.pass();
                return "value";
              });
          started.await();
          Task<Void, IOException> failing =
              scope.fork(() -> {
                throw failure;
              });
          failing.onDone(task -> gate.open());

          assertThatThrownBy(scope::join).isSameAs(failure);
          assertThat(sibling.cancelRequests()).isOne();
          assertThat(sibling.isCancelled()).isFalse();
          assertThat(sibling.result()).isEqualTo("value");
          assertThat(sibling.cancelReason())
              .contains(
                  new CancelReason(
                      CancelReason.Source.SIBLING_FAILURE, "java.io.IOException: first", failing));
        }
      });
    }
    assertThat(Suppressed.in(failure)).isEmpty();
    assertThat(reported.contexts).isEmpty();
  }
}
