package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskTrace;
import dev.selvedge.Timeout;
import dev.selvedge.testkit.ManualClock;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** The samples of guide/cancellation.md that are about limits, and its tables. */
@org.junit.jupiter.api.Timeout(30)
class TimeoutSamplesTest {
  private static final Duration SHORT = Duration.ofMillis(20);
  private static final Duration LONG = Duration.ofDays(1);
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final CountDownLatch begun = new CountDownLatch(1);

  // ---- around a body

  @Test
  void aBodyIsEndedByItsLimit() throws Exception {
    assertThat(page("/index", LONG)).isEqualTo("page /index");
    assertThat(page("/slow", SHORT)).isEqualTo("too slow");
    assertThatIOException().isThrownBy(() -> page("/missing", LONG));
    Thread.sleep(1); // no interrupt is left behind
  }

  // @start region="within"
  String page(String path, Duration limit) throws IOException, InterruptedException {
    try {
      return Timeout.within(limit, () -> fetch(path)); // in this thread
    } catch (TimeoutException e) { // the one of java.util.concurrent
      return "too slow";
    }
  }

  // @end

  @Test
  void anActionIsLimitedToo() {
    assertThatThrownBy(() -> flushWithin(SHORT))
        .isInstanceOf(TimeoutException.class)
        .hasMessage("not done within PT0.02S")
        .hasCauseInstanceOf(InterruptedException.class);
  }

  // @start region="action"
  void flushWithin(Duration limit) throws InterruptedException, TimeoutException {
    Timeout.within(limit, this::flush);
  }

  // @end

  @Test
  void aBodyMayEndWithWhatItHas() throws Exception {
    assertThat(bestWithin(SHORT)).startsWith("answer");
    Thread.sleep(1);

    inLoop(loop -> {
      var task = loop.createTask(() -> bestWithin(LONG));
      begun.await();
      task.cancel("enough");
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });
  }

  // @start region="expired"
  String bestWithin(Duration limit) throws InterruptedException, TimeoutException {
    return Timeout.within(
        limit,
        timeout -> {
          String best = "answer";
          try {
            while (true) {
              best = improve(best);
            }
          } catch (InterruptedException e) {
            if (timeout.expired()) {
              return best; // in time, with what there is
            }
            throw e; // somebody else cancelled
          }
        });
  }

  // @end

  @Test
  void aLimitMovesWithEachPart() throws Exception {
    assertThat(readAll(new Parts(50, false), LONG)).isEqualTo(50);
    assertThatThrownBy(() -> readAll(new Parts(3, true), Duration.ofMillis(500)))
        .isInstanceOf(TimeoutException.class)
        .hasMessageStartingWith("not done by ");
  }

  // @start region="reschedule"
  int readAll(Parts parts, Duration pause) throws InterruptedException, TimeoutException {
    return Timeout.within(
        pause,
        timeout -> {
          int bytes = 0;
          while (parts.hasNext()) { // blocks
            bytes += parts.next();
            timeout.reschedule(Loop.current().clock().instant().plus(pause)); // for each part
          }
          return bytes;
        });
  }

  // @end

