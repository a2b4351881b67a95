package dev.selvedge.stress.soak;

import dev.selvedge.Admission;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import dev.selvedge.gather.ExceptionGroup;
import dev.selvedge.gather.Supervisor;
import dev.selvedge.gather.TaskGroup;
import dev.selvedge.stress.soak.Plan.Ending;
import dev.selvedge.stress.soak.Plan.Give;
import dev.selvedge.stress.soak.Plan.Group;
import dev.selvedge.stress.soak.Plan.Inner;
import dev.selvedge.stress.soak.Plan.Reaction;
import dev.selvedge.stress.soak.Plan.Scope;
import dev.selvedge.stress.soak.Plan.Supervise;
import dev.selvedge.stress.soak.Plan.Then;
import dev.selvedge.stress.soak.Plan.UntilCancelled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Runs what owns tasks: scopes, groups, supervisors, loops. */
final class Owners {
  private final Interpreter interpreter;
  private final Ledger ledger;

  Owners(Interpreter interpreter, Ledger ledger) {
    this.interpreter = interpreter;
    this.ledger = ledger;
  }

  // ---- scopes

  int scope(Scope plan, Frame here) throws Exception {
    boolean failsTogether = plan.policy() == Policy.CANCEL_ON_FAILURE;
    Frame owner = here.owner("scope " + plan.ending(), failsTogether);
    try {
      TaskScope<Exception> scope = open(plan);
      try {
        List<Child> children = fork(plan, scope, owner);
        return goOn(plan, scope, owner, children);
      } finally {
        owner.closing();
        if (plan.ending() != Ending.FORGET) {
          scope.close();
          ledger.closed(owner);
        }
      }
    } catch (Throwable t) {
      return interpreter.ended(t, plan.then(), here);
    }
  }

  private static TaskScope<Exception> open(Scope plan) {
    Admission admission =
        switch (plan.limit()) {
          case 1 -> Admission.block(1);
          case 2 -> Admission.queue(2, 2);
          default -> Admission.reject(3);
        };
    return plan.limit() == 0
        ? TaskScope.open(plan.policy())
        : TaskScope.open(plan.policy(), "limited", admission);
  }

  private record Child(Task<Integer, Exception> task, Frame frame) {}

  private List<Child> fork(Scope plan, TaskScope<Exception> scope, Frame owner) {
    var children = new ArrayList<Child>();
    if (plan.strangers() > 0) {
      Frame frame = owner.inside("stranger");
      scope.fork(() -> {
        ledger.begins(frame);
        try {
          for (int i = 0; i < plan.strangers(); i++) {
            Frame child = owner.inside("by a stranger");
            scope.fork(interpreter.body(new UntilCancelled(Reaction.FAIL), child));
          }
        } finally {
          frame.end();
        }
        return 1;
      });
    }
    for (Plan each : plan.children()) {
      Frame frame = owner.inside("child");
      try {
        children.add(new Child(scope.fork(interpreter.body(each, frame)), frame));
      } catch (RejectedExecutionException full) {
        ledger.taken(full);
      }
    }
    return children;
  }

  private int goOn(Scope plan, TaskScope<Exception> scope, Frame owner, List<Child> children)
      throws Exception {
    switch (plan.ending()) {
      case JOIN -> scope.join();
      case JOIN_TWICE -> joinTwice(scope, owner);
      case AWAIT_EACH -> {
        for (Child child : children) {
          awaitAndTake(child, owner);
        }
      }
      case READ_EACH -> {
        if (plan.policy() == Policy.SUPERVISE) {
          scope.join();
        } else {
          for (Child child : children) {
            child.task().awaitDone();
          }
        }
        children.forEach(child -> take(child.task().outcome(), owner));
      }
      case CLOSE, FORGET -> {}
      case CANCEL -> {
        LockSupport.parkNanos(1000); // for some of them to begin
        owner.disturb();
        scope.cancel("not needed");
        Frame late = owner.inside("late child");
        late.refused = true;
        Task<Integer, Exception> refused = scope.fork(interpreter.body(new Give(), late));
        if (!refused.isCancelled()) {
          ledger.violation("a fork into a cancelled scope is not cancelled: " + owner.path());
        }
      }
    }
    return children.size();
  }

