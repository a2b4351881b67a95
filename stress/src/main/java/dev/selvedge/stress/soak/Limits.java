package dev.selvedge.stress.soak;

import dev.selvedge.CancelScope;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.Timeout;
import dev.selvedge.stress.soak.Plan.Cut;
import dev.selvedge.stress.soak.Plan.Limit;
import dev.selvedge.stress.soak.Plan.Shield;
import dev.selvedge.stress.soak.Plan.Then;
import dev.selvedge.stress.soak.Plan.UntilCancelled;
import java.util.concurrent.TimeoutException;

/** Runs what is limited in the same thread. */
final class Limits {
  private final Interpreter interpreter;

  Limits(Interpreter interpreter) {
    this.interpreter = interpreter;
  }

  int limit(Limit limit, Frame here) throws Exception {
    Frame inside = here.inside("limit").disturb();
    try {
      Timeout.<Integer, Exception>within(
          Interpreter.micros(limit.micros()), () -> interpreter.run(limit.body(), inside));
    } catch (TimeoutException e) {
      interpreter.requireNoLeak(here, "a limit");
      return interpreter.ended(e, Then.TAKE, here) + interpreter.run(limit.after(), here);
    } catch (InterruptedException e) {
      return interpreter.ended(e, Then.PASS, here);
    } catch (Throwable t) {
      interpreter.requireNoLeak(here, "a limit");
      return interpreter.ended(t, limit.then(), here);
    }
    return after(limit.after(), here, "a limit");
  }

  /** The body may have swallowed a cancellation, so that another need not come. */
  private int after(Plan after, Frame here, String what) throws Exception {
    interpreter.requireNoLeak(here, what);
    return after instanceof UntilCancelled ? 1 : interpreter.run(after, here);
  }

  @SuppressWarnings("ReferenceEquality") // the very request
  int cut(Cut cut, Frame here) throws Exception {
    CancelScope scope = CancelScope.create();
    Frame inside = here.inside("cut").disturb();
    Interpreter.later(cut.micros(), () -> scope.cancel("cut"));
    try {
      scope.<Integer, Exception>call(() -> interpreter.run(cut.body(), inside));
    } catch (TaskCancelledException e) {
      interpreter.requireNoLeak(here, "a CancelScope");
      boolean own = scope.cancelReason().filter(reason -> reason == e.reason()).isPresent();
      interpreter.ended(e, Then.TAKE, here);
      return own ? interpreter.run(cut.after(), here) : 0;
    } catch (InterruptedException e) {
      return interpreter.ended(e, Then.PASS, here);
    }
    return after(cut.after(), here, "a CancelScope");
  }

  int shield(Shield shield, Frame here) throws Exception {
    return Task.<Integer, Exception>shielded(
        () -> interpreter.run(shield.body(), here.inside("shield")));
  }
}
