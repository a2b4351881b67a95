package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.selvedge.programs.Debugged;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Promise 6: in debug mode a failure shows where its task was created. */
@ExtendWith(Oracle.class)
class DebugModeTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final Gate gate = new Gate();

  private Loop open(boolean debug) {
    return Threads.builder().exceptionHandler(reported).debug(debug).build();
  }

  private static List<TaskTrace> created(Throwable thrown) {
    return AwaitTraceTest.traces(thrown, TaskTrace.Kind.CREATED);
  }

  private static Task<Void, IOException> createHere(Loop loop, IOException failure) {
    return loop.createTask(() -> {
      throw failure;
    });
  }

  @Test
  @DisplayName("promise 6: a failure shows where its task was created, once")
  void theFailureShowsTheCreation() {
    var failure = new IOException("broken");
    try (Loop loop = open(true)) {
      Task<Void, IOException> task = createHere(loop, failure);
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(task::await).isSameAs(failure);
      }
    }
    assertThat(created(failure)).hasSize(1);
    assertThat(created(failure).getFirst()).hasMessage("created here");
    assertThat(created(failure).getFirst().getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals("createHere"));
    assertThat(failure.getSuppressed()).hasSize(2);
    assertThat(Suppressed.in(failure)).isEmpty();
  }

  @Test
  @DisplayName("a report says where the task was created, in the details and in the failure")
  void theReportShowsTheCreation() {
    var failure = new IOException("broken");
    try (Loop loop = open(true)) {
      await().until(createHere(loop, failure)::isDone);
    }
    ExceptionContext context = reported.contexts.element();
    assertThat(reported.contexts).hasSize(1);
    assertThat(context.exception()).isSameAs(failure);
    assertThat((String) context.details().get("created"))
        .contains("DebugModeTest.createHere(DebugModeTest.java:")
        .doesNotContain("\n");
    assertThat(context.asMap()).containsKey("created");
    assertThat(DefaultHandler.text(context)).contains("\ncreated: at ");
    assertThat(created(failure)).hasSize(1);
  }

  @Test
  @DisplayName("the report of a launched task says where it was launched")
  void launchedTasksToo() {
    try (Loop loop = open(true)) {
      loop.launch(() -> {
        throw new IOException("launched");
      });
      await().until(() -> !reported.contexts.isEmpty());
    }
    assertThat((String) reported.contexts.element().details().get("created"))
        .contains("DebugModeTest.launchedTasksToo");
    assertThat(String.valueOf(reported.contexts.element().future()))
        .contains("created at dev.selvedge.DebugModeTest.launchedTasksToo");
  }

  @Test
  @DisplayName("a failure that passes from child to parent keeps the creation of the child")
  void theChildsCreationIsKept() throws Exception {
    var failure = new IOException("child");
    try (Loop loop = open(true)) {
      Task<Void, Exception> parent =
          loop.<Exception>createTask(() -> {
            try (var scope = TaskScope.<Exception>open()) {
              forkHere(scope, failure);
              scope.join();
            }
          });
      assertThat(catchThrowable(parent::await)).isSameAs(failure);
    }
    assertThat(created(failure)).hasSize(1);
    assertThat(created(failure).getFirst().getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals("forkHere"));
  }

  private static void forkHere(TaskScope<Exception> scope, IOException failure) {
    scope.fork(() -> {
      throw failure;
    });
  }

  @Test
  @DisplayName("a shared singleton and one that refuses suppression do not grow")
  void singletonsDoNotGrow() {
    var singleton = new IOException("singleton");
    var refusing = new StackOverflowError();
    try (Loop loop = open(true)) {
      for (int i = 0; i < 50; i++) {
        assertThatThrownBy(createHere(loop, singleton)::await).isSameAs(singleton);
      }
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            throw refusing;
          });
      assertThatThrownBy(task::await).isSameAs(refusing);
    }
    assertThat(singleton.getSuppressed()).hasSize(2);
    assertThat(created(singleton)).hasSize(1);
  }

  @Test
  @DisplayName("a cancelled task has no creation in its exception and reports nothing")
  void aCancelledTask() {
    try (Loop loop = open(true)) {
      Task<Void, RuntimeException> task = loop.createTask(() -> Thread.sleep(60_000));
      task.cancel();

      assertThat(created(catchThrowable(task::await))).isEmpty();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("the tree, the printed form and the name of the thread show the creation")
  void treeTextAndThread() throws Exception {
    try (Loop loop = open(true)) {
      Task<Void, RuntimeException> task = parkHere(loop);
      Gate.awaitBlocked(task);
      TaskTree.Node node = TaskTreeTest.node(loop.snapshot(), task.name());

      assertThat(node.details().get("created"))
          .startsWith("at dev.selvedge.DebugModeTest.parkHere(DebugModeTest.java:");
      assertThat(loop.snapshot().toString())
          .contains(", created at dev.selvedge.DebugModeTest.parkHere(");
      assertThat(task.toString())
          .contains(", created at dev.selvedge.DebugModeTest.parkHere(DebugModeTest.java:")
          .endsWith(")]");
      assertThat(((TaskImpl<?, ?>) task).thread().getName()).isEqualTo("task-" + task.id());
      Task<String, RuntimeException> named =
          loop.createTask("named", () -> Thread.currentThread().getName());
      assertThat(named.await()).isEqualTo("named");
      gate.open();
    }
  }

  private Task<Void, RuntimeException> parkHere(Loop loop) {
    return loop.createTask(gate::pass);
  }

  @Test
  @DisplayName("siblings that were created in different places are not folded, others are")
  void placesOfCreationAreNotFolded() {
    try (Loop loop = open(true)) {
      for (int i = 0; i < 3; i++) {
        parkHere(loop);
      }
      for (int i = 0; i < 2; i++) {
        loop.createTask(gate::pass);
      }
      assertThat(loop.snapshot().roots().getFirst().children())
          .extracting(TaskTree.Node::folded)
          .containsExactly(2, 1);
      gate.open();
    }
  }

  @Test
  @DisplayName("children of scopes, and tasks made by Task.create, have their creation too")
  void everyWayOfCreating() throws Exception {
    try (Loop loop = open(true)) {
      Task<Void, Exception> owner =
          loop.<Exception>createTask(() -> {
            try (var scope = TaskScope.<Exception>open()) {
              Task<Void, Exception> forked = scope.fork("forked", gate::pass);
              Task<String, Exception> made = Task.create(() -> "made");
              assertThat(forked.toString()).contains("created at dev.selvedge.DebugModeTest.");
              assertThat(made.toString()).contains("created at dev.selvedge.DebugModeTest.");
              gate.open();
              scope.join();
            }
          });
      owner.await();
    }
  }

  @Test
  @DisplayName("without debug mode there is none of it")
  void withoutDebugMode() throws Exception {
    var failure = new IOException("broken");
    var unread = new IOException("unread");
    try (Loop loop = open(false)) {
      Task<Void, RuntimeException> task = parkHere(loop);
      Gate.awaitBlocked(task);

      assertThat(TaskTreeTest.node(loop.snapshot(), task.name()).details())
          .doesNotContainKey("created");
      assertThat(task.toString()).doesNotContain("created");
      assertThat(((TaskImpl<?, ?>) task).thread().getName()).doesNotContain("task-");
      assertThatThrownBy(createHere(loop, failure)::await).isSameAs(failure);
      await().until(createHere(loop, unread)::isDone);
      gate.open();
    }
    assertThat(created(failure)).isEmpty();
    assertThat(unread).hasNoSuppressedExceptions();
    assertThat(reported.exceptions()).containsExactly(unread);
    assertThat(reported.contexts.element().details()).isEmpty();
  }

  @Test
  @Tag("virtual-only")
  @Tag("child-jvm")
  @DisplayName("-Dselvedge.debug=true switches it on for every loop, also the default one")
  void switchedOnByAProperty() throws Exception {
    try (ChildJvm child = ChildJvm.startWith(List.of("-Dselvedge.debug=true"), Debugged.class)) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).isZero();
      assertThat(ended.out()).containsExactly("thread task-N", "tree true", "explicitly off false");
      assertThat(ended.err())
          .contains("Task exception was never retrieved")
          .contains("created: at ")
          .contains("dev.selvedge.programs.Debugged.")
          .contains("Suppressed: dev.selvedge.TaskTrace: created here");
    }
  }

  @Test
  @Tag("virtual-only")
  @Tag("child-jvm")
  @DisplayName("without the property it is off")
  void offWithoutTheProperty() throws Exception {
    try (ChildJvm child = ChildJvm.start(Debugged.class)) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).isZero();
      assertThat(ended.out()).containsExactly("thread ", "tree false", "explicitly off false");
      assertThat(ended.err())
          .contains("Task exception was never retrieved")
          .doesNotContain("created");
    }
  }
}
