package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The samples of guide/failures.md. */
@Timeout(30)
class FailureSamplesTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private int attempts;

  // @start region="inside"
  String readWithRetry(String path) throws IOException {
    IOException last = null;
    for (int attempt = 0; attempt < 3; attempt++) {
      try {
        return read(path);
      } catch (IOException e) {
        last = e;
      }
    }
    throw last;
  }

  // @end

  @Test
  void insideABodyJavaIsAsItWas() throws Exception {
    assertThat(Loop.run(() -> readWithRetry("third time lucky"))).isEqualTo("content");
    assertThatIOException().isThrownBy(() -> Loop.run(() -> readWithRetry("missing")));
  }

  @Test
  void anAwaitedFailureArrivesAtTheAwait() throws Exception {
    Loop.run(() -> {
      // @start region="awaited"
      var config = Task.create(() -> read("missing"));
      try {
        log.add(config.await());
      } catch (IOException e) {
        log.add("defaults, because of " + e.getMessage());
      }
      // @end
    });

    assertThat(log).containsExactly("defaults, because of missing");
  }

  @Test
  void aLaunchedFailureIsReportedAtOnce() throws Exception {
    inLoop(loop -> {
      var reported = new CompletableFuture<Throwable>();
      loop.setExceptionHandler((of, context) -> reported.complete(context.exception()));
      // @start region="launch"
      loop.launch("warm the cache", () -> read("missing"));
      // @end
      assertThat(reported.get()).isInstanceOf(FileNotFoundException.class);
    });
  }

  @Test
  void theCloseOfTheLoopReportsWhatIsUnread() throws Exception {
    List<Task<String, IOException>> forgotten = new ArrayList<>();

    // @start region="close"
    try (Loop loop = Loop.builder().exceptionHandler(this::record).build()) {
      forgotten.add(loop.createTask("forgotten", () -> read("missing")));
      loop.runUntilComplete(() -> forgotten.getFirst().awaitDone()); // waits, but reads nothing
    } // Task exception was never retrieved: forgotten
    // @end

    assertThat(log).containsExactly("Task exception was never retrieved: forgotten");
  }

  @Test
  void aReportDoesNotChangeTheOutcome() throws Exception {
    try (Loop loop =
        Loop.builder()
            .exceptionHandler(this::record)
            // @start region="orphan-after"
            .orphanAfter(Duration.ofSeconds(5)) // how long a failure may stay unread
            // @end
            .orphanAfter(Duration.ofMillis(1))
            .build()) {
      var task = loop.createTask("late", () -> read("missing"));
      while (log.isEmpty()) {
        Thread.sleep(1);
      }

      assertThatIOException().isThrownBy(task::await);
    }
    assertThat(log).containsExactly("Task exception was never retrieved: late");
  }

  @Test
  void aFailureThatIsIgnoredOnPurposeIsNotReported() throws Exception {
    try (Loop loop = Loop.builder().exceptionHandler(this::record).build()) {
      // @start region="ignore"
      loop.createTask("best effort", () -> read("missing")).ignoreFailure();
      // @end
    }

    assertThat(log).isEmpty();
  }

  @Test
  void aFutureCopyThatSomebodyUsesIsARetrieval() throws Exception {
    try (Loop loop = Loop.builder().exceptionHandler(this::record).build()) {
      var task = loop.createTask(() -> read("missing"));
      // @start region="future-copy"
      CompletableFuture<String> copy = task.toCompletableFuture();
      CompletableFuture<String> safe = copy.exceptionally(failure -> "nothing");
      // @end
      assertThat(safe.get()).isEqualTo("nothing");
    }

    assertThat(log).isEmpty();
  }

  @Test
  void aHandlerSeesTheContext() throws Exception {
    List<String> lines = new CopyOnWriteArrayList<>();
    List<Throwable> alerts = new CopyOnWriteArrayList<>();

    inLoop(loop -> {
      // @start region="handler"
      loop.setExceptionHandler((of, context) -> {
        lines.add("selvedge: " + context.message());
        Throwable failure = context.exception();
        if (failure != null) { // a warning has none
          alerts.add(failure);
        }
      });
      // @end
      failUnread("quiet");
    });

    assertThat(lines).containsExactly("selvedge: Task exception was never retrieved");
    assertThat(alerts).singleElement().isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void theDefaultHandlerMayBeCalledByOnesOwn() throws Exception {
    String printed =
        printedBy(() ->
            inLoop(loop -> {
              // @start region="delegate"
              loop.setExceptionHandler((of, context) -> {
                log.add(context.message());
                of.defaultExceptionHandler(context); // and print it as usual
              });
              // @end
              failUnread("report");
            }));

    assertThat(log).hasSize(1);
    assertThat(printed.lines().toList())
        .satisfies(lines -> {
          assertThat(lines.get(0)).isEqualTo("Task exception was never retrieved");
          assertThat(lines.get(1)).startsWith("future: Task[report, id=").contains("finished");
          assertThat(lines.get(2)).isEqualTo("java.io.FileNotFoundException: missing");
          assertThat(lines.get(3)).startsWith("\tat ");
        });
  }

  private interface Run {
    void run() throws Exception;
  }

  private static String printedBy(Run run) throws Exception {
    var bytes = new ByteArrayOutputStream();
    PrintStream before = System.err;
    try (var err = new PrintStream(bytes, true, UTF_8)) {
      System.setErr(err);
      run.run();
    } finally {
      System.setErr(before);
    }
    return bytes.toString(UTF_8);
  }

  private void record(Loop loop, dev.selvedge.ExceptionContext context) {
    @Nullable Task<?, ?> task = context.future();
    log.add(context.message() + ": " + (task == null ? "" : task.name()));
  }

  private void failUnread(String name) throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
      scope.fork(name, () -> read("missing"));
      scope.join();
    }
  }

  private String read(String path) throws IOException {
    if (path.equals("missing") || ++attempts < 3) {
      throw new FileNotFoundException(path);
    }
    return "content";
  }
}
