package dev.selvedge.stress.soak;

import dev.selvedge.Task;
import dev.selvedge.stress.soak.Plan.Kind;
import dev.selvedge.stress.soak.Plan.Meddle;
import dev.selvedge.stress.soak.Plan.Then;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/** Does something to a task of others. What it throws is taken: those others may get it, too. */
final class Meddling {
  private static final Duration SHORT = Duration.ofNanos(300_000);

  private final Interpreter interpreter;
  private final Ledger ledger;

  Meddling(Interpreter interpreter, Ledger ledger) {
    this.interpreter = interpreter;
    this.ledger = ledger;
  }

  int meddle(Meddle meddle, Frame here) throws Exception {
    Board.Entry entry = interpreter.board.pick(meddle.pick(), here.floor);
    if (entry == null) {
      return 0;
    }
    Task<Integer, Exception> task = entry.task;
    return switch (meddle.deed()) {
      case AWAIT ->
          await(entry, here, entry.service ? () -> task.await(SHORT) : () -> task.await());
      case AWAIT_FOR_A_TIME -> await(entry, here, () -> task.await(SHORT));
      case AWAIT_SHIELDED -> awaitShielded(entry, here);
      case READ -> task.isDone() ? await(entry, here, task::result) : 0;
      case PEEK -> task.toString().length() + task.state().name().length() + task.cancelRequests();
      case CANCEL -> {
        entry.frame.disturb();
        yield task.cancel("meddled with") ? 1 : 0;
      }
      case IGNORE -> {
        task.ignoreFailure();
        interpreter.board.ignore(entry);
        yield 1;
      }
      case CALL_BACK -> {
        task.onDone(_ -> {
          throw interpreter.fail(Kind.UNCHECKED, here);
        });
        yield 1;
      }
      case COPY -> {
        var _ =
            task.toCompletableFuture()
                .whenComplete((_, failure) -> {
                  if (failure != null) {
                    ledger.taken(failure);
                  }
                });
        yield 1;
      }
    };
  }

  private interface Wait {
    int call() throws Exception;
  }

  private int await(Board.Entry entry, Frame here, Wait wait) throws Exception {
    try {
      return wait.call();
    } catch (InterruptedException e) {
      return interpreter.ended(e, Then.PASS, here);
    } catch (Throwable t) {
      if (entry.task.isDone() && !(t instanceof TimeoutException)) {
        ledger.read(t, entry.frame.loop());
      }
      ledger.taken(t);
      return 0;
    }
  }

  /** Through a view that is cancelled before, meanwhile, or not at all. */
  private int awaitShielded(Board.Entry entry, Frame here) throws Exception {
    Task<Integer, Exception> view = entry.task.shield();
    if (entry.service || entry.number % 3 == 0) {
      view.cancel("the view alone");
    }
    return await(entry, here, view::await);
  }
}
