package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskTrace;
import dev.selvedge.TaskTree;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The samples and the drawings of guide/task-tree.md. */
@Timeout(30)
class TaskTreeSamplesTest {
  private static final Pattern TEXT = Pattern.compile("(?s)```text\n(.*?)```");
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final CountDownLatch mayEnd = new CountDownLatch(1);

  // @start region="shop"
  void shop(Loop loop) {
    Task<Double, RuntimeException> rates = loop.createTask("exchange rates", this::loadRates);
    loop.createTask(
        "order 17",
        () -> {
          try (TaskScope<RuntimeException> scope = TaskScope.open()) {
            scope.fork("price", () -> price(rates.await()));
            scope.fork("stock", this::countStock);
            scope.join();
          }
        });
    for (int i = 0; i < 40; i++) {
      loop.createTask("visitor", this::serve);
    }
  }

  // @end

  @Test
  void theDrawingOfThePageIsThatOfTheProgram() throws Exception {
    try (Loop loop = Loop.builder().name("shop").build()) {
      loop.runUntilComplete(() -> {
        shop(loop);
        assertDrawn("loop shop", loop);
        // @start region="snapshot"
        String drawing = loop.snapshot().toString(); // a line for each, indented
        // @end
        assertThat(drawing.lines()).hasSize(8);
        end(loop);
      });
    }
  }

  @Test
  void inDebugModeTheDrawingSaysWhereATaskWasCreated() throws Exception {
    try (Loop loop = Loop.builder().debug(true).name("shop").build()) {
      shop(loop);
      while (!loop.snapshot().toString().contains("task price")) {
        Thread.sleep(1);
      }

      String rates = drawn(textOfThePage("created at"));
      assertThat(drawn(loop.snapshot().toString())).contains(rates);
      end(loop);
    }
  }

  @Test
  void tasksAreFoundByTheirAge() throws Exception {
    inLoop(loop -> {
      shop(loop);
      Thread.sleep(20);

      assertThat(olderThan(loop, Duration.ofMillis(10)))
          .extracting(TaskTree.Node::name)
          .contains("main", "exchange rates", "order 17", "visitor");
      assertThat(olderThan(loop, Duration.ofMinutes(5))).isEmpty();
      end(loop);
    });
  }

  // @start region="old"
  List<TaskTree.Node> olderThan(Loop loop, Duration age) {
    return loop.snapshot()
        .nodes()
        .filter(node -> node.kind() == TaskTree.Kind.TASK)
        .filter(node -> node.age().compareTo(age) > 0)
        .toList();
  }

  // @end

  @Test
  void whatBlocksACloseIsFound() throws Exception {
    var loop = Loop.builder().name("archive").build();
    loop.createTask(
        "import",
        () -> {
          try (TaskScope<RuntimeException> scope = TaskScope.open()) {
            scope.fork("row reader", this::ignoreInterrupts);
            scope.join();
          }
        });
    while (!loop.snapshot().toString().contains("awaits TaskScope")) {
      Thread.sleep(1);
    }
    Thread closing = Thread.startVirtualThread(loop::close);
    try {
      assertDrawn("loop archive", loop);
      // @start region="blocks"
      List<TaskTree.Node> culprits =
          loop.snapshot()
              .nodes()
              .filter(node -> node.kind() == TaskTree.Kind.TASK)
              .filter(node -> node.state().equals("cancelling"))
              .filter(node -> node.awaits().isEmpty()) // the others wait for one of these
              .toList();
      for (TaskTree.Node culprit : culprits) {
        log.add(culprit + "\n" + stack(loop, culprit.id()));
      }
      // @end
    } finally {
      mayEnd.countDown();
      closing.join();
    }

    assertThat(log)
        .singleElement()
        .asString()
        .startsWith("task row reader (")
        .contains("ignoreInterrupts(TaskTreeSamplesTest.java:");
  }

  // @start region="stack"
  String stack(Loop loop, long id) {
    return loop.allTasks().stream()
        .filter(task -> task.id() == id)
        .flatMap(task -> task.stackTrace().stream())
        .map(frame -> "  at " + frame)
        .collect(joining("\n"));
  }

  // @end

  @Test
  void waitsThatAreNotOnTasksAreNoEdges() throws Exception {
    inLoop(loop -> {
      var slow = loop.createTask("slow", this::serve);
      loop.createTask("future", () -> slow.toCompletableFuture().get());
      loop.createTask("limited", () -> slow.await(Duration.ofDays(1)));
      while (!line(loop, "task limited (").contains("awaits slow")) {
        Thread.sleep(1);
      }
      assertThat(line(loop, "task future (")).doesNotContain("awaits");
      end(loop);
    });
  }