  @Test
  void aLimitThatWasReachedCannotBeMoved() {
    assertThatThrownBy(() ->
            Timeout.within(
                SHORT,
                timeout -> {
                  awaitExpired(timeout);
                  timeout.reschedule(Instant.now().plus(LONG));
                  return "never";
                }))
        .isInstanceOf(IllegalStateException.class)
        .satisfies(thrown ->
            assertThat(failuresIn(thrown)).singleElement().isInstanceOf(TimeoutException.class));
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  // ---- what comes out

  @Test
  void aValueStandsAlsoAfterTheLimit() throws Exception {
    String value =
        Timeout.within(
            SHORT,
            timeout -> {
              awaitExpired(timeout);
              return "late";
            });

    assertThat(value).isEqualTo("late");
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  void aDifferentExceptionComesOutWithTheTimeoutInIt() {
    assertThatIOException()
        .isThrownBy(() ->
            Timeout.within(
                SHORT,
                () -> {
                  try {
                    block();
                  } finally {
                    failToCleanUp();
                  }
                }))
        .withMessage("cannot clean up")
        .satisfies(thrown ->
            assertThat(failuresIn(thrown)).singleElement().isInstanceOf(TimeoutException.class));
  }

  @Test
  void failuresOfChildrenAreSuppressedInTheTimeout() {
    assertThatThrownBy(() ->
            Timeout.within(
                SHORT,
                () -> {
                  try (TaskScope<IOException> scope = TaskScope.open()) {
                    scope.fork(this::blockAndFail);
                    scope.join();
                  }
                }))
        .isInstanceOf(TimeoutException.class)
        .satisfies(thrown ->
            assertThat(failuresIn(thrown))
                .singleElement()
                .satisfies(failure -> assertThat(failure).hasMessage("cannot clean up")));
  }

  @Test
  void aCancellationFromOutsideWins() throws Exception {
    inLoop(loop -> {
      var task =
          loop.createTask(() ->
              Timeout.within(
                  LONG,
                  () -> {
                    try (TaskScope<IOException> scope = TaskScope.open()) {
                      scope.fork(this::blockAndFail);
                      scope.join();
                    }
                  }));
      begun.await();
      task.cancel("go home");

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .satisfies(thrown -> {
            assertThat(thrown.getCause()).isInstanceOf(InterruptedException.class);
            assertThat(failuresIn(thrown.getCause()))
                .singleElement()
                .satisfies(failure -> assertThat(failure).hasMessage("cannot clean up"));
          });
    });
  }

  @Test
  void aCancellationFromOutsideWinsAlsoAfterTheLimit() throws Exception {
    inLoop(loop -> {
      var task =
          loop.createTask(() ->
              Timeout.within(
                  SHORT,
                  timeout -> {
                    awaitExpired(timeout);
                    Task.current().orElseThrow().cancel("go home");
                    Task.checkCancelled();
                    return "never";
                  }));

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });
  }

  @Test
  void aCancellationBesidesADifferentExceptionIsSeenAfterIt() throws Exception {
    inLoop(loop -> {
      var task =
          loop.createTask(() -> {
            assertThatIOException()
                .isThrownBy(() ->
                    Timeout.within(
                        SHORT,
                        timeout -> {
                          awaitExpired(timeout);
                          Task.current().orElseThrow().cancel("go home");
                          throw new IOException("different");
                        }))
                .satisfies(thrown ->
                    assertThat(failuresIn(thrown))
                        .singleElement()
                        .isInstanceOf(TimeoutException.class));
            Thread.sleep(1);
          });

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });
  }

  @Test
  void aCancellationThatTheBodyPassesOverIsSeenAfterIt() throws Exception {
    inLoop(loop -> {
      var task =
          loop.createTask(() -> {
            log.add(
                Timeout.within(
                    SHORT,
                    timeout -> {
                      awaitExpired(timeout);
                      Task.current().orElseThrow().cancel("go home");
                      return "a value";
                    }));
            Thread.sleep(1);
          });

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });
    assertThat(log).containsExactly("a value");
  }

  // ---- limits in limits

  @Test
  void theOuterLimitPassesTheInnerOne() throws Exception {
    assertThatThrownBy(() -> search(SHORT, LONG)).isInstanceOf(TimeoutException.class);
    assertThat(log).isEmpty();

    search(LONG, SHORT);
    assertThat(log).containsExactly("skipped a", "skipped b");
  }

  // @start region="nested"
  void search(Duration all, Duration each) throws InterruptedException, TimeoutException {
    Timeout.within(
        all,
        () -> {
          for (String place : List.of("a", "b")) {
            try {
              Timeout.within(each, () -> searchIn(place));
            } catch (TimeoutException e) { // only the inner limit; the outer one is not caught here
              log.add("skipped " + place);
            }
          }
        });
  }

  // @end

  @Test
  void aLimitOfZeroEndsTheFirstWait() throws Exception {
    assertThat(Timeout.within(Duration.ZERO, () -> fetch("/index"))).isEqualTo("page /index");
    assertThatThrownBy(() -> Timeout.within(Duration.ofSeconds(-1), () -> fetch("/slow")))
        .isInstanceOf(TimeoutException.class);
    inLoop(loop -> {
      var done = loop.createTask(() -> "done");
      done.await();
      assertThat(Timeout.<String, RuntimeException>waitFor(done, Duration.ZERO)).isEqualTo("done");
      assertThat(done.await(Duration.ZERO)).isEqualTo("done");
    });
  }

  // ---- around a task

  @Test
  void awaitOnlyStopsWaiting() throws Exception {
    inLoop(loop -> {
      var mayEnd = new CountDownLatch(1);
      var report = loop.createTask(() -> awaited(mayEnd));

      assertThat(reportOrNot(report)).isEqualTo("not yet");
      assertThat(report.cancelReason()).isEmpty();
      assertThatThrownBy(() -> Timeout.within(SHORT, () -> report.await()))
          .isInstanceOf(TimeoutException.class);
      assertThat(report.cancelReason()).isEmpty();
      mayEnd.countDown();
      assertThat(report.await()).isEqualTo("report");
    });
  }

  // @start region="await"
  String reportOrNot(Task<String, RuntimeException> report) throws InterruptedException {
    try {
      return report.await(Duration.ofMillis(50));
    } catch (TimeoutException e) {
      return "not yet"; // the task goes on
    }
  }

  // @end

  @Test
  void waitForTakesTheTaskOver() throws Exception {
    inLoop(loop -> {
      var report = loop.createTask(() -> awaited(new CountDownLatch(1)));

      assertThat(reportOrNever(report)).isEqualTo("gave up");
      assertThat(report.isCancelled()).isTrue();
    });
  }

  // @start region="wait-for"
  String reportOrNever(Task<String, RuntimeException> report) throws InterruptedException {
    try {
      return Timeout.waitFor(report, Duration.ofMillis(50));
    } catch (TimeoutException e) {
      return "gave up"; // the task was cancelled, and has ended
    }
  }

  // @end

  @Test
  void waitForGivesWhatTheTaskEndsWithAllTheSame() throws Exception {
    inLoop(loop -> {
      var declines =
          loop.createTask(() -> {
            try {
              serve();
              return "never";
            } catch (InterruptedException e) {
              return "so far";
            }
          });
      begun.await();
      assertThat(Timeout.<String, RuntimeException>waitFor(declines, SHORT)).isEqualTo("so far");

      var fails = loop.createTask("import", this::write);
      helping.countDown();
      helping.await();
      assertThatIOException()
          .isThrownBy(() -> Timeout.waitFor(fails, Duration.ZERO))
          .withMessage("cannot clean up");
    });
  }

  @Test
  void whoWaitsForATaskAndIsCancelledCancelsIt() throws Exception {
    inLoop(loop -> {
      var report = loop.createTask(() -> awaited(new CountDownLatch(1)));
      var waiting = new CountDownLatch(1);
      var waiter =
          loop.createTask(() -> {
            waiting.countDown();
            return Timeout.waitFor(report, LONG);
          });
      waiting.await();
      waiter.cancel("go home");

      assertThatThrownBy(waiter::await).isInstanceOf(TaskCancelledException.class);
      assertThat(report.isDone()).isTrue();
      assertThat(report.isCancelled()).isTrue();
    });
  }

  private String awaited(CountDownLatch mayEnd) throws InterruptedException {
    begun.countDown();
    mayEnd.await();
    return "report";
  }

  // ---- the deadline

  @Test
  void childrenInheritTheDeadline() throws Exception {
    inLoop(loop -> {
      // @start region="deadline"
      Timeout.within(
          Duration.ofSeconds(30),
          () -> {
            try (TaskScope<RuntimeException> scope = TaskScope.open()) {
              Task<Boolean, RuntimeException> child =
                  scope.fork(() -> Timeout.deadline().isPresent());
              Task<Boolean, RuntimeException> ofTheLoop =
                  loop.createTask(() -> Timeout.deadline().isPresent());
              log.add("child: " + child.await()); // true
              log.add("task of the loop: " + ofTheLoop.await()); // false
            }
          });
      // @end
    });

    assertThat(log).containsExactly("child: true", "task of the loop: false");
  }

  @Test
  void aRequestIsToldHowLongItMayTake() throws Exception {
    assertThat(timeLeft()).isEqualTo(Duration.ofSeconds(10));
    Timeout.within(
        Duration.ofSeconds(5),
        () -> {
          assertThat(timeLeft()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(5));
        });
  }

  // @start region="time-left"
  Duration timeLeft() { // for a client that has a timeout of its own
    return Timeout.deadline()
        .map(deadline -> Duration.between(Loop.current().clock().instant(), deadline))
        .orElse(Duration.ofSeconds(10));
  }

  // @end

  @Test
  void theTimeLeftIsThatOfTheClockOfTheLoop() throws Exception {
    var clock = new ManualClock();
    try (Loop loop = Loop.builder().clock(clock).build()) {
      loop.asCurrent(() ->
          Timeout.within(
              Duration.ofSeconds(5),
              () -> {
                clock.advance(Duration.ofSeconds(2));
                assertThat(timeLeft()).isEqualTo(Duration.ofSeconds(3));
              }));
    }
  }

  @Test
  void whatElseInheritsADeadline() throws Exception {
    Timeout.within(
        LONG,
        () -> {
          assertThat(Timeout.deadline()).isPresent();
          Optional<Instant> inARun = Loop.run(() -> Timeout.deadline());
          assertThat(inARun).isEmpty();
          Optional<Instant> inAShield = Task.shielded(() -> Timeout.deadline());
          assertThat(inAShield).isEmpty();
          try (TaskScope<RuntimeException> scope = TaskScope.open()) {
            var grandchild =
                scope.fork(() -> {
                  try (TaskScope<RuntimeException> below = TaskScope.open()) {
                    return below.fork(() -> Timeout.deadline()).await();
                  }
                });
            assertThat(grandchild.await()).isPresent();
          }
        });
  }

  // ---- clean-up

  @Test
  void shieldedCleanUpHasALimitOfItsOwn() throws Exception {
    inLoop(loop -> {
      var task = loop.createTask(this::serveThenRollBack);
      begun.await();
      task.cancel("go home");

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });
    assertThat(log).containsExactly("gave up rolling back");
  }

  // @start region="clean-up"
  void serveThenRollBack() throws InterruptedException {
    try {
      serve();
    } finally {
      Task.shielded(() -> {
        try {
          Timeout.within(Duration.ofMillis(50), () -> rollBack());
        } catch (TimeoutException e) { // a limit in the shield is not shielded off
          log.add("gave up rolling back");
        }
      });
    }
  }

  // @end

  // @start region="shutdown"
  String serveWithHelpers(Loop loop) throws IOException, InterruptedException {
    List<Task<Void, IOException>> helpers =
        List.of(loop.createTask("reader", this::read), loop.createTask("writer", this::write));
    try {
      return answer();
    } finally {
      helpers.forEach(helper -> helper.cancel("the server goes down")); // all, before any wait
      Task.shielded(() -> {
        for (Task<?, ?> helper : helpers) {
          helper.awaitDone(); // throws nothing that it threw, and retrieves none of it
        }
      });
      for (Task<?, ?> helper : helpers) {
        if (!helper.isCancelled()
            && helper.outcome() instanceof Outcome.Failure<?>(Throwable failure)) {
          log.add(helper.name() + ": " + failure.getMessage());
        }
      }
    }
  }

  // @end

  private final CountDownLatch helping = new CountDownLatch(2);
  private String ending = "";

  private void read() throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open()) {
      scope.fork(() -> {
        helping.countDown();
        if (ending.equals("fail below")) {
          blockAndFail();
        }
        block();
      });
      scope.join();
    }
  }

