package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The shapes of code that users write against core: they compile without a warning, and they work.
 */
@ExtendWith(Oracle.class)
class UserCodeTest {
  record Page(String title, int visits) {}

  private static final Threads.Reported REPORTED = new Threads.Reported();

  private static CountDownLatch polled = new CountDownLatch(1);
  private static CountDownLatch polledInVain = new CountDownLatch(1);

  static String fetch(String url) throws IOException {
    if (url.equals("bad")) {
      throw new IOException(url);
    }
    return url;
  }

  static int count(String url) throws SQLException {
    return url.length();
  }

  static void poll() throws IOException {
    polled.countDown();
  }

  static void pollInVain() throws IOException {
    polledInVain.countDown();
    throw new IOException("bad");
  }

  static void handler(Loop loop, ExceptionContext context) {
    REPORTED.handle(loop, context);
  }

  @AfterEach
  void reset() {
    Loop.current().setExceptionHandler(null);
    REPORTED.contexts.clear();
    polled = new CountDownLatch(1);
    polledInVain = new CountDownLatch(1);
  }

  // a failure is re-thrown at the await, with its own type
  private static String awaited(String url) throws InterruptedException {
    Loop loop = Loop.current();
    var task = loop.createTask(() -> fetch(url));
    try {
      return task.await();
    } catch (IOException e) {
      return "may_fail failed";
    }
  }

  @Test
  @DisplayName("A failure is re-thrown at the await, with its own type")
  void awaitRethrowsTheCheckedType() throws Exception {
    assertThat(awaited("a")).isEqualTo("a");
    assertThat(awaited("bad")).isEqualTo("may_fail failed");
  }

  private static int nothingToCatch() throws InterruptedException {
    return Task.create(() -> 42).await();
  }

  @Test
  @DisplayName("A body that throws nothing checked needs no catch")
  void aBodyThatThrowsNothingChecked() throws Exception {
    assertThat(nothingToCatch()).isEqualTo(42);
  }

  private static Page actions() throws InterruptedException {
    Loop loop = Loop.current();
    var named =
        loop.createTask(
            "poller",
            () -> {
              while (true) {
                Thread.sleep(1000);
                poll();
              }
            });
    named.cancel("enough");
    loop.launch(UserCodeTest::poll);
    var pair = loop.createTask(() -> new Page("t", 1));
    Page page = pair.await();
    return page;
  }

  @Test
  @DisplayName("Endless loops, method references and var")
  void actionsAndBodies() throws Exception {
    assertThat(actions()).isEqualTo(new Page("t", 1));
    polled.await();
  }

  private static String withoutValue() throws InterruptedException, IOException {
    Task.create(UserCodeTest::poll).await();
    Loop.run(() -> fetch("a"));
    Loop.run(UserCodeTest::poll);
    return Task.shielded(() -> fetch("clean-up"));
  }

  @Test
  @DisplayName("Actions where a body could stand")
  void actionsWhereABodyCouldStand() throws Exception {
    assertThat(withoutValue()).isEqualTo("clean-up");
  }

  private static String settled(String url) throws InterruptedException {
    var task = Task.create(() -> fetch(url));
    try (TaskScope<RuntimeException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
      scope.fork(() -> awaited(url));
      scope.join();
    }
    while (!task.isDone()) {
      Thread.onSpinWait();
    }
    Outcome<String> outcome = task.outcome();
    return switch (outcome) {
      case Outcome.Success<String>(var value) -> value;
      case Outcome.Failure<String>(var exception) -> exception.getMessage();
      case Outcome.Cancelled<String>(var exception) -> exception.reason().message();
    };
  }

  @Test
  @DisplayName("An outcome is read by its record pattern")
  void anOutcomeIsReadByItsPattern() throws Exception {
    assertThat(settled("ok")).isEqualTo("ok");
    assertThat(settled("bad")).isEqualTo("bad");
  }

  private static String scoped() throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open()) {
      var page = scope.fork(() -> fetch("a"));
      scope.fork(UserCodeTest::poll);
      scope.join();
      return page.result();
    }
  }

  @Test
  @DisplayName("A scope with one checked exception")
  void aScope() throws Exception {
    assertThat(scoped()).isEqualTo("a");
    polled.await();
  }

  private static Page bothTypes() throws InterruptedException {
    var title = Task.create(() -> fetch("a"));
    var visits = Task.create(() -> count("a"));
    try {
      return new Page(title.await(), visits.await());
    } catch (IOException e) {
      return new Page("no page", 0);
    } catch (SQLException e) {
      return new Page("no count", 0);
    }
  }

  @Test
  @DisplayName("Each task keeps its own checked exception")
  void eachTaskKeepsItsCheckedException() throws Exception {
    assertThat(bothTypes()).isEqualTo(new Page("a", 1));
  }

  private static String program() throws InterruptedException, IOException {
    Loop.current().setExceptionHandler(UserCodeTest::handler);
    String page =
        Loop.run(loop -> {
          loop.launch("background", UserCodeTest::poll);
          loop.launch("lost", UserCodeTest::pollInVain);
          polled.await();
          polledInVain.await();
          return fetch("a");
        });
    try (Loop own = Loop.builder().name("orders").exceptionHandler(UserCodeTest::handler).build()) {
      return own.runUntilComplete(() -> fetch(page));
    }
  }

  @Test
  @DisplayName("A program: a handler, a run, and a loop of its own")
  void aProgram() throws Exception {
    assertThat(program()).isEqualTo("a");

    assertThat(REPORTED.exceptions())
        .singleElement()
        .satisfies(e -> assertThat(e).isInstanceOf(IOException.class).hasMessage("bad"));
  }
}