  private static String line(Loop loop, String start) {
    return loop.snapshot()
        .toString()
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith(start))
        .collect(joining());
  }

  @Test
  void aFailureIsTraced() throws Exception {
    // @start region="debug"
    try (Loop loop = Loop.builder().debug(true).build()) {
      var report = loop.createTask("report", this::readReport);
      loop.runUntilComplete(() -> report.await());
    } catch (IOException e) {
      for (Throwable each : e.getSuppressed()) {
        if (each instanceof TaskTrace trace) {
          log.add(trace.getMessage());
        }
      }
    }
    // @end

    assertThat(log).containsExactlyInAnyOrder("created here", "awaited here by main");
  }

  @Test
  void thePrintedTraceIsAsThePageSays() throws Exception {
    var printed = new StringWriter();

    try (Loop loop = Loop.builder().debug(true).build()) {
      var report = loop.createTask("report", this::readReport);
      loop.runUntilComplete(() -> report.await());
    } catch (IOException e) {
      e.printStackTrace(new PrintWriter(printed));
    }

    assertThat(withoutFrames(printed.toString()))
        .isEqualTo(withoutFrames(textOfThePage("FileNotFoundException: report")));
  }

  private static List<String> withoutFrames(String trace) {
    return trace.lines().filter(line -> !line.strip().matches("(at |\\.\\.\\.).*")).toList();
  }

  @Test
  void theSystemPropertySwitchesDebugOn() throws Exception {
    System.setProperty("selvedge.debug", "true");
    try (Loop loop = Loop.create()) {
      var task = loop.createTask(() -> Thread.currentThread().getName());
      assertThat(task.await()).isEqualTo(task.name());
      assertThat(task.toString()).contains(", created at dev.selvedge.docs.TaskTreeSamplesTest.");
    } finally {
      System.clearProperty("selvedge.debug");
    }
  }

  @Test
  void aThreadHasTheNameThatItsTaskWasGiven() throws Exception {
    inLoop(loop -> {
      assertThat(loop.createTask("cook", () -> Thread.currentThread().getName()).await())
          .isEqualTo("cook");
      assertThat(loop.createTask(() -> Thread.currentThread().getName()).await()).isEmpty();
    });
  }

  // ---- drawings

  /** The text block of the page that contains a phrase. */
  private static String textOfThePage(String phrase) throws IOException {
    String page = Repository.read(Repository.ROOT.resolve("docs/guide/task-tree.md"));
    List<String> texts =
        TEXT.matcher(page)
            .results()
            .map(text -> text.group(1))
            .filter(text -> text.contains(phrase))
            .toList();
    assertThat(texts).as("texts of the page with " + phrase).hasSize(1);
    return texts.getFirst();
  }

  private static void assertDrawn(String root, Loop loop) throws IOException, InterruptedException {
    String expected = drawn(textOfThePage(root));
    Instant end = Instant.now().plusSeconds(10);
    String drawn;
    // One and the same snapshot: between two of them a task may change from one wait to another.
    while (!(drawn = drawn(loop.snapshot().toString())).equals(expected)
        && Instant.now().isBefore(end)) {
      Thread.sleep(1);
    }
    assertThat(drawn).isEqualTo(expected);
  }

  /** Without what differs from run to run. */
  private static String drawn(String drawing) {
    return drawing
        .replaceAll("\\([0-9]+\\)", "(id)")
        .replaceAll("task-[0-9]+", "task-id")
        .replaceAll(", [0-9.]+ m?s old", ", some time old")
        .replaceAll("#[0-9]+ [A-Z_]+", "#id STATE")
        .replaceAll("\\.java:[0-9]+\\)", ".java)");
  }

  // ---- what the tasks do

  private void end(Loop loop) throws InterruptedException {
    mayEnd.countDown();
    while (loop.allTasks().stream().anyMatch(task -> !task.name().equals("main"))) {
      Thread.sleep(1);
    }
  }

  private double loadRates() throws InterruptedException {
    mayEnd.await();
    return 1.17;
  }

  private static double price(double rate) {
    return 100 * rate;
  }

  private void countStock() throws InterruptedException {
    mayEnd.await();
  }

  private void serve() throws InterruptedException {
    mayEnd.await();
  }

  private void readReport() throws IOException {
    throw new FileNotFoundException("report");
  }

  private void ignoreInterrupts() {
    while (mayEnd.getCount() > 0) {
      try {
        mayEnd.await();
      } catch (InterruptedException e) {
        log.size(); // goes on
      }
    }
  }
}
