package dev.selvedge.testkit;

import static dev.selvedge.testkit.SelvedgeAssertions.expectOrphan;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import dev.selvedge.Timeout;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs test classes that are to fail, and some that are not. */
class SelvedgeExtensionTest {
  private static final Duration HOUR = Duration.ofHours(1);

  private static void fail() throws IOException {
    throw new IOException("fallen");
  }

  // ---- what fails a test

  @ExtendWith(SelvedgeExtension.class)
  static class Leaks {
    @Test
    void task(Loop loop) {
      loop.createTask("forgotten", () -> Thread.sleep(HOUR));
    }

    @Test
    void unreadFailure() {
      Task.create(() -> {
        fail();
        return null;
      });
    }

    @Test
    void launchedFailures(Loop loop) throws Exception {
      loop.launch(SelvedgeExtensionTest::fail);
      loop.launch(() -> {
        throw new IllegalStateException("too");
      });
    }

    @Test
    void alarm(Loop loop) {
      loop.clock().schedule(() -> {}, HOUR);
    }

    @Test
    void manualAlarm(ManualClock clock) {
      clock.schedule(() -> {}, HOUR);
    }

    @Test
    void failingAlarm(ManualClock clock) throws Exception {
      clock.schedule(
          () -> {
            throw new IllegalStateException("the alarm's");
          },
          HOUR);
      Task.sleep(HOUR.multipliedBy(2));
    }

    @Test
    void sleeperOnAManualClock(Loop loop, ManualClock clock) {
      loop.createTask("sleeper", () -> Task.sleep(HOUR));
      assertThat(clock.elapsed()).isZero();
    }

    @Test
    void interruptFlag() {
      Thread.currentThread().interrupt();
    }

    @Test
    @SuppressWarnings({"resource", "try"})
    void scope() {
      TaskScope.open();
    }

    @Test
    void running(Loop loop) throws Exception {
      var begun = new CountDownLatch(1);
      Thread.ofVirtual()
          .start(() -> {
            try {
              loop.runUntilComplete(() -> {
                begun.countDown();
                new CountDownLatch(1).await();
              });
            } catch (Exception cancelled) {
              assertThat(loop.isClosed()).isFalse();
            }
          });
      begun.await();
      // Its main is alive; closing a loop that runs is refused, so it is cancelled by hand.
      loop.allTasks().forEach(Task::cancel);
    }

    @Test
    void failsItself(Loop loop) {
      loop.createTask("beside", () -> Thread.sleep(HOUR));
      throw new IllegalArgumentException("the test's own");
    }

    @Test
    void endsInTime(Loop loop) {
      loop.createTask(() -> Thread.sleep(20));
    }
  }

