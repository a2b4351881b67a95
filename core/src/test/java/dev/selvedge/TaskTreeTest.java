package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.awaitility.Awaitility.await;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Oracle.class)
class TaskTreeTest {
  private static final Duration LONG = Duration.ofMinutes(5);
  private final Threads.Reported reported = new Threads.Reported();
  private final Gate gate = new Gate();

  private Loop open(String name) {
    return Threads.builder().name(name).exceptionHandler(reported).build();
  }

  /** The one node of a name. */
  static TaskTree.Node node(TaskTree tree, String name) {
    List<TaskTree.Node> found = tree.nodes().filter(node -> node.name().equals(name)).toList();
    assertThat(found).as("%s in%n%s", name, tree).hasSize(1);
    return found.getFirst();
  }

  private static TaskTree.Node only(List<TaskTree.Node> nodes) {
    assertThat(nodes).hasSize(1);
    return nodes.getFirst();
  }

  private static List<String> names(List<TaskTree.Node> nodes) {
    return nodes.stream().map(TaskTree.Node::name).toList();
  }

  private static Task<Void, RuntimeException> parked(Loop loop, String name, Gate gate) {
    Task<Void, RuntimeException> task = loop.createTask(name, gate::pass);
    Gate.awaitBlocked(task);
    return task;
  }

  // ---- all tasks, current task

  @Test
  @DisplayName("INTRO-01: all tasks are the unfinished ones: the current, those not started yet")
  void allTasksAreTheUnfinishedOnes() throws Exception {
    try (Loop held = Loop.builder().handleSignals(false).threadFactory(gate.factory()).build();
        Loop loop = open("loop")) {
      Task<Void, RuntimeException> notStarted = held.createTask(() -> {});
      assertThat(held.allTasks()).containsExactly(notStarted);
      assertThat(node(held.snapshot(), notStarted.name()).state()).isEqualTo("pending");

      var inCallback = new Gate();
      var go = new Gate();
      Task<Boolean, RuntimeException> current =
          loop.createTask(() -> {
            go.pass();
            return loop.allTasks().contains(Task.current().orElseThrow());
          });
      current.onDone(done -> inCallback.pass());
      go.open();
      assertThat(current.await()).isTrue();

      assertThat(loop.allTasks()).isEmpty();
      assertThat(node(loop.snapshot(), current.name()).state()).isEqualTo("finished");
      inCallback.open();
      await().until(() -> only(loop.snapshot().roots()).children().isEmpty());
      gate.open();
      notStarted.await();
      assertThat(held.allTasks()).isEmpty();
    }
  }

  @Test
  @DisplayName("INTRO-01: the tasks of scopes at any depth are listed; the set cannot be changed")
  void tasksOfScopesAreListed() throws Exception {
    try (Loop loop = open("loop")) {
      var started = new CountDownLatch(1);
      Task<Void, Exception> outer =
          loop.<Exception>createTask(
              "outer",
              () -> {
                try (var scope = TaskScope.<Exception>open()) {
                  scope.fork(
                      "middle",
                      () -> {
                        try (var inside = TaskScope.<Exception>open()) {
                          inside.fork("inner", gate::pass);
                          started.countDown();
                          inside.join();
                        }
                      });
                  scope.join();
                }
              });
      started.await();

      assertThat(loop.allTasks()).extracting(Task::name).contains("outer", "middle", "inner");
      assertThatThrownBy(() -> loop.allTasks().clear())
          .isInstanceOf(UnsupportedOperationException.class);
      gate.open();
      outer.await();
      assertThat(loop.allTasks()).isEmpty();
    }
  }