  private void write() throws IOException, InterruptedException {
    helping.countDown();
    try {
      block();
    } finally {
      Thread.sleep(5);
      failToCleanUp();
    }
  }

  private String answer() throws IOException, InterruptedException {
    helping.await();
    switch (ending) {
      case "fail" -> throw new FileNotFoundException("/missing");
      case "block" -> serve();
      default -> {}
    }
    return "answered";
  }

  @Test
  void theShutdownKeepsTheValue() throws Exception {
    inLoop(loop -> assertThat(serveWithHelpers(loop)).isEqualTo("answered"));

    assertThat(log).containsExactly("writer: cannot clean up");
  }

  @Test
  void theShutdownLeavesToTheHandlerWhatItDoesNotRead() throws Exception {
    ending = "fail below";
    List<Throwable> reported = new CopyOnWriteArrayList<>();

    inLoop(loop -> {
      loop.setExceptionHandler((_, context) -> reported.add(context.exception()));
      assertThat(serveWithHelpers(loop)).isEqualTo("answered");
    });

    assertThat(log).containsExactly("writer: cannot clean up");
    assertThat(reported)
        .singleElement()
        .satisfies(failure -> assertThat(failure).hasMessage("cannot clean up"));
  }

  @Test
  void theShutdownKeepsTheFailure() {
    ending = "fail";

    assertThatThrownBy(() -> Loop.run(this::serveWithHelpers))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessage("/missing");
    assertThat(log).containsExactly("writer: cannot clean up");
  }

