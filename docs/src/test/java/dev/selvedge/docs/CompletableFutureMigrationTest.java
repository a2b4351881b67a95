package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import dev.selvedge.Timeout;
import dev.selvedge.gather.Gather;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** The samples of guide/migrating-from-completable-future.md, before and after. */
@org.junit.jupiter.api.Timeout(30)
class CompletableFutureMigrationTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final LinkedBlockingQueue<Throwable> reported = new LinkedBlockingQueue<>();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch mayEnd = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);

  record Profile(String user, String orders) {}

  // @start region="chain-before"
  CompletableFuture<String> titleLater(String id) {
    return CompletableFuture.supplyAsync(() -> loadUnchecked("user/" + id))
        .thenCompose(user -> CompletableFuture.supplyAsync(() -> loadUnchecked(user + "/page")))
        .thenApply(String::toUpperCase)
        .exceptionally(failure -> "no page: " + failure.getCause().getCause().getMessage());
  }

  // @end

  // @start region="chain"
  String title(String id) throws InterruptedException {
    try {
      String user = load("user/" + id);
      return load(user + "/page").toUpperCase();
    } catch (IOException e) {
      return "no page: " + e.getMessage();
    }
  }

  // @end

  // @start region="chain-task"
  Task<String, RuntimeException> titleTask(Loop loop, String id) {
    return loop.createTask(() -> title(id)); // no IOException is left in its type
  }

  // @end

  @Test
  void aChainBecomesABody() throws Exception {
    inLoop(loop -> {
      assertThat(titleTask(loop, "7").await()).isEqualTo(titleLater("7").join());
      assertThat(titleTask(loop, "missing").await())
          .isEqualTo(titleLater("missing").join())
          .isEqualTo("no page: user/missing");
    });
  }

  // @start region="combine-before"
  CompletableFuture<Profile> profileLater(String id) {
    var user = CompletableFuture.supplyAsync(() -> loadUnchecked("user/" + id));
    var orders = CompletableFuture.supplyAsync(() -> loadUnchecked("orders/" + id));
    return user.thenCombine(orders, Profile::new);
  }

  // @end

  // @start region="combine"
  Profile profile(String id) throws IOException, InterruptedException {
    return Gather.zip(() -> load("user/" + id), () -> load("orders/" + id), Profile::new);
  }

  // @end

  @Test
  void twoTogether() throws Exception {
    assertThat(profile("7")).isEqualTo(profileLater("7").join());
    assertThatThrownBy(() -> profileLater("missing").join())
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(UncheckedIOException.class)
        .hasRootCauseInstanceOf(FileNotFoundException.class);
    assertThatThrownBy(() -> profile("missing")).isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void allOfThemLeavesTheOthersRunning() throws Exception {
    var failing = CompletableFuture.runAsync(() -> loadUnchecked("missing"));
    var serving = CompletableFuture.runAsync(this::serve);
    begun.await();
    assertThatThrownBy(failing::join).hasRootCauseInstanceOf(FileNotFoundException.class);
    assertThat(serving).isNotDone();
    mayEnd.countDown();
    assertThatThrownBy(() -> CompletableFuture.allOf(failing, serving).join())
        .hasRootCauseInstanceOf(FileNotFoundException.class);
    assertThat(log).containsExactly("served to the end");

    assertThatThrownBy(
            () -> {
              try (TaskScope<IOException> scope = TaskScope.open()) {
                scope.fork(() -> load("slow"));
                scope.fork(() -> load("missing"));
                scope.join(); // does not wait for a minute
              }
            })
        .isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aFailureThatNobodyReads() throws Exception {
    // @start region="run-before"
    CompletableFuture.runAsync(() -> send("metrics")) // fails, and nobody hears of it
        // @end
        .whenComplete((_, _) -> ended.countDown());
    ended.await();

    inLoop(loop -> {
      loop.setExceptionHandler((_, context) -> reported.add(context.exception()));
      // @start region="run"
      loop.launch("metrics", () -> send("metrics")); // the handler hears of it, at once
      // @end
      assertThat(reported.take()).hasMessage("cannot send metrics");
    });
  }

  @Test
  void aLimitInTime() throws Exception {
    // @start region="limit-before"
    CompletableFuture<Void> served =
        CompletableFuture.runAsync(this::serve) // goes on after the limit
            .orTimeout(200, TimeUnit.MILLISECONDS);
    // @end
    assertThatThrownBy(served::join).hasCauseInstanceOf(TimeoutException.class);
    assertThat(log).isEmpty();
    mayEnd.countDown();
    ended.await();
    assertThat(log).containsExactly("served to the end");

    assertThatThrownBy(this::serveInTime).isInstanceOf(TimeoutException.class);
    assertThat(log).containsExactly("served to the end", "interrupted");
  }

  // @start region="limit"
  void serveInTime() throws InterruptedException, TimeoutException {
    Timeout.within(Duration.ofMillis(50), () -> serveLong()); // is interrupted at the limit
  }

  // @end

  @Test
  void cancelling() throws Exception {
    var future = CompletableFuture.runAsync(this::serve);
    begun.await();
    assertThat(future.cancel(true)).isTrue();
    assertThat(future).isCancelled();
    assertThat(log).isEmpty();
    mayEnd.countDown();
    ended.await();
    assertThat(log).containsExactly("served to the end"); // it was not interrupted

    inLoop(loop -> {
      var running = new CountDownLatch(1);
      var task =
          loop.createTask(() -> {
            running.countDown();
            serveLong();
          });
      running.await();
      assertThat(task.cancel("enough")).isTrue();
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });
    assertThat(log).containsExactly("served to the end", "interrupted");
  }

  @Test
  void aCallbackApiStays() throws Exception {
    inLoop(loop -> {
      // @start region="stage"
      CompletableFuture<String> answer = new CompletableFuture<>();
      callbackClient(answer::complete, answer::completeExceptionally);
      Task<String, Exception> task = loop.createTask(Body.ofStage(answer));
      // @end
      assertThat(task.await()).isEqualTo("answer");
    });
    var failed = CompletableFuture.failedFuture(new FileNotFoundException("/missing"));
    assertThatThrownBy(() -> Loop.run(Body.ofStage(failed)))
        .isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aCallerThatWantsAFuture() throws Exception {
    inLoop(loop -> {
      // @start region="copy"
      CompletableFuture<String> title = titleTask(loop, "7").toCompletableFuture();
      // @end
      assertThat(title.thenApply(String::length).get()).isEqualTo("USER/7/PAGE".length());

      var task = loop.createTask(() -> load("slow"));
      assertThat(task.toCompletableFuture().cancel(true)).isTrue();
      assertThat(task.cancelReason()).isEmpty(); // the copy was cancelled, and not the task
    });
  }

  @Test
  void aCallbackThatFails() throws Exception {
    var future = new CompletableFuture<String>();
    future.thenAccept(_ -> send("callback"));
    future.complete("a");
    assertThat(future.join()).isEqualTo("a"); // nobody hears of the callback

    inLoop(loop -> {
      loop.setExceptionHandler((_, context) -> reported.add(context.exception()));
      var task = loop.createTask(() -> load("a")).onDone(_ -> send("callback"));
      assertThat(task.await()).isEqualTo("a");
      assertThat(reported.take()).hasMessage("cannot send callback");
    });
  }

  private static void callbackClient(
      java.util.function.Consumer<String> success, java.util.function.Consumer<Throwable> failure) {
    Thread.startVirtualThread(() -> {
      try {
        success.accept("answer");
      } catch (RuntimeException e) {
        failure.accept(e);
      }
    });
  }

  private static void send(String what) {
    throw new IllegalStateException("cannot send " + what);
  }

  private void serve() {
    begun.countDown();
    try {
      mayEnd.await();
      log.add("served to the end");
    } catch (InterruptedException e) {
      log.add("interrupted");
    } finally {
      ended.countDown();
    }
  }

  private void serveLong() throws InterruptedException {
    try {
      Thread.sleep(60_000);
    } finally {
      log.add("interrupted");
    }
  }

  private static String loadUnchecked(String key) {
    try {
      return load(key);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String load(String key) throws IOException, InterruptedException {
    if (key.endsWith("missing")) {
      throw new FileNotFoundException(key);
    }
    if (key.endsWith("slow")) {
      Thread.sleep(60_000);
    }
    return key;
  }
}
