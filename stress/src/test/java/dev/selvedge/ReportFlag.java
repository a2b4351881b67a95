package dev.selvedge;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** For jcstress: of retrieving, ignoring and reporting a failure exactly one wins. */
public final class ReportFlag {
  /** Counts who told what of it; each kind is told by one thread at most. */
  private static final class Told extends Exception {
    private static final long serialVersionUID = 1;
    private volatile int retrieved;
    private volatile int ignored;
    private volatile int reported;
  }

  private static final Loop LOOP =
      Loop.builder()
          .handleSignals(false)
          .exceptionHandler((_, context) -> {
            if (context.exception() instanceof Told told) {
              told.reported++;
            }
          })
          .listener(
              new LoopListener() {
                @Override
                public void awaited(Task<?, ?> task, Throwable exception) {
                  ((Told) exception).retrieved++;
                }

                @Override
                public void tolerated(Task<?, ?> task, Throwable exception) {
                  ((Told) exception).ignored++;
                }
              })
          .build();

  private ReportFlag() {}

  private static Failed failed(Told told) {
    var task = new TaskImpl<Object, Told>(LOOP, null, () -> told, TaskImpl.HIDDEN);
    return new Failed(task, told, false);
  }

  @JCStressTest
  @Outcome(
      id = {"1, 0", "0, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "one wins")
  @Outcome(expect = Expect.FORBIDDEN, desc = "both or none")
  @State
  public static class RetrieveOrReport {
    private final Told told = new Told();
    private final Failed failed = failed(told);

    @Actor
    public void retrieve() {
      failed.settle(Failed.Fate.AWAITED);
    }

    @Actor
    public void report() {
      failed.deliver();
    }

    @Arbiter
    public void afterwards(II_Result r) {
      r.r1 = told.retrieved;
      r.r2 = told.reported;
    }
  }

  @JCStressTest
  @Outcome(
      id = {"1, 0", "0, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "one wins")
  @Outcome(expect = Expect.FORBIDDEN, desc = "both or none")
  @State
  public static class RetrieveOrIgnore {
    private final Told told = new Told();
    private final Failed failed = failed(told);

    @Actor
    public void retrieve() {
      failed.settle(Failed.Fate.AWAITED);
    }

    @Actor
    public void ignore() {
      failed.settle(Failed.Fate.TOLERATED);
    }

    @Arbiter
    public void afterwards(II_Result r) {
      r.r1 = told.retrieved;
      r.r2 = told.ignored;
    }
  }

  @JCStressTest
  @Outcome(
      id = {"0, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "one report")
  @Outcome(expect = Expect.FORBIDDEN, desc = "two or none")
  @State
  public static class ReportTwice {
    private final Told told = new Told();
    private final Failed failed = failed(told);

    @Actor
    public void close() {
      failed.deliver();
    }

    @Actor
    public void timer() {
      failed.deliver();
    }

    @Arbiter
    public void afterwards(II_Result r) {
      r.r1 = told.retrieved;
      r.r2 = told.reported;
    }
  }
}
