package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Mutant.Fault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sweeps find faults that are planted in core. */
@Tag("long")
class SweepMutantTest {
  @TempDir private Path folder;

  private void killed(String sweep, Fault fault) throws Exception {
    Mutant mutant = Mutant.compile(folder, fault);
    List<String> options = List.of("-Dselvedge.points=true");
    try (ChildJvm child = ChildJvm.startMutated(mutant, options, Plays.class, sweep)) {
      ChildJvm.Ended ended = child.awaitEnd(Duration.ofMinutes(2));

      System.out.println(sweep + ": " + ended.out());
      assertThat(ended.out()).first().asString().startsWith("killed");
    }
  }

  @Test
  @DisplayName("an interrupt that is left to a callback and to what follows in the thread")
  void aLeakedInterrupt() throws Exception {
    killed(
        "SweepTest.interruptAfterTheEnd",
        new Fault(
            "TaskImpl.java",
            "      synchronized (rest) {\n        Thread.interrupted();\n      }",
            "      synchronized (rest) {}"));
  }

  @Test
  @DisplayName("a task that does not look for a request before it begins")
  void aRequestThatTheStartDoesNotSee() throws Exception {
    killed(
        "SweepTest.cancelAgainstStart",
        new Fault(
            "TaskImpl.java",
            "    Points.reach(\"start\");\n    if (isCancelledBeforeStart()) {",
            "    Points.reach(\"start\");\n    if (false) {"));
  }

  @Test
  @DisplayName("a failure whose fate is looked at and then moved")
  void aFateThatMovesTwice() throws Exception {
    killed(
        "ScopeSweepTest.awaitAgainstTheOrphanVerdict",
        new Fault(
            "Failed.java",
            "    return FATE.compareAndSet(this, Fate.UNREAD, next);",
            """
                boolean unread = fate == Fate.UNREAD;
                Points.reach("move");
                if (unread) {
                  fate = next;
                }
                return unread;
            """));
  }

  @Test
  @DisplayName("a second failure that is dropped because the scope is cancelled by then")
  void aDroppedSecondFailure() throws Exception {
    killed(
        "ScopeSweepTest.twoChildrenFailTogether",
        new Fault(
            "TaskScope.java",
            "    remember(failure);\n    Points",
            "    if (cancelled() == null) {\n      remember(failure);\n    }\n    Points"));
  }

  @Test
  @DisplayName("a close that does not look for forks once more")
  void aCloseThatMissesAFork() throws Exception {
    killed(
        "ScopeSweepTest.closeAgainstFork",
        new Fault(
            "Owner.java",
            "    if (!isIdle()) {\n      closed = false;",
            "    if (false) {\n      closed = false;"));
  }

  @Test
  @DisplayName("a fork that does not look whether the owner was cancelled meanwhile")
  void aForkThatMissesTheCancellation() throws Exception {
    killed(
        "ScopeSweepTest.spawnAgainstShutdown",
        new Fault(
            "Owner.java",
            "      CancelReason late = cancelled;\n      if (late == null && !closed) {",
            "      CancelReason late = cancelled;\n      if (!closed) {"));
  }

  @Test
  @DisplayName("an owner that forwards a second cancellation")
  void aSecondCancellation() throws Exception {
    killed(
        "ScopeSweepTest.cancelOfTheOwnerAgainstJoin",
        new Fault(
            "Owner.java",
            "    if (cancelled != null) {\n      return null;\n    }\n    cancelledAt",
            "    cancelledAt"));
  }

  @Test
  @DisplayName("a cancel scope that can be cancelled when its body has ended")
  void aScopeThatInterruptsAfterItsBody() throws Exception {
    killed(
        "SweepTest.interruptAfterTheEndOfAScope",
        new Fault("CancelScope.java", "      phase = Phase.EXITED;\n", ""));
  }

  @Test
  @DisplayName("a limit that takes an outside cancellation for its own")
  void aLimitThatSwallowsACancellation() throws Exception {
    killed(
        "TimeoutSweepTest.timeoutAgainstOutsideCancellation",
        new Fault(
            "CancelScope.java", "    return here.interrupts() > interrupts;", "    return false;"));
  }

  @Test
  @DisplayName("a limit that leaves its interrupt behind")
  void aLimitThatLeavesItsInterrupt() throws Exception {
    killed(
        "TimeoutSweepTest.timeoutAgainstCompletion",
        new Fault(
            "CancelScope.java",
            "        interrupted = own != null && Thread.interrupted();",
            "        interrupted = own != null && Thread.currentThread().isInterrupted();"));
  }
}
