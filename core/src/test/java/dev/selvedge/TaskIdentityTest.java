package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class TaskIdentityTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final List<String> order = Collections.synchronizedList(new ArrayList<>());

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  @Test
  @DisplayName(
      "a task has an id of its own and is named after it; a given name names its thread too")
  void namesAndIds() throws Exception {
    try (Loop loop = open()) {
      Task<String, RuntimeException> first =
          loop.createTask(() -> Task.current().orElseThrow().name());
      Task<String, RuntimeException> second =
          loop.createTask("given", () -> Thread.currentThread().getName());

      assertThat(first.await()).isEqualTo("task-" + first.id()).isEqualTo(first.name());
      assertThat(second.await()).isEqualTo("given").isEqualTo(second.name());
      assertThat(first.isNamed()).isFalse();
      assertThat(second.isNamed()).isTrue();
      assertThat(first.id()).isNotEqualTo(second.id());
      assertThat(first).isEqualTo(first).isNotEqualTo(second).isNotEqualTo("task");
      assertThat(Set.of(first, second)).contains(first, second).hasSize(2);
    }
  }

  @Test
  @DisplayName("Task.create takes a name as well, for a body and an action")
  void namesOfTheCurrentLoop() throws Exception {
    try (Loop loop = open()) {
      String names =
          loop.runUntilComplete(() -> {
            Task<String, RuntimeException> body =
                Task.create("body", () -> Thread.currentThread().getName());
            Task<Void, RuntimeException> action =
                Task.create(
                    "action",
                    () -> {
                      order.add("ran");
                    });
            action.await();
            return body.await() + " " + action.name();
          });

      assertThat(names).isEqualTo("body action");
      assertThat(order).containsExactly("ran");
    }
  }

  @Test
  @DisplayName("a task that ended before anybody asked cannot be cancelled")
  void cancelAfterAnUnseenEnd() {
    try (Loop loop = open()) {
      Task<String, RuntimeException> task = loop.createTask(() -> "value");
      Awaitility.await().until(task::isDone);

      assertThat(task.cancel("late")).isFalse();
      assertThat(task.cancelReason()).isEmpty();
    }
  }

  @Test
  @DisplayName("a task knows the name of the loop or scope that owns it")
  void nameOfTheOwner() throws Exception {
    try (Loop loop = Threads.builder().name("orders").exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            try (TaskScope<RuntimeException> scope = TaskScope.open();
                TaskScope<RuntimeException> named =
                    TaskScope.open(TaskScope.Policy.CANCEL_ON_FAILURE, "lines")) {
              return scope.fork(() -> {}).ownerName() + " " + named.fork(() -> {}).ownerName();
            }
          });

      assertThat(loop.name()).isEqualTo("orders");
      assertThat(task.ownerName()).isEqualTo("orders");
      assertThat(task.await()).isEqualTo("TaskScope lines");
    }
  }

  @Test
  @DisplayName("a task prints its name, id, state and failure")
  void aTaskPrintsItself() throws Exception {
    var gate = new Gate();
    try (Loop loop = open()) {
      Task<String, RuntimeException> waiting =
          loop.createTask(
              "waiting",
              () -> {
                gate.pass();
                return "secret";
              });
      Task<String, RuntimeException> failed =
          loop.createTask(() -> {
            throw new IllegalStateException("broken");
          });
      assertThatThrownBy(failed::await).hasMessage("broken");

      assertThat(waiting.toString()).contains("waiting", "id=" + waiting.id(), "pending");
      assertThat(failed.toString())
          .contains("id=" + failed.id(), "finished", "IllegalStateException", "broken");
      gate.open();
      assertThat(waiting.await()).isEqualTo("secret");
      assertThat(waiting.toString()).contains("finished").contains("result=secret");
    }
  }

  @Test
  @DisplayName("callbacks run on the task's thread in order, then at once in the caller")
  void callbacksRunInOrder() throws Exception {
    var gate = new Gate();
    try (Loop loop = open()) {
      Task<Thread, RuntimeException> task =
          loop.createTask(() -> {
            gate.pass();
            return Thread.currentThread();
          });
      for (int i = 0; i < 5; i++) {
        int number = i;
        task.onDone(done -> {
          assertThat(done).isSameAs(task);
          assertThat(done.result()).isSameAs(Thread.currentThread());
          assertThat(Task.current()).isEqualTo(Optional.of(task));
          order.add("callback " + number);
          if (number == 1) {
            done.onDone(again -> order.add("registered by a callback"));
          }
        });
      }
      gate.open();
      Awaitility.await().until(() -> loop.unendedTasks().isEmpty());
      task.onDone(done -> {
        assertThat(done.state().name()).isEqualTo("SUCCESS");
        order.add("late, in " + (Thread.currentThread() == done.result() ? "task" : "caller"));
      });
    }

    assertThat(order)
        .containsExactly(
            "callback 0",
            "callback 1",
            "callback 2",
            "callback 3",
            "callback 4",
            "registered by a callback",
            "late, in caller");
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("EXC-12: the same callback registered twice runs twice")
  void theSameCallbackTwice() {
    var gate = new Gate();
    Consumer<Task<?, ?>> callback = task -> order.add(task.name());
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask("twice", gate::pass);
      task.onDone(callback).onDone(callback);
      gate.open();
    }

    assertThat(order).containsExactly("twice", "twice");
  }

  @Test
  @DisplayName("a callback of a cancelled task sees no interrupt and may block")
  void aCallbackOfACancelledTask() {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> Thread.sleep(60_000));
      task.onDone(done -> {
        order.add("interrupted: " + Thread.currentThread().isInterrupted());
        order.add("cancelled: " + done.isCancelled());
      });
      task.cancel();
    }

    assertThat(order).containsExactly("interrupted: false", "cancelled: true");
  }

  @Test
  @DisplayName("the current task is found although user code replaced the handler of its thread")
  void theHandlerOfTheThreadIsReplaced() throws Exception {
    try (Loop loop = open()) {
      Task<Boolean, RuntimeException> task =
          loop.createTask(() -> {
            Optional<Task<?, ?>> before = Task.current();
            Thread.currentThread().setUncaughtExceptionHandler((thread, thrown) -> {});
            assertThat(Loop.current()).isSameAs(loop);
            try (var scope = TaskScope.<RuntimeException>open()) {
              Task<Boolean, RuntimeException> child =
                  scope.fork(() -> {
                    Thread.currentThread().setUncaughtExceptionHandler((thread, thrown) -> {});
                    return Loop.current() == loop
                        && !Task.current().equals(before)
                        && Task.current().isPresent();
                  });
              scope.join();
              return child.result() && Task.current().equals(before);
            }
          });

      assertThat(task.await()).isTrue();
    }
  }

  @Test
  @DisplayName("another task as the handler of a thread does not pass for its task")
  void anotherTaskAsHandler() throws Exception {
    var gate = new Gate();
    try (Loop loop = open()) {
      Task<Void, RuntimeException> other = loop.createTask(gate::pass);
      Task<Optional<Task<?, ?>>, RuntimeException> task =
          loop.createTask(() -> {
            Thread.currentThread()
                .setUncaughtExceptionHandler((Thread.UncaughtExceptionHandler) other);
            return Task.current();
          });

      assertThat(task.await()).isEqualTo(Optional.of(task));
      gate.open();
    }
  }

  @Test
  @DisplayName("a thread that a task starts by itself is no task")
  void aThreadOfATaskIsNoTask() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() ->
              Thread.ofPlatform().start(() -> order.add("current: " + Task.current())).join());

      task.await();
    }
    assertThat(Task.current()).isEmpty();
    assertThat(order).containsExactly("current: Optional.empty");
  }
}
