package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.programs.Exits;
import dev.selvedge.programs.Keyboard;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SIGINT, in JVMs of their own. */
@Tag("virtual-only")
@Tag("child-jvm")
@ExtendWith(Oracle.class)
class KeyboardInterruptTest {
  /** Far below any timeout of the library's. */
  private static final Duration SOON = Duration.ofSeconds(20);

  @Test
  @DisplayName("KBI-01: Ctrl-C cancels main, then every task, and comes out of run after them")
  void ctrlCCancelsMainThenEveryTaskAndComesOutOfRun() throws Exception {
    try (ChildJvm child = ChildJvm.start(Keyboard.Sleeps.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("INT").awaitEnd();

      assertThat(ended.out())
          .startsWith(
              "ready", "child finally PARENT x1", "others 00", "main finally KEYBOARD_INTERRUPT x1")
          .contains("a finally KEYBOARD_INTERRUPT x1", "b finally KEYBOARD_INTERRUPT x1")
          .endsWith("run threw interrupted from the keyboard, TaskCancelledException")
          .hasSize(7);
      assertThat(ended.err()).isEmpty();
      assertThat(ended.code()).isZero();
    }
  }

  @Test
  @DisplayName("KBI-01: Loop.main exits with 130 after Ctrl-C, and prints nothing")
  void loopMainExitsWith130() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.Main.class, "sleep")) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("INT").awaitEnd();

      assertThat(ended.code()).isEqualTo(130);
      assertThat(ended.out())
          .containsExactly(
              "ready", "main finally KEYBOARD_INTERRUPT x1", "a finally KEYBOARD_INTERRUPT x1");
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @DisplayName("Loop.main prints what failed in a child's clean-up after Ctrl-C")
  void loopMainPrintsWhatFailedMeanwhile() throws Exception {
    try (ChildJvm child = ChildJvm.start(Exits.ChildFailsInCleanUp.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("INT").awaitEnd();

      assertThat(ended.code()).isEqualTo(130);
      assertThat(ended.err()).containsOnlyOnce("IllegalStateException: clean-up failed");
    }
  }

  @Test
  @DisplayName("KBI-03: main may catch its cancellation and return a value")
  void mainMayCatchItsCancellation() throws Exception {
    try (ChildJvm child = ChildJvm.start(Keyboard.Catches.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("INT").awaitEnd();

      assertThat(ended.out())
          .containsExactly("ready", "a finally SHUTDOWN x1", "run returned a value");
      assertThat(ended.code()).isZero();
    }
  }

  @Test
  @DisplayName("KBI-04: a failure in main's clean-up comes out, the interrupt suppressed in it")
  void aFailureInTheCleanUpComesOut() throws Exception {
    try (ChildJvm child = ChildJvm.start(Keyboard.FailsInCleanUp.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("INT").awaitEnd();

      assertThat(ended.out())
          .startsWith("ready", "run threw clean-up failed")
          .contains("suppressed KeyboardInterruptException");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"main", "task"})
  @DisplayName("KBI-06: a second Ctrl-C ends the JVM at once, in the middle of a clean-up")
  void aSecondCtrlCEndsTheJvm(String who) throws Exception {
    try (ChildJvm child = ChildJvm.start(Keyboard.CleansUpForEver.class, who)) {
      child.awaitLine("ready").signal("INT");
      child.awaitLine(who.equals("main") ? "main cleaning" : "a cleaning");
      ChildJvm.Ended ended = child.signal("INT").awaitEnd(SOON);

      assertThat(ended.code()).isEqualTo(130);
      assertThat(ended.out()).doesNotContain(who.equals("main") ? "main clean" : "a clean");
    }
  }

  @Test
  @DisplayName("Each run has a first Ctrl-C of its own; without a run it is the JVM's again")
  void eachRunHasAFirstCtrlC() throws Exception {
    try (ChildJvm child = ChildJvm.start(Keyboard.RunsTwice.class)) {
      child.awaitLine("run 1").signal("INT");
      child.awaitLine("run 2").signal("INT");
      ChildJvm.Ended ended = child.awaitLine("no run").signal("INT").awaitEnd(SOON);

      assertThat(ended.out())
          .containsExactly("run 1", "run 1 interrupted", "run 2", "run 2 interrupted", "no run");
      assertThat(ended.code()).isEqualTo(130);
    }
  }

  @Test
  @DisplayName("One Ctrl-C reaches every active run, also runUntilComplete and runForever")
  void oneCtrlCReachesEveryRun() throws Exception {
    try (ChildJvm child = ChildJvm.start(Keyboard.RunsSideBySide.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("INT").awaitEnd();

      assertThat(ended.out())
          .contains(
              "run KeyboardInterruptException",
              "complete KeyboardInterruptException",
              "forever KeyboardInterruptException")
          .endsWith("forever is closed false");
      assertThat(ended.code()).isZero();
    }
  }

  @Test
  @DisplayName("Ctrl-C after main has returned comes out of run when the last task has ended")
  void ctrlCAfterMainHasReturned() throws Exception {
    try (ChildJvm child = ChildJvm.start(Keyboard.InterruptedAfterMain.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("INT").awaitEnd();

      assertThat(ended.out())
          .containsExactly("ready", "clean", "run threw the interrupt, cause null");
    }
  }

  @Test
  @DisplayName("Ctrl-C after main has failed is suppressed in its failure")
  void ctrlCAfterMainHasFailed() throws Exception {
    try (ChildJvm child = ChildJvm.start(Keyboard.InterruptedAfterMain.class, "fails")) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal("INT").awaitEnd();

      assertThat(ended.out())
          .containsExactly("ready", "clean", "run threw main failed + KeyboardInterruptException");
    }
  }
}
