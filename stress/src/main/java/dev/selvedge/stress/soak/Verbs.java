package dev.selvedge.stress.soak;

import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.gather.Gather;
import dev.selvedge.gather.Winner;
import dev.selvedge.stress.soak.Plan.Then;
import dev.selvedge.stress.soak.Plan.Together;
import dev.selvedge.stress.soak.Plan.Verb;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Runs the verbs of {@link Gather}. */
final class Verbs {
  private final Interpreter interpreter;
  private final Ledger ledger;

  Verbs(Interpreter interpreter, Ledger ledger) {
    this.interpreter = interpreter;
    this.ledger = ledger;
  }

  /** One call. */
  private final class Call {
    final Together plan;
    final Frame here;
    final Frame owner;

    /** To whom its tasks belong: its caller, or the loop of a task that it was given. */
    Frame lender;

    /** What has left its bodies. */
    final Queue<Throwable> left = new ConcurrentLinkedQueue<>();

    Call(Together plan, Frame here) {
      this.plan = plan;
      this.here = here;
      this.owner = here.owner(plan.verb().toString(), true);
      lender = here;
      switch (plan.verb()) {
        case ANY, WINNER, RACE, QUORUM, HEDGE, STREAM, AS_COMPLETED -> owner.disturb();
        default -> {}
      }
    }

    Body<Integer, Exception> body(Plan each) {
      // A hedge calls a body several times, at once.
      return () -> {
        try {
          return interpreter.body(each, owner.inside("body")).call();
        } catch (Throwable t) {
          left.add(t);
          throw t;
        }
      };
    }

    List<Body<Integer, Exception>> bodies() {
      var bodies = new ArrayList<Body<Integer, Exception>>();
      plan.bodies().forEach(each -> bodies.add(body(each)));
      return bodies;
    }

    /** The call has what it wanted: what else was thrown it tolerates. */
    @SuppressWarnings("ReferenceEquality") // an exception may call itself equal to others
    void tolerateAllBut(Throwable thrown) {
      for (Throwable each : left) {
        if (each != thrown) {
          ledger.tolerated(each);
        }
      }
    }
  }

  int together(Together plan, Frame here) throws Exception {
    var call = new Call(plan, here);
    try {
      int value = call(call);
      ledger.closed(call.owner);
      return value;
    } catch (Throwable t) {
      ledger.closed(call.owner);
      interpreter.requireNoLeak(here, plan.verb().toString());
      if (plan.verb() == Verb.RACE && isIn(call.left, t)) {
        call.tolerateAllBut(t);
      }
      if (plan.verb() == Verb.GATHER_TASKS) {
        // What others may get too must not become the failure of this task as well.
        if (call.lender != here) {
          ledger.lent(t);
        }
        return interpreter.ended(t, Then.TAKE, here, call.lender);
      }
      return interpreter.ended(t, plan.then(), here);
    }
  }

  @SuppressWarnings("ReferenceEquality") // an exception may call itself equal to others
  private static boolean isIn(Iterable<Throwable> all, Throwable one) {
    for (Throwable each : all) {
      if (each == one) {
        return true;
      }
    }
    return false;
  }

  private int call(Call call) throws Exception {
    Together plan = call.plan;
    return switch (plan.verb()) {
      case GATHER -> Gather.<Integer, Exception>gather(call.bodies()).size();
      case GATHER_TASKS -> gatherTasks(call);
      case SETTLE -> {
        List<Outcome<Integer>> outcomes = Gather.settle(call.bodies());
        outcomes.forEach(outcome -> take(outcome, call));
        yield outcomes.size();
      }
      case MAP ->
          Gather.<Plan, Integer, Exception>map(
                  plan.bodies(), plan.number(), each -> call.body(each).call())
              .size();
      case ANY -> {
        int value = Gather.<Integer>any(call.bodies());
        tolerateAll(call);
        yield value;
      }
      case WINNER -> winner(call);
      case RACE -> {
        int value = Gather.<Integer, Exception>race(call.bodies());
        tolerateAll(call);
        yield value;
      }
      case QUORUM -> {
        int size = Gather.<Integer>quorum(plan.number(), call.bodies()).size();
        tolerateAll(call);
        yield size;
      }
      case HEDGE -> {
        Duration delay = Interpreter.micros(100);
        int value =
            Gather.<Integer, Exception>hedge(
                delay, plan.number(), call.body(plan.bodies().getFirst()));
        tolerateAll(call);
        yield value;
      }
      case STREAM -> stream(call);
      case AS_COMPLETED -> asCompleted(call);
    };
  }

  private void tolerateAll(Call call) {
    call.left.forEach(ledger::tolerated);
  }

  private void take(Outcome<Integer> outcome, Call call) {
    Throwable failure =
        switch (outcome) {
          case Outcome.Success<Integer> _ -> null;
          case Outcome.Failure<Integer>(Throwable thrown) -> thrown;
          case Outcome.Cancelled<Integer>(var cancelled) -> cancelled;
        };
    if (failure != null) {
      ledger.read(failure, call.owner);
      ledger.taken(failure);
    }
  }

  /** With tasks of others among the bodies, which it takes over. */
  private int gatherTasks(Call call) throws Exception {
    var bodies = new ArrayList<Body<Integer, Exception>>(call.bodies());
    Board.Entry entry = interpreter.board.pick(call.plan.number(), call.here.floor);
    if (entry != null && !entry.service) {
      // If it fails, so does the whole call.
      entry.frame.disturb();
      call.owner.disturb();
      call.lender = entry.frame.loop();
      bodies.add(call.plan.number() % (bodies.size() + 1), entry.task);
    }
    return Gather.<Integer, Exception>gather(bodies).size();
  }

  /** Lists what it tolerates. */
  private int winner(Call call) throws Exception {
    Winner<Integer> winner = Gather.<Integer>winner(call.bodies());
    winner.tolerated().forEach(ledger::tolerated);
    return winner.index();
  }

  private int stream(Call call) throws Exception {
    Together plan = call.plan;
    try (var stream =
        Gather.<Plan, Integer, Exception>stream(
            plan.bodies(), plan.number(), each -> call.body(each).call())) {
      return plan.number() == 1 ? stream.limit(2).toList().size() : stream.toList().size();
    }
  }

  private int asCompleted(Call call) throws Exception {
    try (var stream = Gather.<Integer>asCompleted(call.bodies())) {
      // What was handed out is the reader's, also if it is interrupted while it waits for the next.
      (call.plan.number() == 1 ? stream.limit(2) : stream).forEach(outcome -> take(outcome, call));
      return 1;
    }
  }
}
