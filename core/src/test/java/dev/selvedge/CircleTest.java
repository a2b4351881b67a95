package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class CircleTest {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private final Threads.Reported reported = new Threads.Reported();

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  /** Tasks t0 awaits t1 awaits ... awaits t0. */
  private static List<Task<String, Exception>> ring(Loop loop, int size) {
    var tasks = new ArrayList<Task<String, Exception>>();
    var ready = new CompletableFuture<Void>();
    for (int i = 0; i < size; i++) {
      int next = (i + 1) % size;
      tasks.add(
          loop.<String, Exception>createTask(
              "ring-" + i,
              () -> {
                try {
                  ready.get();
                } catch (ExecutionException e) {
                  throw new AssertionError(e);
                }
                return tasks.get(next).await();
              }));
    }
    ready.complete(null);
    return tasks;
  }

  private static void assertRefused(List<Task<String, Exception>> ring) {
    await().atMost(LIMIT).until(() -> ring.stream().allMatch(Task::isDone));
    for (Task<String, Exception> task : ring) {
      assertThatThrownBy(task::result)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("circle")
          .hasMessageContaining("ring-0")
          .hasMessageContaining("ring-" + (ring.size() - 1));
    }
  }

  @Test
  @DisplayName("EXC-16: a task that awaits itself fails at once and is named")
  void aTaskThatAwaitsItself() {
    var self = new CompletableFuture<Task<String, Exception>>();
    try (Loop loop = open()) {
      self.complete(loop.<String, Exception>createTask("narcissus", () -> self.get().await()));

      assertThatThrownBy(() -> self.get().await(LIMIT))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("narcissus");
    }
  }

  @Test
  @DisplayName("EXC-16: of two tasks that await each other one is refused, and the circle is named")
  void twoTasks() {
    try (Loop loop = open()) {
      assertRefused(ring(loop, 2));
    }
  }

  @Test
  @DisplayName("EXC-16: a circle of three is refused")
  void threeTasks() {
    try (Loop loop = open()) {
      assertRefused(ring(loop, 3));
    }
  }

  @Test
  @Tag("slow")
  @DisplayName("EXC-16: a circle of two thousand is refused, without recursion")
  void twoThousandTasks() {
    try (Loop loop = open()) {
      assertRefused(ring(loop, Threads.PLATFORM ? 50 : 2000));
    }
  }

  @Test
  @DisplayName("EXC-16: a circle through a join is found within a second")
  void aCircleThroughAJoin() throws Exception {
    var owner = new CompletableFuture<Task<Void, Exception>>();
    try (Loop loop = open()) {
      long start = System.nanoTime();
      owner.complete(
          loop.<Exception>createTask(
              "owner",
              () -> {
                try (var scope = TaskScope.<Exception>open()) {
                  var unused = scope.fork("child", () -> owner.get().await());
                  scope.join();
                }
              }));

      assertThatThrownBy(() -> owner.get().await(LIMIT))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("owner")
          .hasMessageContaining("child");
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
    }
  }

  @Test
  @DisplayName("EXC-16: a circle through the joins of nested scopes is found within a second")
  void aCircleThroughNestedJoins() throws Exception {
    var owner = new CompletableFuture<Task<Void, Exception>>();
    try (Loop loop = open()) {
      long start = System.nanoTime();
      owner.complete(
          loop.<Exception>createTask(
              "owner",
              () -> {
                try (var scope = TaskScope.<Exception>open()) {
                  scope.<Exception>fork(
                      "child",
                      () -> {
                        try (var inner = TaskScope.<Exception>open()) {
                          inner.fork("grandchild", () -> owner.get().await());
                          inner.join();
                        }
                      });
                  scope.join();
                }
              }));

      assertThatThrownBy(() -> owner.get().await(LIMIT))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("owner")
          .hasMessageContaining("grandchild");
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
    }
  }

  @Test
  @DisplayName("timed awaits make no circle: they reach their limit")
  void timedAwaitsMakeNoCircle() throws Exception {
    var self = new CompletableFuture<Task<String, Exception>>();
    try (Loop loop = open()) {
      self.complete(
          loop.<String, Exception>createTask(() -> self.get().await(Duration.ofMillis(20))));

      assertThatThrownBy(() -> self.get().await(LIMIT))
          .isInstanceOf(TimeoutException.class)
          .hasMessageContaining("PT0.02S");
    }
  }

  @Test
  @DisplayName("a timed await in a ring breaks it: nobody is refused")
  void aTimedAwaitInARing() throws Exception {
    var first = new CompletableFuture<Task<String, Exception>>();
    try (Loop loop = open()) {
      Task<String, Exception> second = loop.createTask(() -> first.get().await());
      first.complete(
          loop.<String, Exception>createTask(() -> {
            Gate.awaitBlocked(second);
            try {
              return second.await(Duration.ofMillis(700));
            } catch (TimeoutException e) {
              return "reached its limit";
            }
          }));

      assertThat(second.await()).isEqualTo("reached its limit");
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("no false refusal: a chain, a diamond and a child that awaits its sibling all end")
  void noFalseRefusal() throws Exception {
    var gate = new Gate();
    try (Loop loop = open()) {
      Task<Integer, Exception> root =
          loop.createTask(() -> {
            gate.pass();
            return 1;
          });
      Task<Integer, Exception> left = loop.createTask(() -> root.await() + 1);
      Task<Integer, Exception> right = loop.createTask(() -> root.await() + 2);
      Task<Integer, Exception> joined =
          loop.createTask(() -> {
            try (var scope = TaskScope.<Exception>open()) {
              Task<Integer, Exception> a = scope.fork(() -> left.await() + right.await());
              Task<Integer, Exception> b = scope.fork(() -> a.await() + root.await());
              scope.join();
              return b.result();
            }
          });
      Gate.awaitBlocked(joined);
      // Longer than the second look for a circle.
      assertThatThrownBy(() -> joined.await(Duration.ofMillis(800)))
          .isInstanceOf(TimeoutException.class);

      gate.open();

      assertThat(joined.await()).isEqualTo(6);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a task whose await was refused can go on")
  void aRefusedTaskCanGoOn() throws Exception {
    var self = new CompletableFuture<Task<String, Exception>>();
    try (Loop loop = open()) {
      self.complete(
          loop.<String, Exception>createTask(() -> {
            Task<String, Exception> me = self.get();
            assertThatThrownBy(me::await).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(me::await).isInstanceOf(IllegalStateException.class);
            return "went on";
          }));

      assertThat(self.get().await()).isEqualTo("went on");
    }
  }

  @Test
  @DisplayName("EXC-16: a shielded child that awaits its closing owner is refused; the close ends")
  void aShieldedChildThatAwaitsItsClosingOwner() throws Exception {
    var self = new CompletableFuture<Task<String, Exception>>();
    var seen = new CompletableFuture<Throwable>();
    try (Loop loop = open()) {
      self.complete(
          loop.<String, Exception>createTask(
              "owner",
              () -> {
                Task<String, Exception> owner = self.get();
                try (var scope = TaskScope.<Exception>open()) {
                  Task<Object, Exception> child =
                      scope.fork(() ->
                          Task.shielded(() -> {
                            try {
                              return owner.await();
                            } catch (IllegalStateException e) {
                              seen.complete(e);
                              return "refused";
                            }
                          }));
                  Gate.awaitBlocked(child);
                }
                return "closed";
              }));

      assertThat(self.get().await()).isEqualTo("closed");
      assertThat(seen.get()).hasMessageContaining("circle").hasMessageContaining("owner");
    }
  }

  @Test
  @DisplayName("the cheap look: a chain that ends closes no circle, one that comes back may")
  void theCheapLook() {
    var gate = new Gate();
    try (Loop loop = open()) {
      TaskImpl<?, ?> first = (TaskImpl<?, ?>) loop.createTask(gate::pass);
      TaskImpl<?, ?> second = (TaskImpl<?, ?>) loop.createTask(gate::pass);
      assertThat(Circle.mayClose(first)).isFalse();

      first.cold().blockedOn = new Cold.Waiter(second, null, true, false);
      assertThat(Circle.mayClose(first)).isFalse();

      second.cold().blockedOn = new Cold.Waiter(first, null, true, false);
      assertThat(Circle.mayClose(first)).isTrue();

      // What the second waits for is not among those that it would wait for.
      second.cold().blockedOn = new Owner.Join(Loop.defaultLoop());
      assertThat(Circle.mayClose(first)).isFalse();

      second.cold().blockedOn = new Owner.Join(loop);
      assertThat(Circle.mayClose(first)).isTrue();

      first.cold().blockedOn = null;
      second.cold().blockedOn = null;
      gate.open();
    }
  }

  @Test
  @DisplayName("the cheap look finds the owner of a task at any distance")
  void theOwnerAtAnyDistance() throws Exception {
    try (Loop loop = open()) {
      loop.runUntilComplete(() -> {
        var gate = new Gate();
        TaskImpl<?, ?> other = (TaskImpl<?, ?>) loop.createTask(gate::pass);
        TaskImpl<?, ?> main = (TaskImpl<?, ?>) Task.current().orElseThrow();
        try (TaskScope<Exception> scope = TaskScope.open()) {
          TaskImpl<?, ?> child = (TaskImpl<?, ?>) scope.fork(gate::pass);
          child.cold().blockedOn = new Cold.Waiter(other, null, true, false);

          other.cold().blockedOn = new Owner.Join(scope);
          assertThat(Circle.mayClose(child)).isTrue();
          other.cold().blockedOn = new Owner.Join(loop);
          assertThat(Circle.mayClose(child)).isTrue();
          other.cold().blockedOn = new Owner.Join(Loop.defaultLoop());
          assertThat(Circle.mayClose(child)).isFalse();

          assertThat(Circle.mayPassThrough(child)).isFalse();
          main.cold().addWaiter(new Cold.Waiter(main, null, true, true));
          assertThat(Circle.mayPassThrough(child)).isFalse();
          var waiter = new Cold.Waiter(main, null, true, false);
          main.cold().addWaiter(waiter);
          assertThat(Circle.mayPassThrough(child)).isTrue();
          assertThat(Circle.mayPassThrough(other)).isFalse();

          child.cold().blockedOn = null;
          other.cold().blockedOn = null;
          gate.open();
          scope.join();
        }
      });
    }
  }
}