  @Test
  void aTestThatLeavesSomethingBehindFailsAndSaysWhat() {
    Launched leaks = Launched.run(Leaks.class);

    assertThat(leaks.failure("task(Loop)"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("1 task is alive:\nloop task(Loop)")
        .hasMessageContaining("task forgotten")
        .hasMessageContaining("loop.allTasks().forEach(Task::cancel)")
        .hasMessageContaining("tasksMayBeLeft()");
    assertThat(leaks.failure("unreadFailure()"))
        .hasMessageContaining("Task exception was never retrieved: java.io.IOException: fallen")
        .hasMessageContaining("see expectOrphan")
        .hasCauseInstanceOf(IOException.class);
    Throwable two = leaks.failure("launchedFailures(Loop)");
    assertThat(Set.of(two.getCause().getClass(), two.getSuppressed()[0].getClass()))
        .isEqualTo(Set.of(IOException.class, IllegalStateException.class));
    assertThat(leaks.failure("alarm(Loop)"))
        .hasMessageContaining("1 alarm is armed:\n  after PT1H");
    assertThat(leaks.failure("manualAlarm(ManualClock)"))
        .hasMessageContaining("1 alarm is armed:\n  in PT1H");
    assertThat(leaks.failure("failingAlarm(ManualClock)"))
        .hasMessageContaining("alarms of the clock have failed")
        .hasCauseInstanceOf(IllegalStateException.class);
    assertThat(leaks.failure("sleeperOnAManualClock(Loop, ManualClock)"))
        .hasMessageContaining("task sleeper")
        .hasMessageNotContaining("alarm");
    assertThat(leaks.failure("interruptFlag()")).hasMessageContaining("interrupt flag");
    assertThat(leaks.failure("scope()")).hasMessageContaining("scope");
    assertThat(leaks.failure("failsItself(Loop)"))
        .isInstanceOf(IllegalArgumentException.class)
        .satisfies(
            failure -> assertThat(failure.getSuppressed()[0]).hasMessageContaining("task beside"));
    assertThat(leaks.results().get("endsInTime(Loop)").getThrowable()).isEmpty();
    Quiescence.assertQuiescent();
  }

  @ExtendWith(SelvedgeExtension.class)
  static class DynamicOnes {
    @TestFactory
    Stream<DynamicTest> factory() {
      return Stream.of(
          DynamicTest.dynamicTest("leaves the flag", () -> Thread.currentThread().interrupt()),
          DynamicTest.dynamicTest("finds none", () -> Thread.sleep(1)),
          DynamicTest.dynamicTest(
              "leaves a task",
              () -> Loop.current().createTask("forgotten", () -> Thread.sleep(HOUR))));
    }
  }

  @Test
  @DisplayName(
      "a dynamic test fails for the interrupt flag, and its factory for all else it leaves")
  void aDynamicTestFailsForTheInterruptFlagAndItsFactoryForAllElse() {
    Launched dynamic = Launched.run(DynamicOnes.class);

    assertThat(dynamic.failure("leaves the flag")).hasMessageContaining("the interrupt flag");
    assertThat(dynamic.results().get("finds none").getThrowable()).isEmpty();
    assertThat(dynamic.results().get("leaves a task").getThrowable()).isEmpty();
    assertThat(dynamic.failure("factory()")).hasMessageContaining("task forgotten");
  }

  @ExtendWith(SelvedgeExtension.class)
  static class LeavesInOtherThreads {
    @Test
    @org.junit.jupiter.api.Timeout(
        value = 10,
        threadMode = org.junit.jupiter.api.Timeout.ThreadMode.SEPARATE_THREAD)
    void interruptFlag() {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  @DisplayName("an interrupt flag that is left in a thread of JUnit's fails the test")
  void anInterruptFlagThatIsLeftInAThreadOfJunitsFailsTheTest() {
    assertThat(Launched.run(LeavesInOtherThreads.class).failure("interruptFlag()"))
        .hasMessageContaining("the interrupt flag is set");
  }

  // ---- what it takes too long for

  private static void awaitReleaseWhateverComes() {
    while (RELEASE.getCount() > 0) {
      try {
        RELEASE.await();
      } catch (InterruptedException ignoredOnPurpose) {
        Thread.onSpinWait();
      }
    }
  }

  private static final CountDownLatch RELEASE = new CountDownLatch(1);

  @ExtendWith(SelvedgeExtension.class)
  @TimeLimit(value = 200, unit = TimeUnit.MILLISECONDS)
  static class Slow {
    @Test
    void waits(Loop loop) throws Exception {
      loop.createTask("never", () -> new CountDownLatch(1).await()).await();
    }

    @Test
    @TimeLimit(value = 100, unit = TimeUnit.MILLISECONDS)
    void joins() throws Exception {
      try (TaskScope<RuntimeException> scope = TaskScope.open()) {
        scope.fork("endless", () -> new CountDownLatch(1).await());
        scope.join();
      }
    }

    @Test
    @TimeLimit(0)
    void hasNoLimit() throws Exception {
      Thread.sleep(300);
    }

    @Test
    @org.junit.jupiter.api.Timeout(value = 100, unit = TimeUnit.MILLISECONDS)
    @TimeLimit(60)
    void limitOfJunit() throws Exception {
      new CountDownLatch(1).await();
    }

    @Test
    @org.junit.jupiter.api.Timeout(
        value = 10,
        threadMode = org.junit.jupiter.api.Timeout.ThreadMode.SEPARATE_THREAD)
    void inAThreadOfJunit(Loop loop) {
      assertThat(Loop.current()).isSameAs(loop);
    }

    @Test
    void stubborn(Loop loop) throws Exception {
      loop.createTask("stubborn", () -> awaitReleaseWhateverComes());
    }

    @Test
    void stubbornGuest(Loop loop) throws Exception {
      var inside = new CountDownLatch(1);
      Thread.ofVirtual()
          .name("guest")
          .start(() -> {
            try {
              loop.asCurrent(() -> {
                inside.countDown();
                awaitReleaseWhateverComes();
              });
            } catch (Exception cancelled) {
              assertThat(cancelled).isInstanceOf(TaskCancelledException.class);
            }
          });
      inside.await();
    }
  }

  @Test
  void aTestThatTakesTooLongIsInterruptedAndItsTreePrinted() {
    PrintStream err = System.err;
    var printed = new ByteArrayOutputStream();
    Launched slow;
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      slow = Launched.run(Slow.class);
    } finally {
      System.setErr(err);
      RELEASE.countDown();
    }

    assertThat(slow.failure("waits(Loop)"))
        .hasMessageContaining("waits did not end within PT0.2S")
        .hasMessageContaining("Slow.waits(")
        .hasMessageNotContaining("org.junit.")
        .hasMessageNotContaining("TestLoop")
        .hasMessageContaining("task never");
    assertThat(slow.failure("joins()"))
        .hasMessageContaining("joins did not end within PT0.1S")
        .hasMessageContaining("task endless");
    assertThat(printed.toString(StandardCharsets.UTF_8)).contains("task never", "task endless");
    assertThat(slow.results().get("hasNoLimit()").getThrowable()).isEmpty();
    assertThat(slow.failure("limitOfJunit()")).isInstanceOf(TimeoutException.class);
    assertThat(slow.results().get("inAThreadOfJunit(Loop)").getThrowable()).isEmpty();
    assertThat(slow.failure("stubborn(Loop)"))
        .hasMessageContaining("1 task is alive")
        .hasMessageContaining("tasks go on although they were cancelled:");
    assertThat(slow.failure("stubbornGuest(Loop)")).hasMessageContaining("guest");
    Quiescence.assertQuiescent();
  }

  // ---- whatever JUnit does

  private static final Set<Loop> SEEN = ConcurrentHashMap.newKeySet();

  @ExtendWith(SelvedgeExtension.class)
  static class Shapes {
    private final Loop own;

    Shapes(Loop loop) {
      own = loop;
    }

    @BeforeEach
    void before(Loop loop) {
      assertThat(loop).isSameAs(own).isSameAs(Loop.current());
      SEEN.add(loop);
    }

    @AfterEach
    void after(Loop loop, RecordingHandler handler) {
      assertThat(loop).isSameAs(Loop.current());
      assertThat(loop.getExceptionHandler()).containsSame(handler);
    }

    @Test
    void plain() throws Exception {
      assertThat(Loop.current()).isSameAs(own);
      assertThat(Task.create(Loop::current).await()).isSameAs(own);
    }

    @RepeatedTest(3)
    void repeated(Loop loop) {
      assertThat(Loop.current()).isSameAs(loop).isSameAs(own);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void parameterized(int number, Loop loop) {
      assertThat(number).isPositive();
      assertThat(Loop.current()).isSameAs(loop);
    }

    @TestFactory
    Stream<DynamicTest> dynamic(Loop loop) {
      return Stream.of("one", "two")
          .map(name ->
              DynamicTest.dynamicTest(name, () -> assertThat(Loop.current()).isSameAs(loop)));
    }

    @Nested
    class Inner {
      @Test
      void nested(Loop loop) {
        assertThat(loop).isSameAs(own).isSameAs(Loop.current());
      }
    }
  }

  @ExtendWith(SelvedgeExtension.class)
  @TestInstance(TestInstance.Lifecycle.PER_CLASS)
  @Execution(ExecutionMode.CONCURRENT)
  static class OneInstance {
    private static final CyclicBarrier TOGETHER = new CyclicBarrier(2);

    @BeforeAll
    void beforeAll() {
      assertThat(SEEN).doesNotContain(Loop.current());
    }

    @Test
    void one(Loop loop) throws Exception {
      SEEN.add(loop);
      TOGETHER.await(30, TimeUnit.SECONDS);
      assertThat(Loop.current()).isSameAs(loop);
    }

    @Test
    void other(Loop loop) throws Exception {
      SEEN.add(loop);
      TOGETHER.await(30, TimeUnit.SECONDS);
      assertThat(Loop.current()).isSameAs(loop);
    }

    @AfterAll
    void afterAll() {
      assertThat(SEEN).doesNotContain(Loop.current());
    }
  }

  @Test
  void eachTestHasALoopOfItsOwnWhateverItsShape() {
    SEEN.clear();
    Launched.run(Shapes.class).assertAllSuccessful();
    assertThat(SEEN).hasSize(8).allMatch(Loop::isClosed);
  }

  @Test
  void testsInParallelDoNotSeeEachOther() {
    SEEN.clear();
    Launched.run(
            OneInstance.class,
            Map.of(
                "junit.jupiter.execution.parallel.enabled", "true",
                "junit.jupiter.execution.parallel.mode.default", "concurrent",
                "junit.jupiter.execution.parallel.config.strategy", "fixed",
                "junit.jupiter.execution.parallel.config.fixed.parallelism", "2"))
        .assertAllSuccessful();
    assertThat(SEEN).hasSize(2).allMatch(Loop::isClosed);
  }

  @ExtendWith(SelvedgeExtension.class)
  static class AsksTooEarly {
    @BeforeAll
    static void before(Loop loop) {
      assertThat(loop).isNull();
    }

    @Test
    void test() {}
  }

  @Test
  void aMethodThatIsNotCalledForATestGetsNoLoop() {
    assertThat(Launched.run(AsksTooEarly.class).results().values())
        .anySatisfy(result ->
            assertThat(result.getThrowable().orElseThrow())
                .hasMessageContaining("ask for it in the test or in a @BeforeEach method"));
  }

  // ---- settings

  static class Registered {
    @RegisterExtension
    final SelvedgeExtension selvedge =
        SelvedgeExtension.builder()
            .loop(loop -> loop.name("mine").threadFactory(Thread.ofPlatform().daemon().factory()))
            .clock(ManualClock::new)
            .limit(Duration.ofSeconds(20))
            .current(false)
            .expectAnything()
            .tasksMayBeLeft()
            .wholeProcess()
            .build();

    @Test
    void test(Loop loop, ManualClock clock) throws Exception {
      assertThat(loop.name()).isEqualTo("mine");
      assertThat(Loop.current()).isNotSameAs(loop);
      assertThat(loop.clock()).isSameAs(clock);
      loop.launch(SelvedgeExtensionTest::fail);
      assertThat(loop.createTask(() -> Thread.currentThread().isVirtual()).await()).isFalse();
      loop.createTask(() -> Task.sleep(HOUR));
    }

    @Test
    void closes(Loop loop) {
      loop.close();
    }
  }

  static class LeavesInTheProcess {
    @RegisterExtension
    final SelvedgeExtension selvedge = SelvedgeExtension.builder().wholeProcess().build();

    @Test
    void test() {
      ALARM.set(LoopClock.system().schedule(() -> {}, HOUR));
    }
  }

  static class LeavesInAnotherLoop {
    @RegisterExtension
    final SelvedgeExtension selvedge = SelvedgeExtension.builder().wholeProcess().build();

    @Test
    void test() {
      Loop own = Loop.builder().handleSignals(false).build();
      OWN.set(own);
      own.createTask("forgotten", () -> Thread.sleep(HOUR));
    }
  }

  static class HasReportedInAnotherLoop {
    @RegisterExtension
    final SelvedgeExtension selvedge = SelvedgeExtension.builder().wholeProcess().build();

    @Test
    void test() throws Exception {
      var reported = new RecordingHandler();
      try (Loop own = Loop.builder().handleSignals(false).exceptionHandler(reported).build()) {
        own.launch(SelvedgeExtensionTest::fail);
        reported.expectOrphan(IOException.class);
      }
    }
  }

  private static final AtomicReference<Loop> OWN = new AtomicReference<>();

  @Test
  @DisplayName("of another loop a test sees what is left in it, and not what it has reported")
  void ofAnotherLoopATestSeesWhatIsLeftInItAndNotWhatItHasReported() {
    assertThat(Launched.run(LeavesInAnotherLoop.class).failure("test()"))
        .hasMessageContaining("task forgotten");
    OWN.get().close();
    Launched.run(HasReportedInAnotherLoop.class).assertAllSuccessful();
  }

  @ExtendWith(SelvedgeExtension.class)
  static class AsksForAClock {
    @BeforeEach
    void before(ManualClock clock) {
      assertThat(clock.elapsed()).isZero();
    }

    @ExtendWith(SelvedgeExtension.class)
    static class Separate {
      @Test
      void test(Loop loop) {
        assertThat(loop.clock()).isNotInstanceOf(ManualClock.class);
      }
    }

    @Nested
    class Inner {
      @Test
      void test(Loop loop) {
        assertThat(loop.clock()).isInstanceOf(ManualClock.class);
      }
    }
  }

  @Test
  @DisplayName("a static class has no clock because the class around it asks for one")
  void aStaticClassHasNoClockBecauseTheClassAroundItAsksForOne() {
    Launched.run(AsksForAClock.Separate.class).assertAllSuccessful();
    Launched.run(AsksForAClock.Inner.class).assertAllSuccessful();
  }

  @ExtendWith(SelvedgeExtension.class)
  static class Limits {
    @Test
    @TimeLimit(-1)
    void negative() {}

    @Test
    @TimeLimit(value = Long.MAX_VALUE, unit = TimeUnit.DAYS)
    void huge() {}
  }

  static class HugeLimit {
    @RegisterExtension
    final SelvedgeExtension selvedge =
        SelvedgeExtension.builder().limit(Duration.ofSeconds(Long.MAX_VALUE)).build();

    @Test
    void test() {}
  }

  @Test
  @DisplayName("a negative time limit is refused, and a huge one is none")
  void aNegativeTimeLimitIsRefusedAndAHugeOneIsNone() {
    Launched limits = Launched.run(Limits.class);
    assertThat(limits.failure("negative()")).hasMessage("the limit is negative: @TimeLimit(-1)");
    assertThat(limits.results().get("huge()").getThrowable()).isEmpty();
    Launched.run(HugeLimit.class).assertAllSuccessful();
    Quiescence.assertQuiescent();
  }

  private static final AtomicReference<LoopClock.Alarm> ALARM = new AtomicReference<>();

  @Test
  void settingsOfARegisteredExtension() {
    Launched.run(Registered.class).assertAllSuccessful();
    assertThat(Launched.run(LeavesInTheProcess.class).failure("test()"))
        .hasMessageContaining("1 timers are armed");
    ALARM.get().cancel();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SelvedgeExtension.builder().limit(Duration.ofSeconds(-1)));
  }

  @ExtendWith(SelvedgeExtension.class)
  abstract static class Base {
    @BeforeEach
    void named(Loop loop) {
      assertThat(Loop.current()).isSameAs(loop);
    }
  }

  static class Derived extends Base {
    @RegisterExtension
    final SelvedgeExtension selvedge =
        SelvedgeExtension.builder()
            .loop(loop -> loop.name("derived"))
            .clock(ManualClock::new)
            .tasksMayBeLeft()
            .build();

    @Test
    void test(Loop loop, ManualClock clock) {
      assertThat(loop.name()).isEqualTo("derived");
      assertThat(loop.clock()).isSameAs(clock);
      loop.createTask(() -> Task.sleep(HOUR));
    }

    @Test
    @TimeLimit(value = 100, unit = TimeUnit.MILLISECONDS)
    void slow() throws Exception {
      new CountDownLatch(1).await();
    }

    @Nested
    class Within {
      @RegisterExtension
      final SelvedgeExtension own =
          SelvedgeExtension.builder().loop(loop -> loop.name("within")).build();

      @Test
      void nested(Loop loop) {
        assertThat(loop.name()).isEqualTo("within");
        assertThat(loop.clock()).isNotInstanceOf(ManualClock.class);
      }
    }
  }

  @ExtendWith(SelvedgeExtension.class)
  static class LoopForAConstructor {
    @RegisterExtension final SelvedgeExtension tooLate = SelvedgeExtension.builder().build();

    LoopForAConstructor(Loop loop) {
      assertThat(loop.isClosed()).isFalse();
    }

    @Test
    void test() {}
  }

  @Test
  @DisplayName("of several extensions the innermost makes the loop, or the test fails")
  void ofSeveralExtensionsTheInnermostMakesTheLoop() {
    Launched derived = Launched.run(Derived.class);

    assertThat(derived.failure("slow()")).hasMessageStartingWith("slow did not end within PT0.1S");
    derived.results().remove("slow()");
    assertThat(derived.results()).hasSize(2);
    derived.assertAllSuccessful();
    assertThat(Launched.run(LoopForAConstructor.class).failure("test()"))
        .hasMessageContaining("a constructor has asked for the loop before")
        .hasMessageContaining("static field");
    Quiescence.assertQuiescent();
  }

  @ExtendWith(SelvedgeExtension.class)
  static class Clocked {
    @AfterEach
    void after() {
      assertThat(Loop.current().isShutdown()).isFalse();
    }

    @Test
    void shutDown(Loop loop) {
      loop.shutdown();
    }

    @Test
    void limitsInTheTestItselfGoByTheClock(ManualClock clock) throws Exception {
      try {
        Timeout.within(HOUR, () -> new CountDownLatch(1).await());
        throw new AssertionError("the limit was not reached");
      } catch (TimeoutException expected) {
        assertThat(clock.elapsed()).isEqualTo(HOUR);
      }
    }

    @Test
    void expected(Loop loop) throws Exception {
      loop.launch(SelvedgeExtensionTest::fail);
      assertThat(expectOrphan(IOException.class)).hasMessage("fallen");
      Task<Void, RuntimeException> held =
          loop.createTask(() -> {
            throw new IllegalStateException("held");
          });
      assertThat(expectOrphan(IllegalStateException.class)).hasMessage("held");
      assertThat(held.isDone()).isTrue();
    }

    @Test
    @DisplayName("a jumping clock names no task that cleans up in real time as a straggler")
    void aTaskThatCleansUpInRealTimeIsNoStraggler(Loop loop, ManualClock clock) throws Exception {
      var cleaned = new CountDownLatch(1);
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            try {
              new CountDownLatch(1).await();
            } finally {
              Task.shielded(() -> cleaned.await());
            }
          });
      SelvedgeAssertions.assertThat(task).isBlocked();
      task.cancel();
      // The clean-up ends when the clock has jumped over whatever else could ring.
      Duration years = Duration.ofDays(50 * 365);
      clock.schedule(cleaned::countDown, years);

      SelvedgeAssertions.assertThat(task).isCancelled();
      assertThat(clock.elapsed()).isEqualTo(years);
    }

    @Test
    void cancelledTasksAreNoOrphans(Loop loop) {
      Task<Void, RuntimeException> task = loop.createTask(() -> Thread.sleep(HOUR));
      task.cancel(new CancelReason(CancelReason.Source.NOT_NEEDED, "over", null));
    }
  }

  @Test
  void testsThatLeaveNothing() {
    Launched.run(Clocked.class).assertAllSuccessful();
  }
}
