package dev.selvedge.stress.soak;

import dev.selvedge.Mutant.Fault;
import java.util.List;

/** What may go wrong in core, each planted alone: the soak has to find every one of them. */
enum Faults {
  SECOND_FAILURE_DROPPED(
      "a second failure is not suppressed in the first",
      new Fault(
          "Failures.java",
          "      primary.addSuppressed(other);\n"
              + "      return primary.getSuppressed().length > present.length;",
          "      return true;")),
  REST_DROPPED(
      "what an exception does not take along is not reported",
      new Fault("Failures.java", "      if (left.isEmpty()) {", "      if (true) {")),
  WAKE_UP_MISSED(
      "an ending child looks for a waiting owner before it counts down, not after",
      new Fault(
          "Owner.java",
          "    int left = (int) LIVE.getAndAdd(this, -1) - 1;\n"
              + "    Points.reach(\"count-down\");\n"
              + "    Thread parked = waiter;",
          "    Thread parked = waiter;\n    int left = (int) LIVE.getAndAdd(this, -1) - 1;")),
  AWAITER_NOT_WOKEN(
      "of several who await a task one is not woken",
      new Fault(
          "TaskImpl.java",
          "    for (Thread waiter; (waiter = rest.takeWaiter()) != null; ) {",
          "    rest.takeWaiter();\n"
              + "    for (Thread waiter; (waiter = rest.takeWaiter()) != null; ) {")),
  INTERRUPT_LEAKED(
      "a limit leaves its interrupt behind",
      new Fault(
          "CancelScope.java",
          "interrupted = own != null && Thread.interrupted();",
          "interrupted = own != null && Thread.currentThread().isInterrupted();")),
  LATE_INTERRUPT(
      "cancelling a CancelScope that has ended interrupts what its thread does now",
      new Fault("CancelScope.java", "phase == Phase.EXITED || reason != null", "reason != null")),
  REPORTED_TWICE(
      "a failure that was read is reported all the same",
      new Fault(
          "Failed.java",
          "      if (!move(Fate.ORPHANED)) {\n        return List.of();\n      }",
          "      move(Fate.ORPHANED);")),
  LATE_FORK_NOT_CANCELLED(
      "a child that is forked while its scope is being cancelled is not cancelled",
      new Fault(
          "Owner.java",
          "    CancelReason late = cancelled;\n"
              + "    if (late == null) {\n"
              + "      newest.forks++;\n"
              + "    }\n"
              + "    return late;",
          "    newest.forks++;\n    return null;")),
  STRANGERS_FORK_NOT_CANCELLED(
      "the same for a fork by another thread",
      new Fault(
          "Owner.java",
          "      CancelReason late = cancelled;\n      if (late == null && !closed) {",
          "      CancelReason late = null;\n      if (late == null && !closed) {")),
  CLOSE_RETURNS_EARLY(
      "a close that is interrupted returns before the children have ended",
      new Fault(
          "Owner.java",
          "    while (alive() != 0) {\n      LockSupport.parkNanos(this, look);",
          "    while (alive() != 0 && !interrupted) {\n      LockSupport.parkNanos(this, look);")),
  CLEAN_UP_FAILURE_DROPPED(
      "whatever a task throws that was asked to cancel counts as its cancellation",
      new Fault(
          "TaskImpl.java",
          "Failures.isCancellation(thrown, asked, interrupted)",
          "asked || Failures.isCancellation(thrown, asked, interrupted)")),
  CANCELLED_FAILURES_DROPPED(
      "failures suppressed in what ended a cancelled task are not kept",
      new Fault("TaskImpl.java", "Failures.suppressedFailures(ending).isEmpty()", "true")),
  CALLBACK_FAILURE_DROPPED(
      "what a callback throws is not reported",
      new Fault(
          "TaskImpl.java",
          "          .deliver(new ExceptionContext(\"Exception in a callback of a task\", t, this,"
              + " Map.of()));",
          "          .flush();")),
  OUTSIDE_CANCELLATION_SWALLOWED(
      "a limit that has expired takes a cancellation from outside for its own",
      new Fault(
          "CancelScope.java",
          "                || isCancelledFromOutside(here, interruptsAtEntry,"
              + " cancellationsAtEntry);",
          "                && isCancelledFromOutside(here, interruptsAtEntry,"
              + " cancellationsAtEntry);")),
  SCOPE_DOES_NOT_REPORT(
      "a scope does not report at its close what nobody has read",
      new Fault("TaskScope.java", "    reportUnread();\n    markClosed();", "    markClosed();")),
  LOOP_DOES_NOT_REPORT(
      "nor does a loop",
      new Fault(
          "Loop.java", "      reportUnread();\n      reports.flush();", "      reports.flush();")),
  LAUNCHED_FAILURE_DROPPED(
      "the failure of a launched task is not reported",
      new Fault(
          "TaskImpl.java",
          "      if (failed != null && launched) {",
          "      if (failed != null && launched && failed.cancelled) {"));

  final String says;
  final Fault fault;

  Faults(String says, Fault fault) {
    this.says = says;
    this.fault = fault;
  }

  static List<Faults> quick() {
    return List.of(SECOND_FAILURE_DROPPED, SCOPE_DOES_NOT_REPORT);
  }
}
