package dev.selvedge;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * For jcstress: whoever sees that a task is done sees its outcome, and what its body wrote. One
 * actor is the thread of the task, the other looks.
 */
public final class HandOff {
  private static final Loop LOOP = Loop.builder().handleSignals(false).build();

  private static final int NOT_DONE = -1;

  /** Its field is plain. */
  private static final class Box extends RuntimeException {
    private static final long serialVersionUID = 1;
    private int content;
  }

  private HandOff() {}

  private static TaskImpl<Box, Box> task(boolean fails) {
    return new TaskImpl<>(
        LOOP,
        null,
        () -> {
          var box = new Box();
          box.content = 42;
          if (fails) {
            throw box;
          }
          return box;
        },
        TaskImpl.HIDDEN);
  }

  /** What is missing counts as 0. */
  private static int content(Object box) {
    return box instanceof Box full ? full.content : 0;
  }

  private static void runHere(TaskImpl<?, ?> task) {
    task.thread(Thread.currentThread());
    task.run();
  }

  @JCStressTest
  @Outcome(id = "-1", expect = Expect.ACCEPTABLE, desc = "looked before the end")
  @Outcome(id = "42", expect = Expect.ACCEPTABLE, desc = "done, and the value is there")
  @Outcome(expect = Expect.FORBIDDEN, desc = "done without its value")
  @State
  public static class Result {
    private final TaskImpl<Box, Box> task = task(false);

    @Actor
    public void body() {
      runHere(task);
    }

    @Actor
    public void reader(I_Result r) {
      r.r1 = task.isDone() ? content(task.result()) : NOT_DONE;
    }
  }

  @JCStressTest
  @Outcome(id = "-1", expect = Expect.ACCEPTABLE, desc = "looked before the end")
  @Outcome(id = "42", expect = Expect.ACCEPTABLE, desc = "done, and the failure is there")
  @Outcome(expect = Expect.FORBIDDEN, desc = "done without its failure")
  @State
  public static class Failure {
    private final TaskImpl<Box, Box> task = task(true);

    /** Retrieves its failure at the end: millions of reports of it would fill the heap. */
    @Actor
    public void body() {
      runHere(task);
      task.exception();
    }

    @Actor
    public void reader(I_Result r) {
      r.r1 = task.isDone() ? content(task.exception().orElse(null)) : NOT_DONE;
    }
  }

  @JCStressTest
  @Outcome(id = "42", expect = Expect.ACCEPTABLE, desc = "the value")
  @Outcome(expect = Expect.FORBIDDEN, desc = "awaited without its value")
  @State
  public static class Await {
    private final TaskImpl<Box, Box> task = task(false);

    @Actor
    public void body() {
      runHere(task);
    }

    @Actor
    public void reader(I_Result r) {
      try {
        r.r1 = content(task.await());
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @JCStressTest
  @Outcome(id = "1, 42", expect = Expect.ACCEPTABLE, desc = "called once, with the value")
  @Outcome(expect = Expect.FORBIDDEN, desc = "not called once, or without the value")
  @State
  public static class Callback {
    private final TaskImpl<Box, Box> task = task(false);
    private int calls;
    private int seen;

    @Actor
    public void body() {
      runHere(task);
    }

    @Actor
    public void adder() {
      task.onDone(done -> {
        calls++;
        seen = content(((TaskImpl<?, ?>) done).value());
      });
    }

    @Arbiter
    public void afterwards(II_Result r) {
      r.r1 = calls;
      r.r2 = seen;
    }
  }
}