  @Test
  @DisplayName(
      "INTRO-02: the current task is right across interleaving; none in threads of others;"
          + " here callbacks and the handler run in tasks and see those")
  void theCurrentTask() throws Exception {
    var inHandler = new CompletableFuture<String>();
    assertThat(Task.current()).isEmpty();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler(
                (_, _) -> inHandler.complete(Task.current().map(Task::name).orElse("none")))
            .build()) {
      var tasks = new ArrayList<Task<String, Exception>>();
      for (int i = 0; i < 20; i++) {
        tasks.add(
            loop.createTask(() -> {
              var seen = new HashSet<String>();
              for (int turn = 0; turn < 20; turn++) {
                seen.add(Task.current().orElseThrow().name());
                Thread.yield();
              }
              assertThat(seen).hasSize(1);
              return seen.iterator().next();
            }));
      }
      for (Task<String, Exception> task : tasks) {
        assertThat(task.await()).isEqualTo(task.name());
      }
      var inCallback = new CompletableFuture<Boolean>();
      Task<Void, RuntimeException> passing = loop.createTask(gate::pass);
      passing.onDone(done -> inCallback.complete(Task.current().orElseThrow() == done));
      gate.open();
      assertThat(inCallback.get()).isTrue();
      loop.launch(() -> {
        throw new IllegalStateException("launched");
      });
      assertThat(inHandler.get()).isEqualTo("exception handler");
    }
    assertThat(Task.current()).isEmpty();
  }

  // ---- the tree

  @Test
  @DisplayName("INTRO-10: an empty tree is an empty text; a loop without tasks is one line")
  void anEmptyTree() {
    assertThat(new TaskTree(List.of()).toString()).isEmpty();
    assertThat(new TaskTree(List.of()).nodes()).isEmpty();
    try (Loop loop = open("idle")) {
      TaskTree.Node root = only(loop.snapshot().roots());

      assertThat(root.kind()).isEqualTo(TaskTree.Kind.LOOP);
      assertThat(root.state()).isEqualTo("open");
      assertThat(root.children()).isEmpty();
      assertThat(loop.snapshot().toString()).matches("loop idle \\(\\d+\\): open, \\d+ ms old\n");
      assertThat(only(loop.snapshot().roots()).id()).isEqualTo(root.id());
    }
  }

  @Test
  @DisplayName("INTRO-10: loop, tasks, scopes and nested tasks are drawn by ownership, indented")
  void theTreeIsDrawnByOwnership() throws Exception {
    TaskTree tree =
        Threads.<TaskTree, Exception>run(
            reported,
            loop -> {
              try (var outer = TaskScope.<Exception>open();
                  var inner = TaskScope.<Exception>open(TaskScope.Policy.SUPERVISE)) {
                var deepest = new CountDownLatch(1);
                outer.fork(
                    "first",
                    () -> {
                      try (var below = TaskScope.<Exception>open()) {
                        Gate.awaitBlocked(below.fork("deepest", gate::pass));
                        deepest.countDown();
                        gate.pass();
                      }
                    });
                Gate.awaitBlocked(outer.fork(gate::pass));
                Gate.awaitBlocked(inner.fork("second", gate::pass));
                deepest.await();
                TaskTree taken = loop.snapshot();
                gate.open();
                return taken;
              }
            });

    assertThat(tree.toString().replaceAll(", [0-9.]+ m?s old.*", "").replaceAll("\\d+", "N"))
        .isEqualTo(
            """
            loop loop (N): running
              task main (N): pending
                scope TaskScope (N): open
                  task first (N): pending
                    scope TaskScope (N): open
                      task deepest (N): pending
                  task task-N: pending
                scope TaskScope (N): open
                  task second (N): pending
            """);
    assertThat(tree.nodes().map(TaskTree.Node::kind))
        .containsExactly(
            TaskTree.Kind.LOOP,
            TaskTree.Kind.TASK,
            TaskTree.Kind.SCOPE,
            TaskTree.Kind.TASK,
            TaskTree.Kind.SCOPE,
            TaskTree.Kind.TASK,
            TaskTree.Kind.TASK,
            TaskTree.Kind.SCOPE,
            TaskTree.Kind.TASK);
    assertThat(tree.nodes().map(TaskTree.Node::id)).doesNotHaveDuplicates();
  }

  @Test
  @DisplayName("a loop that runs inside of a task is a child of that task, which awaits its main")
  void aLoopInsideOfATask() throws Exception {
    var inside = new CompletableFuture<TaskTree>();
    try (Loop outer = open("outer");
        Loop other = open("other")) {
      Task<String, Exception> runner =
          outer.createTask(
              "runner",
              () ->
                  Loop.run(() -> {
                    inside.complete(Loop.current().snapshot());
                    gate.pass();
                    return "ran";
                  }));
      Task<String, Exception> second =
          outer.createTask(
              "second",
              () ->
                  other.runUntilComplete(() -> {
                    gate.pass();
                    return "ran too";
                  }));
      inside.get();
      Gate.awaitBlocked(second);
      await()
          .until(() ->
              outer.snapshot().nodes().filter(node -> node.name().equals("main")).count() == 2);

      TaskTree tree = outer.snapshot();
      for (String caller : List.of("runner", "second")) {
        TaskTree.Node loop = only(node(tree, caller).children());
        assertThat(loop.kind()).isEqualTo(TaskTree.Kind.LOOP);
        assertThat(loop.state()).isEqualTo("running");
        assertThat(only(loop.children()).name()).isEqualTo("main");
        assertThat(node(tree, caller).awaits()).containsExactly(only(loop.children()).id());
      }
      assertThat(node(tree, "other").kind()).isEqualTo(TaskTree.Kind.LOOP);
      assertThat(names(inside.get().roots())).containsExactly("loop");
      gate.open();
      assertThat(runner.await()).isEqualTo("ran");
      assertThat(second.await()).isEqualTo("ran too");
    }
  }

  @Test
  @DisplayName("scopes that plain threads opened are roots beside the default loop")
  void scopesOfPlainThreads() throws Exception {
    try (var scope = TaskScope.<RuntimeException>open();
        Loop another = open("another")) {
      Task<Void, RuntimeException> child = scope.fork("child", gate::pass);
      Gate.awaitBlocked(child);
      TaskTree tree = Loop.current().snapshot();

      assertThat(tree.roots().getFirst().name()).isEqualTo("default");
      assertThat(tree.roots()).hasSize(2);
      TaskTree.Node root = tree.roots().getLast();
      assertThat(root.kind()).isEqualTo(TaskTree.Kind.SCOPE);
      assertThat(root.details().get("thread"))
          .startsWith(Thread.currentThread().getName() + " #" + Thread.currentThread().threadId());
      assertThat(only(root.children()).name()).isEqualTo("child");
      assertThat(another.snapshot().nodes()).hasSize(1);
      gate.open();
      scope.join();
    }
    assertThat(Loop.current().snapshot().roots()).hasSize(1);
  }

  @Test
  @DisplayName("the exception handler is shown while it runs, with what it awaits")
  void theExceptionHandlerIsShown() {
    var awaited = new CompletableFuture<Task<?, ?>>();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((_, _) -> {
              try {
                awaited.get().await();
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            })
            .build()) {
      awaited.complete(parked(loop, "awaited", gate));
      loop.launch(() -> {
        throw new IllegalStateException("launched");
      });
      await()
          .until(() ->
              loop.snapshot()
                  .nodes()
                  .anyMatch(
                      node -> node.name().equals("exception handler") && !node.awaits().isEmpty()));

      TaskTree.Node handler = node(loop.snapshot(), "exception handler");
      assertThat(handler.kind()).isEqualTo(TaskTree.Kind.TASK);
      assertThat(handler.awaits()).containsExactly(awaited.join().id());
      assertThat(loop.allTasks()).extracting(Task::name).doesNotContain("exception handler");
      gate.open();
      await().until(() -> only(loop.snapshot().roots()).children().isEmpty());
    }
  }

  @Test
  @DisplayName("children are in the order of creation")
  void childrenAreInTheOrderOfCreation() throws Exception {
    var expected = new ArrayList<String>();
    try (Loop loop = open("loop")) {
      for (int i = 0; i < 30; i++) {
        expected.add("task " + i);
        loop.createTask("task " + i, gate::pass);
      }
      assertThat(names(only(loop.snapshot().roots()).children())).isEqualTo(expected);
      Task<List<String>, Exception> owner =
          loop.createTask(
              "owner",
              () -> {
                try (var scope = TaskScope.<Exception>open()) {
                  for (String name : expected) {
                    scope.fork(name + " below", gate::pass);
                  }
                  var taken = only(node(loop.snapshot(), "owner").children());
                  gate.open();
                  return names(taken.children());
                }
              });
      assertThat(owner.await()).isEqualTo(expected.stream().map(name -> name + " below").toList());
    }
  }

  // ---- ages

  @Test
  @DisplayName("ages grow and are right to a tenth of a second")
  void agesAreAboutRight() throws Exception {
    try (Loop loop = open("loop")) {
      long before = System.nanoTime();
      parked(loop, "old", gate);
      long after = System.nanoTime();
      Duration last = Duration.ZERO;
      for (int i = 0; i < 5; i++) {
        Thread.sleep(60);
        parked(loop, "other " + i, gate);
        long atLeast = System.nanoTime() - after;
        TaskTree.Node old = node(loop.snapshot(), "old");
        long atMost = System.nanoTime() - before;

        assertThat(old.age()).isGreaterThan(last);
        assertThat(old.age())
            .isBetween(
                Duration.ofNanos(atLeast).minusMillis(100),
                Duration.ofNanos(atMost).plusMillis(100));
        last = old.age();
      }
      gate.open();
    }
  }

  @Test
  @DisplayName("a task, scope or loop made after a quiet time is not shown older than it is")
  void ageAfterAQuietTime() throws Exception {
    for (int i = 0; i < 5; i++) {
      // The clock stands still by then, or is about to.
      Thread.sleep(15 + 25 * i);
      var opened = new Gate();
      long before = System.nanoTime();
      try (Loop loop = open("young loop")) {
        Task<Void, RuntimeException> young =
            loop.createTask(
                "young",
                () -> {
                  try (var scope = TaskScope.<RuntimeException>open()) {
                    scope.fork("child", opened::pass);
                    opened.pass();
                  }
                });
        Gate.awaitBlocked(young);
        TaskTree tree = loop.snapshot();
        Duration truth = Duration.ofNanos(System.nanoTime() - before);
        opened.open();

        assertThat(tree.nodes())
            .hasSize(4)
            .allSatisfy(node -> assertThat(node.age()).isLessThan(truth.plusMillis(50)));
      }
    }
  }

  @Test
  @DisplayName("ages are printed for people")
  void agesArePrintedForPeople() {
    assertThat(aged(Duration.ofMillis(7))).isEqualTo("task t (1): pending, 7 ms old");
    assertThat(aged(Duration.ofMillis(999))).endsWith(", 999 ms old");
    assertThat(aged(Duration.ofMillis(1_250))).endsWith(", 1.2 s old");
    assertThat(aged(Duration.ofSeconds(75))).endsWith(", 1 min 15 s old");
    assertThat(aged(Duration.ofSeconds(3_600))).endsWith(", 1 h 0 min 0 s old");
    assertThat(aged(Duration.ofDays(2).plusSeconds(61))).endsWith(", 2 d 0 h 1 min 1 s old");
  }

  private static String aged(Duration age) {
    return new TaskTree.Node(TaskTree.Kind.TASK, 1, "t", "pending", age, List.of(), 0, 0, List.of())
        .toString();
  }

  // ---- cancelling

  @Test
  @DisplayName("a task that ignores its cancellation is cancelling, with its requests and reason")
  void cancelRequestsAndReason() {
    try (Loop loop = open("loop")) {
      Task<Void, RuntimeException> task = parked(loop, "stubborn", gate);
      task.cancel("first");
      task.cancel("second");

      TaskTree.Node node = node(loop.snapshot(), "stubborn");
      assertThat(node.state()).isEqualTo("cancelling");
      assertThat(node.cancelRequests()).isEqualTo(2);
      assertThat(node.details()).containsEntry("reason", "REQUEST: first");
      assertThat(node.toString()).contains("cancelling (2 requests)", ", reason REQUEST: first");
      task.uncancel();
      task.uncancel();
      node = node(loop.snapshot(), "stubborn");
      assertThat(node.state()).isEqualTo("pending");
      assertThat(node.cancelRequests()).isZero();
      assertThat(node.details()).doesNotContainKey("reason");
      gate.open();
    }
  }

  @Test
  @DisplayName("a cancelled scope and a closing loop are cancelling, with the reason")
  void aCancelledScope() throws Exception {
    TaskTree[] closing = {null};
    try (Loop loop = open("loop")) {
      Task<TaskTree, Exception> owner =
          loop.createTask(
              "owner",
              () -> {
                try (var scope = TaskScope.<Exception>open()) {
                  Gate.awaitBlocked(scope.fork("child", gate::pass));
                  scope.cancel("not needed");
                  TaskTree tree = loop.snapshot();
                  gate.open();
                  return tree;
                }
              });
      TaskTree tree = owner.await();
      TaskTree.Node scope = only(node(tree, "owner").children());

      assertThat(node(tree, "owner").state()).isEqualTo("pending");
      assertThat(scope.state()).isEqualTo("cancelling");
      assertThat(scope.cancelRequests()).isEqualTo(1);
      assertThat(scope.details().get("reason")).startsWith("REQUEST: not needed");
      assertThat(node(tree, "child").cancelRequests()).isEqualTo(1);
      assertThat(node(tree, "child").state()).isEqualTo("cancelling");
      var running = new CountDownLatch(1);
      loop.createTask(() -> {
        running.countDown();
        try {
          Thread.sleep(LONG);
        } finally {
          closing[0] = loop.snapshot();
        }
      });
      running.await();
    }
    assertThat(only(closing[0].roots()).state()).isEqualTo("cancelling");
    assertThat(only(closing[0].roots()).details().get("reason")).startsWith("SHUTDOWN");
  }

  // ---- who awaits whom

  @Test
  @DisplayName(
      "INTRO-09: await, await with a limit and waitFor are edges to the task, by name in the text;"
          + " a join is one to the scope; they are gone when it is done")
  void edges() throws Exception {
    var scopeGate = new Gate();
    try (Loop loop = open("loop")) {
      Task<Void, RuntimeException> target = parked(loop, "target", gate);
      Task<Void, Exception> plain = loop.createTask("plain", () -> target.await());
      Task<Void, Exception> timed = loop.createTask("timed", () -> target.await(LONG));
      Task<Void, Exception> taking = loop.createTask("taking", () -> Timeout.waitFor(target, LONG));
      Task<Void, Exception> joining =
          loop.<Exception>createTask(
              "joining",
              () -> {
                try (var scope = TaskScope.<Exception>open()) {
                  scope.fork("forked", scopeGate::pass);
                  scope.join();
                }
              });
      await().until(() -> edgesFrom(loop, "plain", "timed", "taking", "joining") == 4);

      TaskTree tree = loop.snapshot();
      for (String waiting : List.of("plain", "timed", "taking")) {
        assertThat(node(tree, waiting).awaits()).containsExactly(target.id());
        assertThat(tree.toString()).containsPattern("task " + waiting + ".*, awaits target");
      }
      TaskTree.Node scope = only(node(tree, "joining").children());
      assertThat(node(tree, "joining").awaits()).containsExactly(scope.id());
      assertThat(tree.toString()).containsPattern("task joining.*, awaits TaskScope");
      assertThat(node(tree, "target").awaits()).isEmpty();
      assertThat(node(tree, "forked").awaits()).isEmpty();

      gate.open();
      for (Task<Void, Exception> task : List.of(plain, timed, taking)) {
        task.await();
      }
      assertThat(edgesFrom(loop, "joining")).isEqualTo(1);
      scopeGate.open();
      joining.await();
      assertThat(loop.snapshot().nodes().flatMap(node -> node.awaits().stream())).isEmpty();
    }
  }

  private static long edgesFrom(Loop loop, String... names) {
    return loop.snapshot()
        .nodes()
        .filter(node -> List.of(names).contains(node.name()) && !node.awaits().isEmpty())
        .count();
  }

  @Test
  @DisplayName(
      "INTRO-08: here a scope owns its tasks in the tree from creation on; who joins or closes it"
          + " adds an edge to the scope, and each other awaiter one to the task")
  void aScopeOwnsItsTasksFromCreationOn() throws Exception {
    var body = new Gate();
    try (Loop loop = open("loop")) {
      var forked = new CompletableFuture<Task<Void, Exception>>();
      Task<Void, Exception> owner =
          loop.<Exception>createTask(
              "owner",
              () -> {
                try (var scope = TaskScope.<Exception>open()) {
                  forked.complete(scope.fork("child", gate::pass));
                  body.pass();
                }
              });
      Task<Void, Exception> child = forked.get();
      Task<Void, Exception> second = loop.createTask("second", () -> child.await());
      await().until(() -> edgesFrom(loop, "second") == 1);

      TaskTree before = loop.snapshot();
      assertThat(names(only(node(before, "owner").children()).children())).containsExactly("child");
      assertThat(node(before, "owner").awaits()).isEmpty();
      assertThat(node(before, "second").awaits()).containsExactly(child.id());

      body.open();
      await().until(() -> edgesFrom(loop, "owner") == 1);
      TaskTree closing = loop.snapshot();
      assertThat(node(closing, "owner").awaits())
          .containsExactly(only(node(closing, "owner").children()).id());
      assertThat(node(closing, "second").awaits()).containsExactly(child.id());
      gate.open();
      owner.await();
      second.await();
    }
  }

  @Test
  @DisplayName(
      "INTRO-11: here a circle is refused at the await that closes it, by name, so that a tree has"
          + " none")
  void aCircleIsRefusedAtTheAwait() throws Exception {
    var first = new CompletableFuture<Task<Void, Exception>>();
    try (Loop loop = open("loop")) {
      Task<Void, Exception> second = loop.createTask("second", () -> first.get().await());
      first.complete(
          loop.<Exception>createTask(
              "first",
              () -> {
                await().until(() -> edgesFrom(loop, "second") == 1);
                assertThatThrownBy(second::await)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("first -> second -> first");
                assertThat(edgesFrom(loop, "first")).isZero();
              }));

      second.await();
    }
  }

  @Test
  @DisplayName("INTRO-11: a circle of timed awaits exists for a while: tree and table show it")
  void aCircleOfTimedAwaits() throws Exception {
    var ring = new ArrayList<Task<String, Exception>>();
    var made = new Gate();
    try (Loop loop = open("loop")) {
      for (int i = 0; i < 3; i++) {
        int next = (i + 1) % 3;
        ring.add(
            loop.createTask(
                "ring-" + i,
                () -> {
                  made.pass();
                  try {
                    return ring.get(next).await(LONG).toString();
                  } catch (TimeoutException e) {
                    return "limit";
                  }
                }));
      }
      made.open();
      await().until(() -> edgesFrom(loop, "ring-0", "ring-1", "ring-2") == 3);

      TaskTree tree = loop.snapshot();
      assertThat(tree.nodes()).hasSize(4);
      for (int i = 0; i < 3; i++) {
        assertThat(node(tree, "ring-" + i).awaits()).containsExactly(ring.get((i + 1) % 3).id());
        assertThat(tree.toString()).containsPattern("ring-" + i + " .*awaits ring-" + (i + 1) % 3);
      }
      ring.getFirst().cancel();
      for (Task<String, Exception> task : ring) {
        task.ignoreFailure();
      }
    }
  }

  @Test
  @DisplayName("INTRO-11: a task that awaits itself with a limit is a circle of one")
  void aTimedCircleOfOne() throws Exception {
    var self = new CompletableFuture<Task<Void, Exception>>();
    try (Loop loop = open("loop")) {
      self.complete(loop.<Exception>createTask("narcissus", () -> self.get().await(LONG)));
      await().until(() -> edgesFrom(loop, "narcissus") == 1);

      assertThat(loop.snapshot().toString()).containsPattern("narcissus .*, awaits narcissus");
      self.get().cancel();
    }
  }

  @Test
  @DisplayName(
      "INTRO-12: nodes is the flat table: id, name, thread, state, awaited ids; here the stack is"
          + " the task's, and an awaited id that is not in the tree is printed as #id")
  void theFlatTable() throws Exception {
    try (Loop loop = open("loop");
        Loop elsewhere = open("elsewhere")) {
      Task<Void, RuntimeException> far = parked(elsewhere, "far", gate);
      Task<Void, Exception> waiting = loop.createTask(() -> far.await());
      Task<Void, Exception> awaiting = loop.createTask("awaiting", () -> waiting.await());
      await().until(() -> edgesFrom(loop, waiting.name(), "awaiting") == 2);
      Gate.awaitBlocked(waiting);
      Gate.awaitBlocked(awaiting);

      TaskTree tree = loop.snapshot();
      assertThat(tree.nodes().map(TaskTree.Node::name))
          .containsExactly("loop", waiting.name(), "awaiting");
      TaskTree.Node row = node(tree, waiting.name());
      assertThat(row.id()).isEqualTo(waiting.id());
      assertThat(row.awaits()).containsExactly(far.id());
      assertThat(row.details().get("thread"))
          .matches((Threads.PLATFORM ? "Thread-\\d+ " : "") + "#\\d+ (TIMED_)?WAITING");
      assertThat(tree.toString())
          .containsPattern("task " + waiting.name() + ": pending.*, awaits #" + far.id() + ",")
          .containsPattern("task awaiting .*, awaits " + waiting.name() + ".*,");
      assertThat(node(tree, "awaiting").toString()).contains(", awaits #" + waiting.id());
      assertThat(waiting.stackTrace())
          .anyMatch(frame -> frame.getClassName().startsWith(TaskTreeTest.class.getName()));
      gate.open();
      awaiting.await();
      assertThat(tree.nodes()).as("a snapshot stays what it was").hasSize(3);
    }
  }

  @Test
  @DisplayName("the table can be taken in any of the ways of a stream")
  void theTableIsAnOrdinaryStream() {
    TaskTree tree = new TaskTree(List.of(chain(20, "left"), chain(20, "right")));
    List<String> names = tree.nodes().map(TaskTree.Node::name).toList();

    assertThat(names).hasSize(40).startsWith("left 19", "left 18").endsWith("right 0");
    assertThat(tree.nodes().count()).isEqualTo(40);
    assertThat(tree.nodes().limit(3)).hasSize(3);
    assertThat(tree.nodes().skip(39)).extracting(TaskTree.Node::name).containsExactly("right 0");
    var iterated = new ArrayList<String>();
    tree.nodes().iterator().forEachRemaining(node -> iterated.add(node.name()));
    assertThat(iterated).isEqualTo(names);
  }

  private static TaskTree.Node chain(int length, String name) {
    TaskTree.Node node = null;
    for (int i = 0; i < length; i++) {
      node =
          new TaskTree.Node(
              TaskTree.Kind.TASK,
              i,
              name + " " + i,
              "pending",
              Duration.ZERO,
              List.of(),
              0,
              0,
              node == null ? List.of() : List.of(node));
    }
    return node;
  }

  // ---- folding

  @Test
  @DisplayName("a scope shows the details that it was given, or why it cannot")
  void detailsOfAScope() throws Exception {
    try (Loop loop = open("loop")) {
      loop.<Exception>runUntilComplete(() -> {
        try (var scope = TaskScope.open(TaskScope.Policy.SUPERVISE, "told")) {
          assertThat(node(loop.snapshot(), "told").details()).isEmpty();
          scope.details(() -> Map.of("restarts", "3"));
          assertThat(node(loop.snapshot(), "told").details())
              .containsExactly(entry("restarts", "3"));
          assertThat(loop.snapshot().toString()).contains("scope told (", ", restarts 3");
          scope.details(() -> {
            throw new IllegalStateException("not now");
          });
          assertThat(node(loop.snapshot(), "told").details())
              .containsExactly(entry("details", "java.lang.IllegalStateException: not now"));
        }
      });
    }
  }

  @Test
  @DisplayName("INTRO-10: identical siblings are one node and one line")
  void identicalSiblingsAreFolded() {
    int siblings = Threads.PLATFORM ? 100 : 1000;
    try (Loop loop = open("loop")) {
      long firstId = 0;
      for (int i = 0; i < siblings; i++) {
        Task<Void, RuntimeException> task = loop.createTask(gate::pass);
        firstId = i == 0 ? task.id() : firstId;
      }
      TaskTree tree = loop.snapshot();

      TaskTree.Node node = only(only(tree.roots()).children());
      assertThat(node.folded()).isEqualTo(siblings - 1);
      assertThat(node.id()).isEqualTo(firstId);
      assertThat(tree.toString().lines()).hasSize(2);
      assertThat(tree.toString()).contains("and " + (siblings - 1) + " like it: pending");
      gate.open();
    }
  }

  @Test
  @DisplayName("siblings that differ in name, state, awaits, requests or subtree are not folded")
  void siblingsThatDifferAreNotFolded() throws Exception {
    try (Loop loop = open("loop")) {
      Task<Void, RuntimeException> one = loop.createTask(gate::pass);
      Task<Void, RuntimeException> same = loop.createTask(gate::pass);
      loop.createTask("named", gate::pass);
      loop.createTask("named", gate::pass);
      loop.createTask("named otherwise", gate::pass);
      Task<Void, RuntimeException> cancelling = parked(loop, "named", gate);
      cancelling.cancel();
      Task<Void, RuntimeException> twice = parked(loop, "named", gate);
      twice.cancel();
      twice.cancel();
      Task<Void, Exception> awaiting = loop.createTask("named", () -> one.await());
      Task<Void, Exception> alike = loop.createTask("named", () -> one.await());
      Task<Void, Exception> other = loop.createTask("named", () -> same.await());
      var forked = new CountDownLatch(1);
      loop.<Exception>createTask(
          "named",
          () -> {
            try (var scope = TaskScope.<Exception>open()) {
              scope.fork(gate::pass);
              forked.countDown();
              gate.pass();
            }
          });
      forked.await();
      await()
          .until(() ->
              loop.snapshot().nodes().mapToInt(n -> n.awaits().isEmpty() ? 0 : n.folded() + 1).sum()
                  == 3);

      List<TaskTree.Node> children = only(loop.snapshot().roots()).children();
      assertThat(children)
          .extracting(TaskTree.Node::id)
          .startsWith(one.id())
          .contains(cancelling.id(), twice.id(), awaiting.id(), other.id())
          .doesNotContain(same.id(), alike.id());
      assertThat(children)
          .extracting(TaskTree.Node::folded)
          .containsExactly(1, 1, 0, 0, 0, 1, 0, 0);
      gate.open();
    }
  }

  @Test
  @DisplayName("equal subtrees are folded, and those that differ far below are not")
  void equalSubtreesAreFolded() throws Exception {
    int[] leaves = {2, 2, 3, 2};
    var forked = new CountDownLatch(leaves.length);
    try (Loop loop = open("loop")) {
      for (int count : leaves) {
        loop.<Exception>createTask(() -> {
          try (var scope = TaskScope.<Exception>open()) {
            scope.fork(() -> {
              try (var inner = TaskScope.<Exception>open()) {
                for (int i = 0; i < count; i++) {
                  inner.fork("leaf", gate::pass);
                }
                forked.countDown();
                gate.pass();
              }
            });
            gate.pass();
          }
        });
      }
      forked.await();

      TaskTree tree = loop.snapshot();
      List<TaskTree.Node> children = only(tree.roots()).children();
      assertThat(children).as("%s", tree).extracting(TaskTree.Node::folded).containsExactly(2, 0);
      assertThat(tree.nodes().filter(node -> node.name().equals("leaf")))
          .extracting(TaskTree.Node::folded)
          .containsExactly(1, 2);
      gate.open();
    }
  }

  // ---- text and data

  @Test
  @DisplayName("control characters of names, reasons and threads are escaped: one line a node")
  void controlCharactersAreEscaped() throws Exception {
    try (Loop loop = open("lo\rop")) {
      Task<Void, RuntimeException> nasty = parked(loop, "a\nb\u001b[31mc", gate);
      nasty.cancel("why\nnot");
      Task<Void, Exception> waiting = loop.createTask("wait\ting", () -> nasty.await());
      await().until(() -> edgesFrom(loop, "wait\ting") == 1);

      TaskTree tree = loop.snapshot();
      assertThat(tree.toString().lines()).hasSize(3);
      assertThat(tree.toString())
          .startsWith("loop lo\\rop (")
          .contains("task a\\nb\\u001b[31mc (", "reason REQUEST: why\\nnot", "task wait\\ting (")
          .contains("awaits a\\nb\\u001b[31mc");
      assertThat(tree.toString().replace("\n", "").chars()).noneMatch(Character::isISOControl);
      assertThat(node(tree, "a\nb\u001b[31mc").id()).isEqualTo(nasty.id());
      gate.open();
      waiting.ignoreFailure();
      await().until(waiting::isDone);
    }
  }

  @Test
  @DisplayName("a tree cannot be changed, neither one that was taken nor one that was made")
  void aTreeIsUnmodifiable() {
    var roots = new ArrayList<TaskTree.Node>();
    var awaits = new ArrayList<Long>(List.of(7L));
    var details = new HashMap<String, String>(Map.of("key", "value"));
    TaskTree.Node made =
        new TaskTree.Node(
            TaskTree.Kind.TASK, 1, "t", "pending", Duration.ZERO, awaits, 0, 0, roots, details);
    var tree = new TaskTree(roots);
    roots.add(made);
    awaits.clear();
    details.clear();

    assertThat(tree.roots()).isEmpty();
    assertThat(made.children()).isEmpty();
    assertThat(made.awaits()).containsExactly(7L);
    assertThat(made.details()).containsEntry("key", "value");
    try (Loop loop = open("loop")) {
      loop.createTask(gate::pass);
      List<TaskTree.Node> taken = loop.snapshot().roots();
      gate.open();
      for (List<?> list :
          List.of(taken, taken.getFirst().children(), taken.getFirst().awaits(), tree.roots())) {
        assertThatThrownBy(list::clear).isInstanceOf(UnsupportedOperationException.class);
      }
      assertThatThrownBy(() -> taken.getFirst().children().getFirst().details().clear())
          .isInstanceOf(UnsupportedOperationException.class);
    }
  }

  // ---- size

  @Test
  @Tag("slow")
  @DisplayName("a very deep tree overflows no stack, and its text grows with the number of nodes")
  void aVeryDeepTree() throws Exception {
    int depth = Threads.PLATFORM ? 200 : 2500;
    var bottom = new CountDownLatch(1);
    try (Loop loop = open("loop")) {
      Task<Void, Exception> top = loop.createTask(() -> descend(depth, bottom));
      bottom.await();

      TaskTree tree = loop.snapshot();
      String text = tree.toString();
      assertThat(tree.nodes().count()).isEqualTo(2L * depth + 2);
      assertThat(text.lines().count()).isEqualTo(2L * depth + 2);
      assertThat(text.length()).isLessThan(250 * (2 * depth + 2));
      assertThat(loop.allTasks()).hasSize(depth + 1);
      gate.open();
      top.await();
    }
  }

  private void descend(int levels, CountDownLatch bottom) throws Exception {
    if (levels == 0) {
      bottom.countDown();
      gate.pass();
      return;
    }
    try (var scope = TaskScope.<Exception>open()) {
      scope.fork(() -> descend(levels - 1, bottom));
      gate.pass();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("virtual-only")
  @Tag("slow")
  @DisplayName("a snapshot costs in proportion to the number of tasks, folded or not")
  void theCostGrowsLinearly(boolean folded) {
    long few = allocatedForASnapshot(5_000, folded);
    long many = allocatedForASnapshot(50_000, folded);

    assertThat((double) many / few).isLessThan(15);
  }

  private long allocatedForASnapshot(int tasks, boolean folded) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var opened = new Gate();
    try (Loop loop = open("loop")) {
      for (int i = 0; i < tasks; i++) {
        if (folded) {
          loop.createTask(opened::pass);
        } else {
          loop.createTask("task " + i, opened::pass);
        }
      }
      long before = threads.getCurrentThreadAllocatedBytes();
      TaskTree tree = loop.snapshot();
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      opened.open();
      // Before the loop closes: to interrupt a crowd that waits for one latch takes long.
      await().until(() -> loop.unendedTasks().isEmpty());
      assertThat(tree.nodes().mapToInt(node -> node.folded() + 1).sum()).isEqualTo(tasks + 1);
      assertThat(only(tree.roots()).children()).hasSize(folded ? 1 : tasks);
      return allocated;
    }
  }
}
