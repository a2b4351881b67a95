package dev.selvedge.stress.soak;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.stress.soak.Plan.Cleanup;
import dev.selvedge.stress.soak.Plan.Deaf;
import dev.selvedge.stress.soak.Plan.Fail;
import dev.selvedge.stress.soak.Plan.Give;
import dev.selvedge.stress.soak.Plan.Handling;
import dev.selvedge.stress.soak.Plan.Kind;
import dev.selvedge.stress.soak.Plan.Meddle;
import dev.selvedge.stress.soak.Plan.Pause;
import dev.selvedge.stress.soak.Plan.Reaction;
import dev.selvedge.stress.soak.Plan.Spawn;
import dev.selvedge.stress.soak.Plan.Then;
import dev.selvedge.stress.soak.Plan.UntilCancelled;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Does with the library what a plan says, and tells the ledger. Whoever sees an interrupt here
 * ends: it waits for nothing any more that would need another.
 */
final class Interpreter {
  final Ledger ledger;
  final Board board = new Board();
  private final Function<Loop.Builder, Loop.Builder> settings;
  private final Owners owners;
  private final Verbs verbs;
  private final Limits limits;
  private final Meddling meddling;

  /**
   * An interpreter.
   *
   * @param settings of the loops inside of tasks
   */
  Interpreter(Ledger ledger, Function<Loop.Builder, Loop.Builder> settings) {
    this.ledger = ledger;
    this.settings = settings;
    owners = new Owners(this, ledger);
    verbs = new Verbs(this, ledger);
    limits = new Limits(this);
    meddling = new Meddling(this, ledger);
  }

  Loop innerLoop() {
    return settings.apply(Loop.builder()).build();
  }

  int run(Plan plan, Frame here) throws Exception {
    return switch (plan) {
      case Give _ -> 1;
      case Fail(Kind kind) -> throw fail(kind, here);
      case Pause pause -> pause(pause, here);
      case UntilCancelled(Reaction reaction) -> untilCancelled(reaction, here);
      case Deaf deaf -> deaf(deaf, here);
      case Cleanup cleanup -> cleanup(cleanup, here);
      case Meddle meddle -> meddling.meddle(meddle, here);
      case Spawn spawn -> spawn(spawn, here);
      case Plan.Scope scope -> owners.scope(scope, here);
      case Plan.Group group -> owners.group(group, here);
      case Plan.Supervise supervise -> owners.supervise(supervise, here);
      case Plan.Inner inner -> owners.inner(inner, here);
      case Plan.Together together -> verbs.together(together, here);
      case Plan.Limit limit -> limits.limit(limit, here);
      case Plan.Cut cut -> limits.cut(cut, here);
      case Plan.Shield shield -> limits.shield(shield, here);
    };
  }

  /** The body of a task. */
  Body<Integer, Exception> body(Plan plan, Frame task) {
    return () -> {
      ledger.begins(task);
      try {
        return run(plan, task);
      } catch (Throwable t) {
        ledger.leaves(t, task);
        throw t;
      } finally {
        task.end();
      }
    };
  }

  // ---- bodies without tasks of their own