  private void joinTwice(TaskScope<Exception> scope, Frame owner) throws Exception {
    try {
      scope.join();
    } catch (InterruptedException e) {
      throw e;
    } catch (Throwable t) {
      ledger.read(t, owner);
      try {
        scope.join();
      } catch (InterruptedException e) {
        // It takes along what it can, and the rest was in what the first join threw.
        ledger.takenBefore(t, e);
        throw e;
      }
      ledger.violation("joined again, it does not throw what it threw: " + owner.path());
    }
  }

  private void awaitAndTake(Child child, Frame owner) throws InterruptedException {
    try {
      child.task().await();
    } catch (InterruptedException e) {
      throw e;
    } catch (Throwable t) {
      ledger.read(t, owner);
      ledger.taken(t);
    }
  }

  void take(Outcome<Integer> outcome, Frame owner) {
    Throwable failure =
        switch (outcome) {
          case Outcome.Success<Integer> _ -> null;
          case Outcome.Failure<Integer>(Throwable thrown) -> thrown;
          case Outcome.Cancelled<Integer>(var cancelled) -> cancelled;
        };
    if (failure != null) {
      ledger.read(failure, owner);
      ledger.taken(failure);
    }
  }

  // ---- groups

  int group(Group plan, Frame here) throws Exception {
    Frame owner = here.owner("group", true);
    try {
      return TaskGroup.<Integer>call(group -> {
        for (Plan each : plan.tasks()) {
          group.createTask(interpreter.body(each, owner.inside("task of the group")));
        }
        if (plan.cancels()) {
          LockSupport.parkNanos(1000);
          owner.disturb();
          group.cancel("not needed");
        }
        try {
          return interpreter.run(plan.body(), owner.inside("body of the group"));
        } catch (Throwable t) {
          owner.failed();
          throw t;
        }
      });
    } catch (ExceptionGroup failures) {
      if (plan.then() != Then.SPLIT) {
        return interpreter.ended(failures, plan.then(), here);
      }
      return split(failures, here);
    } catch (Throwable t) {
      return interpreter.ended(t, plan.then(), here);
    } finally {
      ledger.closed(owner);
    }
  }

  /** Throws the first failure of a type; a group that has none is taken. */
  private int split(ExceptionGroup failures, Frame here) throws Exception {
    ledger.read(failures, here);
    try {
      failures.throwIf(Bomb.Checked.class);
    } catch (Bomb.Checked e) {
      ledger.read(e, here);
      throw e;
    }
    ledger.taken(failures);
    return 0;
  }

  // ---- supervisors

  int supervise(Supervise plan, Frame here) throws Exception {
    Frame owner = here.owner("supervisor", false).disturb();
    Supervisor supervisor =
        Supervisor.builder()
            .strategy(plan.strategy())
            .maxRestarts(plan.most(), Duration.ofHours(1))
            .build();
    for (int i = 0; i < plan.children().size(); i++) {
      Plan each = plan.children().get(i);
      var starts = new AtomicInteger();
      supervisor.add(
          dev.selvedge.gather.Child.of(
                  "child-" + i,
                  () -> {
                    boolean fails = starts.getAndIncrement() < plan.failures();
                    interpreter.body(fails ? each : new Give(), owner.inside("supervised")).call();
                  })
              .restart(dev.selvedge.gather.Child.Restart.TRANSIENT));
    }
    var ended = new AtomicBoolean();
    // Again and again, because a supervisor that has not begun cannot be stopped.
    Interpreter.later(
        plan.micros(),
        () -> {
          // Ever more rarely, because one that hangs keeps each request.
          for (long pause = 1_000_000; !ended.get(); pause = Math.min(2 * pause, 100_000_000)) {
            supervisor.stop();
            LockSupport.parkNanos(pause);
          }
        });
    try {
      supervisor.run();
      return 1;
    } catch (Throwable t) {
      return interpreter.ended(t, Then.TAKE, here);
    } finally {
      ended.set(true);
      ledger.closed(owner);
    }
  }

  // ---- loops

  int inner(Inner plan, Frame here) throws Exception {
    Frame owner = Frame.loop(here, here.floor);
    try {
      Loop loop = interpreter.innerLoop();
      try {
        Frame main = owner.root(here.tree, "main");
        return loop.<Integer, Exception>runUntilComplete(interpreter.body(plan.body(), main));
      } finally {
        owner.closing();
        loop.close();
        ledger.closed(owner);
      }
    } catch (Throwable t) {
      return interpreter.ended(t, plan.then(), here);
    }
  }
}
