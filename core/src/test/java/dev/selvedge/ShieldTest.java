package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class ShieldTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch inside = new CountDownLatch(1);
  private final CountDownLatch asked = new CountDownLatch(1);
  private final ConcurrentLinkedQueue<String> trace = new ConcurrentLinkedQueue<>();

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  /** Blocks until the cancellation was requested; an interrupt would end it. */
  private void blockInside() throws InterruptedException {
    inside.countDown();
    asked.await();
  }

  private void cancelInside(Task<?, ?> task) throws InterruptedException {
    inside.await();
    assertThat(task.cancel("outside")).isTrue();
    asked.countDown();
  }

  @Test
  @DisplayName("CAN-08: clean-up in a shield is not interrupted; the cancellation is seen after it")
  void aCancellationIsSeenAfterTheShield() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            String value =
                Task.shielded(() -> {
                  blockInside();
                  return "cleaned";
                });
            trace.add(value);
            Thread.sleep(60_000);
          });
      cancelInside(task);

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("a nested shield holds until the outer one ends")
  void aNestedShield() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            Task.shielded(() -> {
              Task.shielded(this::blockInside);
              Thread.sleep(1);
              trace.add("outer");
            });
            Thread.sleep(60_000);
          });
      cancelInside(task);

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(trace).containsExactly("outer");
  }

  @Test
  @DisplayName("a cancellation that is pending before a shield is seen after it")
  void aPendingCancellationWaits() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            Task.current().orElseThrow().cancel();
            Task.shielded(() -> {
              Thread.sleep(1);
              trace.add("cleaned");
            });
            Thread.sleep(60_000);
          });

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("a scope inside of a shield is shielded with its children")
  void aScopeInsideOfAShield() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            Task.shielded(() -> {
              try (var scope = TaskScope.<RuntimeException>open()) {
                Task<String, RuntimeException> child =
                    scope.fork(() -> {
                      blockInside();
                      return "child";
                    });
                scope.join();
                trace.add(child.result());
              }
            });
            Thread.sleep(60_000);
          });
      cancelInside(task);

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(trace).containsExactly("child");
  }

  @Test
  @DisplayName("a scope around a shield is cancelled at once, the shielded body is not")
  void aScopeAroundAShield() throws Exception {
    var childEnded = new CountDownLatch(1);
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            try (var scope = TaskScope.<RuntimeException>open()) {
              Task<Void, RuntimeException> child =
                  scope.fork(() -> {
                    try {
                      Thread.sleep(60_000);
                    } finally {
                      childEnded.countDown();
                    }
                  });
              Gate.awaitBlocked(child);
              Task.shielded(() -> {
                inside.countDown();
                childEnded.await();
                trace.add("cleaned");
              });
              scope.join();
            }
          });
      cancelInside(task);

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("a task that cancels itself inside of a shield sees it after the shield")
  void cancelInsideOfTheShield() {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            Task.shielded(() -> {
              Task.current().orElseThrow().cancel();
              Thread.sleep(1);
              trace.add("cleaned");
            });
            Thread.sleep(60_000);
          });

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("a shield that fails lets its exception out, and the cancellation stays pending")
  void aShieldThatFails() throws Exception {
    var failure = new IOException("cleanup");
    try (Loop loop = open()) {
      Task<Boolean, RuntimeException> task =
          loop.createTask(() -> {
            assertThatThrownBy(() ->
                    Task.shielded(() -> {
                      blockInside();
                      throw failure;
                    }))
                .isSameAs(failure);
            return Thread.interrupted();
          });
      cancelInside(task);

      assertThat(task.await()).isTrue();
    }
  }

  @Test
  @DisplayName("an uncancelled shield leaves no interrupt behind, also outside of tasks")
  void aShieldWithoutACancellation() {
    List<Boolean> seen = Task.shielded(() -> List.of(Thread.currentThread().isInterrupted()));

    assertThat(seen).containsExactly(false);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  @DisplayName("an interrupt that is pending outside of tasks is seen after the shield")
  void aPendingInterruptOutsideOfTasks() {
    Thread.currentThread().interrupt();

    Boolean within = Task.shielded(() -> Thread.currentThread().isInterrupted());

    assertThat(Thread.interrupted()).isTrue();
    assertThat(within).isFalse();
  }

  @Test
  @DisplayName(
      "a scope that is closed inside of a shield opened later is gone, and the shield holds")
  void aScopeIsClosedInsideOfAShield() throws Exception {
    try (Loop loop = open()) {
      Task<TaskTree, RuntimeException> task =
          loop.createTask(() -> {
            TaskScope<RuntimeException> scope = TaskScope.open();
            Task<?, ?> self = Task.current().orElseThrow();
            TaskTree inside =
                Task.shielded(() -> {
                  scope.close();
                  self.cancel("not seen in here");
                  Task.checkCancelled();
                  return loop.snapshot();
                });
            self.uncancel();
            return inside;
          });

      assertThat(task.await().nodes())
          .extracting(TaskTree.Node::kind)
          .containsExactly(TaskTree.Kind.LOOP, TaskTree.Kind.TASK);
    }
  }

  @Test
  @DisplayName("a CancelScope inside of a shield is cancelled; one around it waits for the shield")
  void cancelScopesAndShields() throws Exception {
    var within = CancelScope.create();
    var around = CancelScope.create();

    assertThatThrownBy(() ->
            around.run(() -> {
              Task.shielded(() -> {
                around.cancel("around");
                Thread.sleep(1);
                assertThatThrownBy(() ->
                        within.run(() -> {
                          within.cancel("within");
                          Thread.sleep(60_000);
                        }))
                    .isInstanceOf(TaskCancelledException.class)
                    .hasMessageContaining("within");
                trace.add("cleaned");
              });
              Thread.sleep(60_000);
            }))
        .isInstanceOf(TaskCancelledException.class)
        .hasMessageContaining("around");

    assertThat(trace).containsExactly("cleaned");
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }
}
