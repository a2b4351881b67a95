package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.Timeout;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** The samples of guide/getting-started.md. */
@org.junit.jupiter.api.Timeout(30)
class TaskSamplesTest {
  @Test
  void aTaskIsAwaited() throws Exception {
    // @start region="first"
    String page =
        Loop.run(loop -> {
          Task<String, IOException> task = loop.createTask("index", () -> fetch("/index"));
          // ... whatever else main does meanwhile ...
          return task.await();
        });
    // @end

    assertThat(page).isEqualTo("page /index");
  }

  @Test
  void aFailureIsCaughtByItsOwnType() throws Exception {
    assertThat(Loop.run(() -> pageOrNothing("/index"))).isEqualTo("page /index");
    assertThat(Loop.run(() -> pageOrNothing("/missing"))).isEqualTo("no page: /missing");
  }

  // @start region="checked"
  String pageOrNothing(String path) throws InterruptedException {
    var task = Task.create(() -> fetch(path)); // a Task<String, IOException>
    try {
      return task.await();
    } catch (IOException e) {
      return "no page: " + e.getMessage();
    }
  }

  // @end

  @Test
  void aBodyWithAFallbackNeedsNoCatchAtItsAwait() throws Exception {
    assertThat(Loop.run(() -> fallback("/index", Duration.ofDays(1)).await()))
        .isEqualTo("page /index");
    assertThat(Loop.run(() -> fallback("/missing", Duration.ofDays(1)).await()))
        .isEqualTo("no page");
    assertThat(Loop.run(() -> fallback("/slow", Duration.ofMillis(20)).await()))
        .isEqualTo("no page");
  }

  private static Task<String, RuntimeException> fallback(String path, Duration limit) {
    // @start region="fallback"
    Task<String, RuntimeException> task =
        Task.create(() -> {
          try {
            String page = Timeout.within(limit, () -> fetch(path));
            return page; // not: return Timeout.within(...)
          } catch (IOException | TimeoutException e) {
            return "no page";
          }
        });
    // @end
    return task;
  }

  @Test
  void aBodyThatThrowsNothingNeedsNoCatch() throws InterruptedException {
    int sum =
        Loop.run(() -> {
          // @start region="unchecked"
          int answer = Task.create(() -> 6 * 7).await(); // only InterruptedException to declare
          // @end
          return answer;
        });

    assertThat(sum).isEqualTo(42);
  }

  @Test
  void everyAwaitThrowsTheSameObject() throws Exception {
    Loop.run(() -> {
      // @start region="same-object"
      var task = Task.create(() -> fetch("/missing"));

      Throwable first = catchIt(task);
      Throwable second = catchIt(task);
      assertThat(second).isSameAs(first);
      // @end
      assertThat(first).isInstanceOf(FileNotFoundException.class);
    });
  }

  private static Throwable catchIt(Task<String, IOException> task) throws InterruptedException {
    try {
      throw new AssertionError(task.await());
    } catch (IOException e) {
      return e;
    }
  }

  @Test
  void anOutcomeIsOneOfThree() throws Exception {
    Loop.run(() -> {
      assertThat(ended(() -> fetch("/index"), false)).isEqualTo("page /index");
      assertThat(ended(() -> fetch("/missing"), false)).isEqualTo("failed: /missing");
      assertThat(ended(() -> fetch("/slow"), true)).isEqualTo("cancelled: too slow");
    });
  }

  private static String ended(Body<String, IOException> body, boolean cancel)
      throws InterruptedException {
    Task<String, IOException> task = Task.create(body);
    if (cancel) {
      task.cancel("too slow");
    }
    task.awaitDone();
    // @start region="outcome"
    String text =
        switch (task.outcome()) {
          case Outcome.Success<String>(var value) -> value;
          case Outcome.Failure<String>(var exception) -> "failed: " + exception.getMessage();
          case Outcome.Cancelled<String>(var exception) ->
              "cancelled: " + exception.reason().message();
        };
    // @end
    return text;
  }

  @Test
  void aFutureOfAnotherLibraryIsAwaited() throws Exception {
    var client = CompletableFuture.<String>failedFuture(new FileNotFoundException("/missing"));

    assertThatThrownBy(() ->
            Loop.run(loop -> {
              // @start region="foreign"
              Task<String, Exception> answer = loop.createTask(Body.ofStage(client));
              return answer.await(); // throws what the stage failed with, unwrapped
              // @end
            }))
        .isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void anExecutorRunsTasksOfTheLoop() throws Exception {
    inLoop(loop -> {
      // @start region="executor"
      ExecutorService executor = loop.asExecutor();
      Future<String> page = executor.submit(() -> fetch("/index"));
      // @end
      assertThat(page.get()).isEqualTo("page /index");
    });
  }

  @Test
  void aLoopOfOnesOwnIsClosed() throws Exception {
    assertThat(ownLoop()).isEqualTo("page /index");
  }

  private static String ownLoop() throws IOException, InterruptedException {
    // @start region="own-loop"
    try (Loop loop = Loop.builder().name("orders").build()) {
      loop.createTask("poll", TaskSamplesTest::poll);
      return loop.runUntilComplete(() -> fetch("/index"));
    } // cancels what is left, waits for it, reports what failed
    // @end
  }

  private static void poll() throws InterruptedException {
    while (true) {
      Thread.sleep(1000);
    }
  }

  private static String fetch(String path) throws IOException, InterruptedException {
    if (path.equals("/missing")) {
      throw new FileNotFoundException(path);
    }
    if (path.equals("/slow")) {
      Thread.sleep(60_000);
    }
    return "page " + path;
  }
}
