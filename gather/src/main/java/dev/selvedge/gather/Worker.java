package dev.selvedge.gather;

import dev.selvedge.Task;
import org.jspecify.annotations.Nullable;

/** A child of a supervisor and what has become of it. Written by the supervision's thread. */
final class Worker {
  final Child child;
  volatile Child.State state = Child.State.PENDING;
  volatile int restarts;

  /** Whether it is to be forgotten; written by whoever removes it. */
  volatile boolean removed;

  /** The task whose end was not handled yet. */
  @Nullable Task<?, ?> task;

  /** When that was started, by the loop's clock. */
  long startedAt;

  /** The restarts since it last ran for long enough. */
  int failedInARow;

  /** For which it waits. */
  Supervision.@Nullable Pending pending;

  Worker(Child child) {
    this.child = child;
  }

  String name() {
    return child.name;
  }

  void reset() {
    state = Child.State.PENDING;
    restarts = 0;
    failedInARow = 0;
    pending = null;
  }

  void countRestart() {
    int before = restarts;
    restarts = before + 1;
  }

  Child.Status status() {
    return new Child.Status(child.name, state, restarts);
  }
}
