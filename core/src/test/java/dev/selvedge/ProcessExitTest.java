package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.programs.Exits;
import dev.selvedge.programs.ForgottenScope;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The end of the process, in JVMs of their own. */
@Tag("virtual-only")
@Tag("child-jvm")
@ExtendWith(Oracle.class)
class ProcessExitTest {
  /** Below the default shutdownTimeout of 30 seconds. */
  private static final Duration SOON = Duration.ofSeconds(20);

  @Test
  @DisplayName("Loop.main exits with 0 when main returns")
  void loopMainExitsWithZero() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Main.class, "value")) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).isZero();
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @DisplayName("Loop.main exits with 1 when main fails, and prints the failure once")
  void loopMainExitsWithOneAfterAFailure() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Main.class, "failure")) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).isEqualTo(1);
      assertThat(ended.err()).containsOnlyOnce("IOException: main failed");
    }
  }

  @Test
  @DisplayName("Loop.main reports what main throws to the handler that main has set")
  void loopMainReportsToItsLoop() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Main.class, "handled")) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).isEqualTo(1);
      assertThat(ended.out()).containsExactly("Exception in main: main failed");
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @DisplayName("Loop.main exits with 1 when main was cancelled, and says why")
  void loopMainExitsWithOneWhenCancelled() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Main.class, "cancelled")) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).isEqualTo(1);
      assertThat(ended.err()).contains("TaskCancelledException: REQUEST: by itself");
    }
  }

  @Test
  @DisplayName("Loop.main exits with 1 when the calling thread was interrupted")
  void loopMainExitsWithOneWhenItsCallerIsInterrupted() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Main.class, "caller")) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).isEqualTo(1);
      assertThat(ended.err()).contains("InterruptedException");
    }
  }

  @Test
  @DisplayName(
      "SIGTERM cancels main and every task, waits for their finally blocks, exits with 143")
  void sigtermWaitsForFinallyBlocks() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.CleansUpSlowly.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("TERM").awaitEnd();

      assertThat(ended.code()).isEqualTo(143);
      assertThat(ended.out())
          .containsExactly("ready", "main cleaning", "main clean", "a cleaning", "a clean");
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @DisplayName("SIGTERM: the reason of the cancellation is SHUTDOWN")
  void sigtermCancelsAsShutdown() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Main.class, "sleep")) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("TERM").awaitEnd();

      assertThat(ended.code()).isEqualTo(143);
      assertThat(ended.out())
          .containsExactly("ready", "main finally SHUTDOWN x1", "a finally SHUTDOWN x1");
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @DisplayName("A clean-up that fails during SIGTERM is printed before the process ends")
  void aFailureDuringSigtermIsPrinted() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.ChildFailsInCleanUp.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("TERM").awaitEnd();

      assertThat(ended.code()).isEqualTo(143);
      assertThat(ended.err())
          .containsOnlyOnce("\njava.lang.IllegalStateException: clean-up failed");
    }
  }

  @Test
  @DisplayName("A main whose own clean-up fails during SIGTERM is printed before the process ends")
  void aFailureOfMainDuringSigtermIsPrinted() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.MainFailsInCleanUp.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("TERM").awaitEnd();

      assertThat(ended.code()).isEqualTo(143);
      assertThat(ended.err())
          .containsOnlyOnce("\njava.lang.IllegalStateException: clean-up failed");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"task", "handler"})
  @DisplayName("SHUT-05: SIGTERM ends the process after the shutdownTimeout, whatever hangs")
  void shutdownTimeoutBoundsTheExit(String who) throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Hangs.class, who)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("TERM").awaitEnd(SOON);

      assertThat(ended.code()).isEqualTo(143);
      assertThat(ended.out())
          .contains(
              who.equals("task") ? "ignored" : "handling java.lang.IllegalStateException: lost");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"await", "join"})
  @DisplayName(
      "System.exit(3) in a task exits with 3: waits for others, not for it and its awaiter")
  void systemExitInATask(String how) throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.ExitsInTask.class, how)) {
      ChildJvm.Ended ended = child.awaitLine("exiting").awaitEnd(SOON);

      assertThat(ended.code()).isEqualTo(3);
      assertThat(ended.out()).contains("a finally SHUTDOWN x1");
    }
  }

  @Test
  @DisplayName("System.exit(3) in main exits with 3, and the finally blocks of the tasks run")
  void systemExitInMain() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.ExitsInMain.class)) {
      ChildJvm.Ended ended = child.awaitLine("exiting").awaitEnd(SOON);

      assertThat(ended.code()).isEqualTo(3);
      assertThat(ended.out()).containsExactly("exiting", "a finally SHUTDOWN x1");
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @DisplayName("System.exit(4) in the exception handler exits with 4; the tasks' finally runs")
  void systemExitInTheHandler() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.ExitsElsewhere.class, "handler")) {
      ChildJvm.Ended ended = child.awaitEnd(SOON);

      assertThat(ended.code()).isEqualTo(4);
      assertThat(ended.out()).contains("a finally SHUTDOWN x1");
    }
  }

  @Test
  @DisplayName("System.exit(5) in a finally during SIGTERM keeps the exit neither up nor its code")
  void systemExitInAFinallyOfTheExit() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.ExitsElsewhere.class, "finally")) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("TERM").awaitEnd(SOON);

      assertThat(ended.code()).isEqualTo(143);
      assertThat(ended.out()).contains("a finally SHUTDOWN x1");
    }
  }

  @Test
  @DisplayName("Runtime.halt in a task ends the process at once: no finally runs")
  void haltWaitsForNobody() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Halts.class)) {
      ChildJvm.Ended ended = child.awaitEnd(SOON);

      assertThat(ended.code()).isEqualTo(6);
      assertThat(ended.out()).containsExactly("halting");
    }
  }

  @Test
  @DisplayName("What failed in a scope that a plain thread never closed is printed at the exit")
  void aForgottenScopeOfAPlainThread() throws Exception {
    try (ChildJvm child = ChildJvm.start(ForgottenScope.class)) {
      ChildJvm.Ended ended = child.awaitEnd(SOON);

      assertThat(ended.code()).isZero();
      assertThat(ended.err()).containsOnlyOnce("\njava.io.IOException: nobody joined");
    }
  }

  @Test
  @DisplayName("The default loop cancels its tasks and prints what nobody read when the JVM exits")
  void theDefaultLoopReportsAtTheExit() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.DefaultLoop.class)) {
      ChildJvm.Ended ended = child.awaitEnd(SOON);

      assertThat(ended.code()).isZero();
      assertThat(ended.out()).containsExactly("main ends", "a finally SHUTDOWN x1");
      assertThat(ended.err())
          .startsWith("Task exception was never retrieved\nfuture: Task[lost, ")
          .containsOnlyOnce("\njava.io.IOException: nobody reads this");
    }
  }

  @Test
  @DisplayName("A shutdown hook may use a loop")
  void aShutdownHookMayUseALoop() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.LoopInHook.class)) {
      ChildJvm.Ended ended = child.awaitEnd(SOON);

      assertThat(ended.code()).isZero();
      assertThat(ended.out()).containsExactly("hook got a value");
      assertThat(ended.err()).isEmpty();
    }
  }
}
