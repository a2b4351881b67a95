package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskTrace;
import dev.selvedge.Timeout;
import dev.selvedge.gather.ExceptionGroup;
import dev.selvedge.gather.Gather;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The samples of guide/migrating-from-structured-task-scope.md: those of Selvedge are here, those
 * of the JDK in StructuredTaskScopeBefore.java. The answers of both are compared.
 */
@org.junit.jupiter.api.Timeout(30)
class StructuredTaskScopeMigrationTest {
  private static final String FAILED = "java.util.concurrent.StructuredTaskScope$FailedException: ";
  private static final ScopedValue<String> USER = ScopedValue.newInstance();

  /** What each sample of the JDK's scope answered. */
  private static Map<String, String> before = Map.of();

  private final List<String> greetings = new ArrayList<>();
  private final List<Throwable> reported = new CopyOnWriteArrayList<>();

  record Profile(String user, String orders) {}

  @BeforeAll
  @org.junit.jupiter.api.Timeout(120)
  static void runTheCodeOfBefore(@TempDir Path folder) throws Exception {
    Path program =
        Repository.ROOT.resolve(
            "docs/src/test/resources/dev/selvedge/docs/StructuredTaskScopeBefore.java");
    Path output = folder.resolve("output");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var process =
        new ProcessBuilder(java, "--enable-preview", "--source", "25", program.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(100, TimeUnit.SECONDS)).as("ended").isTrue();
    } finally {
      process.destroyForcibly();
    }