  /** Throws something. */
  RuntimeException fail(Kind kind, Frame here) {
    throw Interpreter.<RuntimeException>sneak(ledger.thrown(kind, here));
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  static <X extends Throwable> RuntimeException sneak(Throwable exception) throws X {
    throw (X) exception;
  }

  private int pause(Pause pause, Frame here) throws Exception {
    try {
      Thread.sleep(micros(pause.micros()));
    } catch (InterruptedException e) {
      return interrupted(e, pause.reaction(), here);
    }
    return run(pause.then(), here);
  }

  static Duration micros(int micros) {
    return Duration.ofNanos(micros * 1000L);
  }

  private int untilCancelled(Reaction reaction, Frame here) throws Exception {
    try {
      new CountDownLatch(1).await();
      throw new AssertionError();
    } catch (InterruptedException e) {
      return interrupted(e, reaction, here);
    }
  }

  private int interrupted(InterruptedException e, Reaction reaction, Frame here) throws Exception {
    requireCause(here, "interrupted");
    if (reaction == Reaction.PASS) {
      throw e;
    }
    ledger.taken(e);
    if (reaction == Reaction.FAIL) {
      throw fail(Kind.CHECKED, here);
    }
    return 0;
  }

  /** A cancellation needs somebody who asked for it. */
  void requireCause(Frame here, String what) {
    if (!here.isDisturbed()) {
      ledger.violation(what + ", though nobody asked: " + here.path());
    }
  }

  /** Whatever was open has left no interrupt of its own. */
  void requireNoLeak(Frame here, String after) {
    if (Thread.currentThread().isInterrupted()) {
      requireCause(here, "interrupt left behind by " + after);
    }
  }

  private int deaf(Deaf deaf, Frame here) throws Exception {
    long end = System.nanoTime() + deaf.micros() * 1000L;
    boolean interrupted = false;
    for (long left; (left = end - System.nanoTime()) > 0; ) {
      LockSupport.parkNanos(left);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      requireCause(here, "interrupted");
      Thread.currentThread().interrupt();
    }
    return run(deaf.then(), here);
  }

  private int cleanup(Cleanup cleanup, Frame here) throws Exception {
    try {
      run(cleanup.body(), here);
    } catch (Throwable t) {
      ledger.taken(t);
    }
    throw fail(cleanup.kind(), here);
  }

  // ---- what calls throw

  /** A call of its own has thrown: passes it on, or takes it. */
  int ended(Throwable thrown, Then then, Frame here) throws Exception {
    return ended(thrown, then, here, here);
  }

  /**
   * The same for what was thrown by tasks of another owner, too.
   *
   * @param owner who may have reported it before the call had it, if it is closing
   */
  int ended(Throwable thrown, Then then, Frame here, Frame owner) throws Exception {
    if (thrown instanceof InterruptedException) {
      requireCause(here, "interrupted");
    }
    ledger.read(thrown, owner);
    if (then == Then.PASS) {
      throw Interpreter.<RuntimeException>sneak(thrown);
    }
    ledger.taken(thrown);
    return 0;
  }

  // ---- tasks of the loop

  private int spawn(Spawn spawn, Frame here) throws Exception {
    boolean shared = spawn.handling() == Handling.BOARD || spawn.handling() == Handling.SERVICE;
    int number = shared ? board.nextNumber() : here.floor;
    Frame task = here.spawned(here.tree, number, "task");
    task.shared = shared;
    Loop loop = Loop.current();
    Body<Integer, Exception> body = body(spawn.body(), task);
    Task<Integer, Exception> created;
    try {
      if (spawn.handling() == Handling.LAUNCH) {
        loop.launch(() -> {
          body.call();
        });
        return 1;
      }
      created = loop.createTask(body);
    } catch (IllegalStateException | RejectedExecutionException refused) {
      throw refused(refused, task.loop());
    }
    if (spawn.handling() == Handling.AWAIT || spawn.handling() == Handling.WAIT_FOR) {
      return awaitOwn(spawn, created, task, here);
    }
    if (shared) {
      boolean service = spawn.handling() == Handling.SERVICE;
      board.add(new Board.Entry(created, task, number, service));
    }
    return 1;
  }

  /** A fork was refused, which it may be if its owner is closed or full. */
  private RuntimeException refused(RuntimeException refused, Frame owner) throws Exception {
    if (refused instanceof IllegalStateException closed && owner.isClosing()) {
      throw new Ledger.Closed(closed);
    }
    throw refused;
  }

  /**
   * Does something a little later, in a thread that is no task: one of the loop's could be
   * cancelled with that for which it is to do it.
   */
  static void later(int micros, Runnable action) {
    Thread.ofVirtual()
        .name("later")
        .start(() -> {
          LockSupport.parkNanos(micros * 1000L);
          action.run();
        });
  }

  private int awaitOwn(Spawn spawn, Task<Integer, Exception> created, Frame task, Frame here)
      throws Exception {
    try {
      if (spawn.handling() == Handling.AWAIT) {
        return created.await();
      }
      task.disturb();
      return dev.selvedge.Timeout.<Integer, Exception>waitFor(created, micros(spawn.micros()));
    } catch (Throwable t) {
      return ended(t, spawn.then(), here);
    }
  }
}