  @Test
  void theShutdownKeepsTheCancellation() throws Exception {
    ending = "block";

    inLoop(loop -> {
      var server = loop.createTask(() -> serveWithHelpers(loop));
      begun.await();
      server.cancel("once");
      server.cancel("twice");

      assertThatThrownBy(server::await)
          .isInstanceOfSatisfying(
              TaskCancelledException.class,
              thrown -> assertThat(thrown.reason().message()).isEqualTo("once"));
      assertThat(loop.allTasks()).hasSize(1); // main
    });
    assertThat(log).containsExactly("writer: cannot clean up");
  }

  // ---- the rest

  /** Without the frames that say where a failure was awaited. */
  private static List<Throwable> failuresIn(Throwable thrown) {
    return Arrays.stream(thrown.getSuppressed())
        .filter(each -> !(each instanceof TaskTrace))
        .toList();
  }

  private static void awaitExpired(Timeout timeout) {
    while (!timeout.expired()) {
      Thread.onSpinWait();
    }
  }

  private static final class Parts {
    private final boolean stalls;
    private int left;

    Parts(int left, boolean stalls) {
      this.left = left;
      this.stalls = stalls;
    }

    boolean hasNext() throws InterruptedException {
      if (left == 0 && stalls) {
        Thread.sleep(60_000);
      }
      return left > 0;
    }

    int next() {
      left--;
      return 1;
    }
  }

  private String improve(String best) throws InterruptedException {
    begun.countDown();
    Thread.sleep(1);
    return best.length() < 20 ? best + "!" : best;
  }

  private void searchIn(String place) throws InterruptedException {
    Thread.sleep(60_000 + place.length());
  }

  private void flush() throws InterruptedException {
    block();
  }

  private void serve() throws InterruptedException {
    begun.countDown();
    block();
  }

  private void rollBack() throws InterruptedException {
    block();
  }

  private void blockAndFail() throws IOException, InterruptedException {
    try {
      begun.countDown();
      block();
    } finally {
      failToCleanUp();
    }
  }

  private void block() throws InterruptedException {
    Thread.sleep(60_000);
  }

  private static void failToCleanUp() throws IOException {
    throw new IOException("cannot clean up");
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