    String printed = Repository.read(output);
    assertThat(process.exitValue()).as(printed).isZero();
    before =
        printed
            .lines()
            .filter(line -> line.startsWith("answer "))
            .map(line -> line.substring("answer ".length()).split(" = ", 2))
            .collect(toMap(pair -> pair[0], pair -> pair[1]));
    assertThat(before).doesNotContainKey("uncaught");
  }

  // @start region="all"
  Profile profile(String id) throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open()) {
      var user = scope.fork(() -> load("user/" + id));
      var orders = scope.fork(() -> load("orders/" + id));
      scope.join(); // throws the IOException itself
      return new Profile(user.result(), orders.result());
    }
  }

  // @end

  @Test
  void allOrTheFirstFailure() throws Exception {
    assertThat(profile("7")).hasToString(before.get("all"));
    assertThat(before.get("all-missing")).startsWith("java.io.FileNotFoundException: ");
    assertThatThrownBy(() -> profile("missing")).isInstanceOf(FileNotFoundException.class);
  }

  // @start region="each"
  List<String> loadEach(List<String> keys) throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
      var tasks = new ArrayList<Task<String, IOException>>();
      for (String key : keys) {
        tasks.add(scope.fork(() -> load(key)));
      }
      scope.join(); // declares the IOException, and here never throws it
      var lines = new ArrayList<String>();
      for (var task : tasks) {
        lines.add(
            switch (task.outcome()) {
              case Outcome.Success<String>(var value) -> value;
              case Outcome.Failure<String>(var failure) -> "failed: " + failure.getMessage();
              case Outcome.Cancelled<String> _ -> "cancelled";
            });
      }
      return lines;
    }
  }

  // @end

  @Test
  void eachChildForItself() throws Exception {
    assertThat(loadEach(List.of("a", "missing", "b"))).hasToString(before.get("each"));
  }

  // @start region="any"
  String fromAny(List<String> mirrors) throws ExceptionGroup, InterruptedException {
    var loads = new ArrayList<Body<String, IOException>>();
    mirrors.forEach(mirror -> loads.add(() -> load(mirror)));
    return Gather.any(loads); // the others are cancelled and waited for
  }

  // @end

  @Test
  void theFirstSuccess() throws Exception {
    List<String> mirrors = List.of("missing", "gone/missing");

    assertThat(fromAny(List.of("missing", "a", "slow"))).isEqualTo(before.get("any"));

    // The JDK's scope keeps the first failure, this one lists all.
    assertThat(before.get("any-missing")).startsWith(FAILED).doesNotContain(" + ");
    assertThatThrownBy(() -> fromAny(mirrors))
        .isInstanceOfSatisfying(
            ExceptionGroup.class, group -> assertThat(group.exceptions()).hasSize(2));
  }

  // @start region="timeout"
  Profile profileWithin(Duration limit, String id)
      throws IOException, InterruptedException, TimeoutException {
    return Timeout.within(limit, () -> profile(id)); // java.util.concurrent.TimeoutException
  }

  // @end

  @Test
  void aLimit() throws Exception {
    assertThat(profileWithin(Duration.ofSeconds(30), "7")).hasToString(before.get("timeout"));
    assertThat(before.get("timeout-slow"))
        .startsWith("java.util.concurrent.StructuredTaskScope$TimeoutException");
    assertThatThrownBy(() -> profileWithin(Duration.ofMillis(50), "slow"))
        .isInstanceOf(TimeoutException.class);
  }

  @Test
  void aScopedValueIsInheritedIfTheLoopIsTold() throws Exception {
    // @start region="inherit"
    try (Loop loop = Loop.builder().inherit(USER).build()) {
      loop.runUntilComplete(() -> ScopedValue.where(USER, "Ada").run(this::serve));
    }
    // @end

    assertThat(greetings).containsExactly(before.get("scoped-value"));
  }

  private void serve() {
    greetings.add(greetingOfAChild());
  }

  @Test
  void aScopedValueIsOtherwiseNotInherited() {
    assertThatThrownBy(() -> ScopedValue.where(USER, "Ada").call(this::greetingOfAChild))
        .isInstanceOf(NoSuchElementException.class);
  }

  private String greetingOfAChild() {
    try (TaskScope<RuntimeException> scope = TaskScope.open()) {
      return scope.fork(() -> "hello " + USER.get()).await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aSecondFailureIsSuppressedInTheFirst() {
    var waiting = new CountDownLatch(1);

    assertThat(before.get("second-failure"))
        .isEqualTo(FAILED + "java.io.IOException: the first <- java.io.IOException: the first");
    assertThatThrownBy(
            () -> {
              try (TaskScope<IOException> scope = TaskScope.open()) {
                scope.fork(() -> {
                  waiting.await();
                  throw new IOException("the first");
                });
                scope.fork(() -> blockAndFail(waiting));
                scope.join();
              }
            })
        .isExactlyInstanceOf(IOException.class)
        .hasMessage("the first")
        .satisfies(first ->
            assertThat(failuresIn(first))
                .singleElement()
                .satisfies(second -> assertThat(second).hasMessage("cannot clean up")));
  }

  @Test
  void leftWithoutJoin() throws Exception {
    assertThat(before.get("closed-without-join"))
        .isEqualTo("java.lang.IllegalStateException: Owner did not join after forking");
    reporting(() -> {
      try (TaskScope<IOException> scope = TaskScope.open()) {
        scope.fork(() -> load("missing")).awaitDone();
      }
    });

    assertThat(reported).singleElement().isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void theBodyThrows() {
    assertThat(before.get("body-threw"))
        .isEqualTo(
            "java.io.IOException: the body"
                + " + java.lang.IllegalStateException: Owner did not join after forking");
    assertThatThrownBy(() ->
            reporting(() -> {
              try (TaskScope<IOException> scope = TaskScope.open()) {
                scope.fork(() -> load("missing")).awaitDone();
                throw new IOException("the body");
              }
            }))
        .hasMessage("the body")
        .satisfies(thrown -> assertThat(failuresIn(thrown)).isEmpty());

    assertThat(reported).singleElement().isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aFailureBeforeTheTimeout() {
    assertThat(before.get("failed-before-the-timeout"))
        .isEqualTo("java.util.concurrent.StructuredTaskScope$TimeoutException: null");
    assertThatThrownBy(() ->
            Timeout.within(
                Duration.ofMillis(300),
                () -> {
                  try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
                    var failing = scope.fork(() -> load("missing"));
                    scope.fork(() -> load("slow"));
                    scope.join();
                    failing.result();
                  }
                }))
        .isInstanceOf(TimeoutException.class)
        .satisfies(timeout ->
            assertThat(failuresIn(timeout))
                .singleElement()
                .isInstanceOf(FileNotFoundException.class));
  }

  @Test
  void aFailureAfterTheOwnerWasInterrupted() {
    assertThat(before.get("failed-after-the-interrupt"))
        .isEqualTo("java.lang.InterruptedException: null");
    assertThatThrownBy(
            () -> {
              var waiting = new CountDownLatch(1);
              try (TaskScope<IOException> scope = TaskScope.open()) {
                scope.fork(() -> blockAndFail(waiting));
                waiting.await();
                Thread.currentThread().interrupt();
                scope.join();
              }
            })
        .isInstanceOf(InterruptedException.class)
        .satisfies(interrupt ->
            assertThat(failuresIn(interrupt))
                .singleElement()
                .satisfies(failure -> assertThat(failure).hasMessage("cannot clean up")));
  }

  @Test
  void aFailureThatNobodyReads() throws Exception {
    assertThat(before.get("nobody-reads")).isEqualTo("no failure");
    reporting(() -> {
      try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
        scope.fork(() -> load("missing"));
        scope.join();
      }
    });

    assertThat(reported).singleElement().isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aForkThatComesTooLate() throws Exception {
    assertThat(before.get("forked-late")).isEqualTo("UNAVAILABLE");
    try (TaskScope<IOException> scope = TaskScope.open()) {
      scope.cancel("enough");
      var late = scope.fork(() -> load("b"));
      scope.join();

      assertThat(late.isCancelled()).isTrue();
      assertThat(late.cancelReason().map(CancelReason::message)).hasValue("enough");
    }
  }

  @Test
  void whatIsAllowedHere() throws Exception {
    assertThat(before.get("joined-twice")).startsWith("java.lang.IllegalStateException");
    assertThat(before.get("forked-by-a-child")).isEqualTo("WrongThreadException");
    assertThat(before.get("read-early")).isEqualTo("IllegalStateException");
    try (TaskScope<IOException> scope = TaskScope.open()) {
      var outer = scope.fork(() -> scope.fork(() -> load("a")));
      assertThat(outer.await().await()).isEqualTo("a");
      scope.join();
      scope.fork(() -> load("b"));
      scope.join();
    }
  }

  @Test
  void aResultIsThereWhenItsTaskIsDone() throws Exception {
    var waiting = new CountDownLatch(1);

    try (TaskScope<IOException> scope = TaskScope.open()) {
      var task =
          scope.fork(() -> {
            waiting.await();
            return "done";
          });
      assertThatIllegalStateException().isThrownBy(task::result);
      waiting.countDown();
      scope.join();
      assertThat(task.result()).isEqualTo("done");
    }
  }

  private void reporting(Main main) throws Exception {
    inLoop(loop -> {
      loop.setExceptionHandler((_, context) -> reported.add(context.exception()));
      main.run();
    });
  }

  @FunctionalInterface
  private interface Main {
    void run() throws Exception;
  }

  private static void blockAndFail(CountDownLatch begun) throws IOException, InterruptedException {
    try {
      begun.countDown();
      Thread.sleep(60_000);
    } finally {
      cleanUp();
    }
  }

  private static void cleanUp() throws IOException {
    throw new IOException("cannot clean up");
  }

  /** Without the frames that say where a failure was awaited. */
  private static List<Throwable> failuresIn(Throwable thrown) {
    return Stream.of(thrown.getSuppressed()).filter(each -> !(each instanceof TaskTrace)).toList();
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
