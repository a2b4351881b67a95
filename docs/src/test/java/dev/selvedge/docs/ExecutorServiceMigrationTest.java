package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Admission;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import dev.selvedge.Timeout;
import dev.selvedge.gather.Every;
import dev.selvedge.gather.Gather;
import dev.selvedge.gather.ReturnWhen;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The samples of guide/migrating-from-executor-service.md, before and after. */
@org.junit.jupiter.api.Timeout(30)
class ExecutorServiceMigrationTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final LinkedBlockingQueue<Throwable> reported = new LinkedBlockingQueue<>();
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger();
  private final AtomicInteger polls = new AtomicInteger();
  private final CountDownLatch polledAgain = new CountDownLatch(1);

  // @start region="get-before"
  String pageFromPool(ExecutorService executor) throws IOException, InterruptedException {
    Future<String> page = executor.submit(() -> fetch("/missing"));
    try {
      return page.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  // @end

  // @start region="get"
  String page(Loop loop) throws IOException, InterruptedException {
    Task<String, IOException> page = loop.createTask(() -> fetch("/missing"));
    return page.await();
  }

  // @end

  @Test
  void theFailureOfOneTask() throws Exception {
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      assertThatThrownBy(() -> pageFromPool(executor)).isInstanceOf(FileNotFoundException.class);
    }
    assertThatThrownBy(() -> Loop.run(this::page)).isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aFailureThatNobodyReads() throws Exception {
    var uncaught = new CopyOnWriteArrayList<Throwable>();
    var handler = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((_, failure) -> uncaught.add(failure));
    try {
      try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
        // @start region="submit-before"
        executor.submit(() -> fetch("/missing")); // fails, and nobody hears of it
        // @end
      }
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(handler);
    }
    assertThat(uncaught).isEmpty();

    inLoop(loop -> {
      loop.setExceptionHandler((_, context) -> reported.add(context.exception()));
      // @start region="submit"
      loop.launch("refresh", () -> fetch("/missing")); // the handler hears of it, at once
      // @end
      assertThat(reported.take()).isInstanceOf(FileNotFoundException.class);
    });
  }

  // @start region="all-before"
  List<String> pagesFromPool(ExecutorService executor, List<String> paths)
      throws InterruptedException, ExecutionException {
    var fetches = new ArrayList<Callable<String>>();
    paths.forEach(path -> fetches.add(() -> fetch(path)));
    var pages = new ArrayList<String>();
    for (Future<String> page : executor.invokeAll(fetches)) { // waits for every one
      pages.add(page.get()); // the first failure; later ones are never read
    }
    return pages;
  }

  // @end

  // @start region="all"
  List<String> pages(List<String> paths) throws IOException, InterruptedException {
    return Gather.map(paths, 20, path -> fetch(path)); // at most 20 at the same time
  }

  // @end

  @Test
  void allOfAList() throws Exception {
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      assertThat(pagesFromPool(executor, List.of("/a", "/b")))
          .isEqualTo(pages(List.of("/a", "/b")));
      assertThatThrownBy(() -> pagesFromPool(executor, List.of("/a", "/missing")))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(FileNotFoundException.class);
    }
    assertThatThrownBy(() -> pages(List.of("/a", "/missing", "/slow"))) // does not wait for /slow
        .isInstanceOf(FileNotFoundException.class);
  }

  // @start region="limit-before"
  String pageInTimeFromPool(ExecutorService executor, String path)
      throws InterruptedException, ExecutionException, TimeoutException {
    Future<String> page = executor.submit(() -> fetch(path));
    try {
      return page.get(50, TimeUnit.MILLISECONDS);
    } finally {
      page.cancel(true);
    }
  }

  // @end

  // @start region="limit"
  String pageInTime(Loop loop, String path)
      throws IOException, InterruptedException, TimeoutException {
    var page = loop.createTask(() -> fetch(path));
    return Timeout.waitFor(page, Duration.ofMillis(50));
  }

  // @end

  @Test
  void aLimitInTime() throws Exception {
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      assertThatThrownBy(() -> pageInTimeFromPool(executor, "/slow"))
          .isInstanceOf(TimeoutException.class);
    }
    assertThatThrownBy(() -> Loop.run(loop -> pageInTime(loop, "/slow")))
        .isInstanceOf(TimeoutException.class);
  }

  // @start region="in-time-before"
  List<String> pagesInTimeFromPool(ExecutorService executor, List<Callable<String>> fetches)
      throws InterruptedException {
    var pages = new ArrayList<String>();
    for (var page : executor.invokeAll(fetches, 500, TimeUnit.MILLISECONDS)) {
      if (page.state() == Future.State.SUCCESS) {
        pages.add(page.resultNow());
      }
    }
    return pages;
  }

  // @end

  // @start region="in-time"
  List<String> pagesInTime(List<String> paths, Duration limit) throws InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open(Policy.SUPERVISE)) {
      var fetches = new ArrayList<Task<String, IOException>>();
      for (String path : paths) {
        fetches.add(scope.fork(() -> fetch(path)));
      }
      var waited = Gather.waitUntil(ReturnWhen.ALL_COMPLETED, fetches, limit);
      var pages = new ArrayList<String>();
      for (var fetch : waited.done()) { // in the order of the list
        if (fetch.outcome() instanceof Outcome.Success<String>(String page)) {
          pages.add(page);
        }
      }
      return pages;
    } // cancels the late ones, waited.pending(), and waits for them
  }

  // @end

  @Test
  void whatIsDoneInTime() throws Exception {
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<String>> fetches =
          List.of(() -> fetch("/a"), () -> fetch("/missing"), () -> fetch("/slow"));
      assertThat(pagesInTimeFromPool(executor, fetches)).containsExactly("page /a");
    }
    inLoop(loop -> {
      loop.setExceptionHandler((_, context) -> reported.add(context.exception()));
      assertThat(pagesInTime(List.of("/a", "/missing", "/slow", "/b"), Duration.ofMillis(500)))
          .containsExactly("page /a", "page /b");
      assertThat(loop.allTasks()).hasSize(1); // main
    });
    assertThat(reported).isEmpty();
  }

  @Test
  void cancelReturnsBeforeTheEnd() throws Exception {
    var begun = new CountDownLatch(2);
    var mayEnd = new CountDownLatch(1);

    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> before = executor.submit(() -> serveOn(begun, mayEnd));
      inLoop(loop -> {
        var after = loop.createTask(() -> serveOn(begun, mayEnd));
        begun.await();

        assertThat(before.cancel(true)).isTrue();
        assertThat(before.isDone()).isTrue(); // although it is still running
        assertThatThrownBy(before::get).isInstanceOf(CancellationException.class);

        assertThat(after.cancel("enough")).isTrue();
        assertThat(after.isDone()).isFalse();
        mayEnd.countDown();
        assertThatThrownBy(after::await).isInstanceOf(TaskCancelledException.class);
      });
    }
  }

  private static Object serveOn(CountDownLatch begun, CountDownLatch mayEnd)
      throws InterruptedException {
    begun.countDown();
    awaitThroughInterrupts(mayEnd);
    Task.checkCancelled();
    return "not cancelled";
  }

  private static void awaitThroughInterrupts(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void atMostThreeAtATime() throws Exception {
    // @start region="bounded-before"
    try (var executor = Executors.newFixedThreadPool(3)) {
      for (int id = 0; id < 20; id++) {
        executor.submit(this::askTheDatabase);
      }
    } // close waits for all of them
    // @end
    assertThat(most.getAndSet(0)).isBetween(1, 3);
    assertThat(log).hasSize(20);

    Loop.run(() -> {
      // @start region="bounded"
      try (TaskScope<RuntimeException> scope =
          TaskScope.open(Policy.CANCEL_ON_FAILURE, "queries", Admission.block(3))) {
        for (int id = 0; id < 20; id++) {
          scope.fork(this::askTheDatabase); // waits while three are alive
        }
        scope.join(); // close would cancel them
      }
      // @end
    });
    assertThat(most).hasValueBetween(1, 3);
    assertThat(log).hasSize(40);
  }

  private void askTheDatabase() {
    most.accumulateAndGet(running.incrementAndGet(), Math::max);
    Thread.yield();
    log.add("answer");
    running.decrementAndGet();
  }

  @Test
  void aPeriodicJobThatFailsOnce() throws Exception {
    try (var executor = Executors.newSingleThreadScheduledExecutor()) {
      // @start region="periodic-before"
      var polling = executor.scheduleWithFixedDelay(this::poll, 0, 1, TimeUnit.MILLISECONDS);
      // ... the first failure ends it; who does not call polling.get() does not know ...
      // @end
      while (!polling.isDone()) {
        Thread.sleep(1);
      }
    }
    assertThat(polls.getAndSet(0)).isEqualTo(3);

    inLoop(loop -> {
      loop.setExceptionHandler((_, context) -> reported.add(context.exception()));
      // @start region="periodic"
      loop.launch("poll", () -> Every.fixedDelay(Duration.ofMillis(1)).run(this::poll));
      // @end
      assertThat(reported.take()).hasMessage("poll 3");
      polledAgain.await();
    });
  }

  private void poll() {
    int poll = polls.incrementAndGet();
    if (poll == 3) {
      throw new IllegalStateException("poll " + poll);
    } else if (poll == 4) {
      polledAgain.countDown();
    }
  }

  @Test
  void whatIsLeftAtTheClose() throws Exception {
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      executor.submit(() -> log.add(fetch("/late")));
    }
    assertThat(log).containsExactly("page /late");

    var begun = new CountDownLatch(1);
    try (Loop loop = Loop.create()) {
      loop.createTask(() -> {
        try {
          begun.countDown();
          log.add(fetch("/slow"));
        } catch (InterruptedException e) {
          log.add("cancelled");
        }
      });
      begun.await();
    }
    assertThat(log).containsExactly("page /late", "cancelled");
  }

  @Test
  void codeThatWantsAnExecutor() throws Exception {
    inLoop(loop -> {
      // @start region="as-executor"
      ExecutorService executor = loop.asExecutor(); // its tasks belong to the loop
      List<String> pages = pagesFromPool(executor, List.of("/a", "/b"));
      // @end
      assertThat(pages).containsExactly("page /a", "page /b");
      assertThatThrownBy(() -> pageFromPool(executor)).isInstanceOf(FileNotFoundException.class);
      String any = executor.invokeAny(List.of(() -> fetch("/missing"), () -> fetch("/a")));
      assertThat(any).isEqualTo("page /a");
    });
  }

  private static String fetch(String path) throws IOException, InterruptedException {
    if (path.equals("/missing")) {
      throw new FileNotFoundException(path);
    }
    Thread.sleep(path.equals("/slow") ? 60_000 : path.equals("/late") ? 50 : 0);
    return "page " + path;
  }
}
