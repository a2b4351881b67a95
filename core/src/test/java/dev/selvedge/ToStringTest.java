package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The printed forms: they read well, never throw, and retrieve nothing. */
@ExtendWith(Oracle.class)
class ToStringTest {
  private static final Duration LONG = Duration.ofMinutes(5);
  private final Threads.Reported reported = new Threads.Reported();
  private final Gate gate = new Gate();

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  /** What a finished task with that value prints, without the id. */
  private String finishedWith(Object value) throws Exception {
    try (Loop loop = open()) {
      Task<Object, RuntimeException> task = loop.createTask("t", () -> value);
      task.await();
      return withoutId(task);
    }
  }

  private static String withoutId(Task<?, ?> task) {
    return task.toString().replace("id=" + task.id() + ", ", "");
  }

  // ---- Task

  @Test
  @DisplayName("INTRO-04: pending, with the position in the user's code")
  void pending() {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> named = loop.createTask("named", this::blockHere);
      Task<Void, RuntimeException> unnamed = loop.createTask(this::blockHere);
      Gate.awaitBlocked(named);
      Gate.awaitBlocked(unnamed);

      String position = "pending, at dev\\.selvedge\\.Gate\\.pass\\(Gate\\.java:\\d+\\)]";
      assertThat(withoutId(named)).matches("Task\\[named, " + position);
      assertThat(named.toString()).contains("id=" + named.id());
      assertThat(withoutId(unnamed)).matches("Task\\[" + position);
      assertThat(named.stackTrace()).anyMatch(frame -> frame.getMethodName().equals("blockHere"));
      gate.open();
    }
  }

  private void blockHere() {
    gate.pass();
  }

  @Test
  @DisplayName("a task that is done has no position, also while its thread still calls back")
  void callsBack() throws Exception {
    var seen = new CompletableFuture<List<StackTraceElement>>();
    try (Loop loop = Threads.builder().build()) {
      var open = new CountDownLatch(1);
      Task<?, ?> task = loop.createTask(() -> open.await());
      task.onDone(ended -> seen.complete(ended.stackTrace()));
      open.countDown();

      assertThat(seen.get()).isEmpty();
    }
  }

  @Test
  @DisplayName("INTRO-04: a task whose thread has not started is pending and has no position")
  void notStarted() {
    try (Loop loop = Loop.builder().handleSignals(false).threadFactory(gate.factory()).build()) {
      Task<String, RuntimeException> task = loop.createTask("t", () -> "value");

      assertThat(withoutId(task)).startsWith("Task[t, pending");
      gate.open();
      await().until(() -> ((TaskImpl<?, ?>) task).hasEnded());
      assertThat(task.stackTrace()).isEmpty();
      assertThat(withoutId(task)).isEqualTo("Task[t, finished, result=value]");
    }
  }

  @Test
  @DisplayName("INTRO-04: cancelling while a request is pending, then cancelled with the reason")
  void cancellingAndCancelled() {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(
              "t",
              () -> {
                gate.pass();
                Thread.sleep(LONG);
              });
      Gate.awaitBlocked(task);
      task.cancel("no more");
      assertThat(withoutId(task)).startsWith("Task[t, cancelling, at dev.selvedge.Gate.pass(");
      gate.open();
      await().until(task::isDone);

      assertThat(withoutId(task))
          .isEqualTo(
              "Task[t, cancelled, exception=dev.selvedge.TaskCancelledException: "
                  + task.cancelReason().orElseThrow()
                  + "]");
      assertThat(task.toString()).contains("REQUEST: no more");
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("INTRO-04: awaiting: what it waits for, by id, and where")
  void awaiting() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> target = loop.createTask("target", gate::pass);
      Task<Void, Exception> awaiting = loop.createTask("t", () -> target.await());
      await().until(() -> awaiting.toString().contains("awaits"));
      Gate.awaitBlocked(awaiting);

      assertThat(withoutId(awaiting))
          .startsWith("Task[t, pending, awaits #" + target.id() + ", at " + getClass().getName());
      gate.open();
      awaiting.await();
      assertThat(withoutId(awaiting)).isEqualTo("Task[t, finished, result=null]");
    }
  }

  /** Ways to wait that pass through the library. */
  static Map<String, Body<?, Exception>> waits(Task<?, ?> target, CountDownLatch never) {
    return Map.of(
        "view", () -> viaView(target),
        "future", () -> Body.ofFuture(new CompletableFuture<>()).call(),
        "run", () -> Loop.run(() -> target.await()),
        "copy", () -> target.toCompletableFuture().get(),
        "place", () -> viaPlace(never),
        "shielded", () -> CancelScope.create().call(() -> Task.shielded(() -> viaView(target))));
  }

  private static Object viaView(Task<?, ?> target) throws Exception {
    return target.shield().await();
  }

  private static Object viaPlace(CountDownLatch never) throws Exception {
    try (var scope =
        TaskScope.<Exception>open(TaskScope.Policy.SUPERVISE, "full", Admission.block(1))) {
      scope.fork(() -> never.await());
      return scope.fork(() -> "waits for a place").await();
    }
  }

  @Test
  @DisplayName("INTRO-04: waiting inside of the library: where the caller called it")
  void waitingInsideOfTheLibrary() throws Exception {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> target = loop.createTask("target", gate::pass);
      var never = new CountDownLatch(1);
      var waiting = new ArrayList<Task<?, ?>>();
      waits(target, never).forEach((name, body) -> waiting.add(loop.createTask(name, body)));
      waiting.forEach(Gate::awaitBlocked);

      List<String> texts = waiting.stream().map(Task::toString).toList();

      waiting.forEach(Task::cancel);
      gate.open();
      assertThat(texts).allMatch(text -> text.contains(", at " + getClass().getName() + "."));
    }
  }

  @Test
  @DisplayName("INTRO-04: finished with a value, with null, with a failure")
  void finished() throws Exception {
    assertThat(finishedWith(List.of(1, 2))).isEqualTo("Task[t, finished, result=[1, 2]]");
    assertThat(finishedWith(null)).isEqualTo("Task[t, finished, result=null]");
    assertThat(finishedWith("two\nlines")).isEqualTo("Task[t, finished, result=two\\nlines]");
    try (Loop loop = open()) {
      Task<Void, IOException> failed =
          loop.createTask(
              "t",
              () -> {
                throw new IOException("broken\n");
              });
      Task<Void, IOException> wordless =
          loop.createTask(
              "t",
              () -> {
                throw new IOException();
              });
      await().until(() -> failed.isDone() && wordless.isDone());
      assertThat(withoutId(failed))
          .isEqualTo("Task[t, finished, exception=java.io.IOException: broken\\n]");
      assertThat(withoutId(wordless)).isEqualTo("Task[t, finished, exception=java.io.IOException]");
      failed.ignoreFailure();
      wordless.ignoreFailure();
    }
  }

  @Test
  @DisplayName("INTRO-05: a value or failure whose printer throws is printed, and does no harm")
  void aBrokenPrinter() throws Exception {
    Object broken =
        new Object() {
          @Override
          public String toString() {
            throw new UnsupportedOperationException("broken printer");
          }
        };
    Object worse =
        new Object() {
          @Override
          public String toString() {
            throw new OutOfMemoryError("not really");
          }
        };
    assertThat(finishedWith(broken))
        .isEqualTo(
            "Task[t, finished, result=(printing threw java.lang.UnsupportedOperationException)]");
    assertThat(finishedWith(worse)).contains("(printing threw java.lang.OutOfMemoryError)");
    assertThat(finishedWith(new Nameless())).startsWith("Task[t, finished, result=");
    try (Loop loop = open()) {
      Task<Void, Speechless> failed =
          loop.createTask(
              "t",
              () -> {
                throw new Speechless();
              });
      assertThatThrownBy(failed::await).isInstanceOf(Speechless.class);
      assertThat(failed.toString())
          .contains("Speechless: (printing threw java.lang.IllegalStateException)");
    }
  }

  private static final class Nameless {
    @Override
    public String toString() {
      return null;
    }
  }

  private static final class Speechless extends Exception {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("speechless");
    }
  }

  @Test
  @DisplayName("INTRO-05: a value that contains its own task is printed once")
  void aValueThatContainsItsOwnTask() throws Exception {
    try (Loop loop = open()) {
      var self = new CompletableFuture<Task<?, ?>>();
      Task<List<Object>, Exception> task = loop.createTask("t", () -> List.of("holds", self.get()));
      self.complete(task);
      task.await();

      assertThat(task.toString().replace("id=" + task.id() + ", ", ""))
          .isEqualTo("Task[t, finished, result=[holds, Task[t, finished, result=...]]]");
    }
  }

  @Test
  @DisplayName("INTRO-05: two tasks whose values contain one another are printed")
  void valuesThatContainOneAnother() throws Exception {
    try (Loop loop = open()) {
      var first = new CompletableFuture<Task<?, ?>>();
      Task<Object, Exception> second = loop.createTask("second", () -> List.of(first.get()));
      Task<Object, Exception> other = loop.createTask("first", () -> List.of(second));
      first.complete(other);
      second.await();
      other.await();

      assertThat(other.toString()).contains("first", "second").hasSizeLessThan(200);
    }
  }

  @Test
  @DisplayName("INTRO-05: a huge value is shortened")
  void aHugeValue() throws Exception {
    assertThat(finishedWith("x".repeat(1_000_000)))
        .isEqualTo("Task[t, finished, result=" + "x".repeat(200) + "...]");
    assertThat(finishedWith("x".repeat(200)))
        .isEqualTo("Task[t, finished, result=" + "x".repeat(200) + "]");
  }

  @Test
  @DisplayName("INTRO-05: printing in every form retrieves nothing: the failure is still reported")
  void printingRetrievesNothing() {
    var failure = new IOException("broken");
    try (Loop loop = open()) {
      Task<Void, IOException> task =
          loop.createTask(() -> {
            throw failure;
          });
      await().until(task::isDone);
      for (int i = 0; i < 3; i++) {
        assertThat(task.toString()).contains("broken");
        assertThat(String.valueOf(loop.snapshot())).startsWith("loop");
        assertThat(loop.allTasks().toString()).isEqualTo("[]");
        assertThat(task.stackTrace()).isNotNull();
      }
    }
    assertThat(reported.exceptions()).containsExactly(failure);
    assertThat(failure).hasNoSuppressedExceptions();
  }

  @Test
  @DisplayName("INTRO-05: a task prints itself from its body and its callbacks")
  void fromInside() throws Exception {
    try (Loop loop = open()) {
      var body = new CompletableFuture<String>();
      var callback = new CompletableFuture<String>();
      Task<Void, RuntimeException> task =
          loop.createTask(
              "t",
              () -> {
                gate.pass();
                body.complete(Task.current().orElseThrow().toString());
              });
      task.onDone(done -> callback.complete(done.toString()));
      gate.open();

      assertThat(body.get()).contains("pending, at " + getClass().getName());
      assertThat(callback.get()).contains("finished, result=null]");
    }
  }

  // ---- the others

  @Test
  @DisplayName("a loop prints its name, and whether it is running or closed")
  void aLoop() throws Exception {
    Loop loop = Threads.builder().name("mine").build();
    try (loop) {
      assertThat(loop).hasToString("Loop[mine]");
      assertThat(loop.<String, RuntimeException>runUntilComplete(loop::toString))
          .isEqualTo("Loop[mine, running]");
    }
    assertThat(loop).hasToString("Loop[mine, closed]");
    assertThat(Loop.current()).hasToString("Loop[default]");
  }

  @Test
  @DisplayName("a scope prints its policy, who opened it, and how it was cancelled")
  void aScope() throws Exception {
    String thread = Thread.currentThread().getName();
    TaskScope<RuntimeException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE);
    try (scope) {
      assertThat(scope).hasToString("TaskScope[SUPERVISE, opened by thread " + thread + "]");
      scope.cancel("why");
      assertThat(scope)
          .hasToString(
              "TaskScope[SUPERVISE, opened by thread " + thread + ", cancelled: REQUEST: why]");
    }
    assertThat(scope).hasToString("TaskScope[SUPERVISE, opened by thread " + thread + ", closed]");
    try (Loop loop = open()) {
      Task<String, RuntimeException> task =
          loop.createTask(
              "owner",
              () -> {
                try (var inside = TaskScope.<RuntimeException>open()) {
                  return inside.toString();
                }
              });
      assertThat(task.await()).isEqualTo("TaskScope[CANCEL_ON_FAILURE, opened by owner]");
    }
  }

  @Test
  @DisplayName("a cancel scope prints its phase and reason")
  void aCancelScope() throws Exception {
    CancelScope scope = CancelScope.create();
    assertThat(scope).hasToString("CancelScope[NEW]");
    String inside =
        scope.call(() -> {
          String entered = scope.toString();
          scope.cancel("why");
          return entered + " " + scope;
        });

    assertThat(inside)
        .isEqualTo("CancelScope[ENTERED] CancelScope[ENTERED, cancelled: REQUEST: why]");
    assertThat(scope).hasToString("CancelScope[EXITED, cancelled: REQUEST: why]");
  }

  @Test
  @DisplayName("a timeout prints its limit, and whether it is ahead, expired or over")
  void aTimeout() throws Exception {
    var kept = new CompletableFuture<Timeout>();
    String inside =
        Timeout.<String, RuntimeException>within(
            LONG,
            timeout -> {
              kept.complete(timeout);
              return timeout.toString();
            });
    assertThat(inside).isEqualTo("Timeout[PT5M, until " + kept.get().when() + "]");
    assertThat(kept.get()).hasToString("Timeout[PT5M, ended]");
    String expired =
        Timeout.<String, RuntimeException>within(
            LONG,
            timeout -> {
              timeout.reschedule(Instant.MIN);
              assertThat(Thread.interrupted()).isTrue();
              return timeout.toString();
            });
    assertThat(expired).isEqualTo("Timeout[PT5M, expired]");
  }

  @Test
  @DisplayName("a reason prints its source, message and who asked")
  void aReason() throws Exception {
    assertThat(new CancelReason(CancelReason.Source.PARENT, "", null)).hasToString("PARENT");
    assertThat(new CancelReason(CancelReason.Source.TIMEOUT, "late", null))
        .hasToString("TIMEOUT: late");
    try (Loop loop = open()) {
      Task<Void, RuntimeException> sleeper = loop.createTask(() -> Thread.sleep(LONG));
      Task<Boolean, RuntimeException> killer = loop.createTask("k", () -> sleeper.cancel("why"));
      assertThat(killer.await()).isTrue();
      assertThat(sleeper.cancelReason().orElseThrow()).hasToString("REQUEST: why (by k)");
      await().until(sleeper::isDone);
    }
  }

  @Test
  @DisplayName("INTRO-12: a node prints its line, with #id for what it awaits")
  void aNode() throws Exception {
    var started = new CountDownLatch(1);
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task =
          loop.createTask(
              "t",
              () -> {
                started.countDown();
                gate.pass();
              });
      started.await();
      Gate.awaitBlocked(task);
      TaskTree.Node node = TaskTreeTest.node(loop.snapshot(), "t");

      assertThat(node.toString())
          .matches("task t \\(" + task.id() + "\\): pending, \\d+ ms old, thread .*#\\d+ WAITING");
      gate.open();
    }
    var made =
        new TaskTree.Node(
            TaskTree.Kind.TASK, 5, "task-5", "cancelling", LONG, List.of(7L, 8L), 3, 2, List.of());
    assertThat(made)
        .hasToString(
            "task task-5 and 2 like it: cancelling (3 requests), 5 min 0 s old,"
                + " awaits #7, awaits #8");
  }
}
