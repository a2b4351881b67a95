package dev.selvedge.stress.programs;

import dev.selvedge.Body;
import dev.selvedge.Loop;

/**
 * Says how many bytes it takes to create tasks of a loop and await them one by one. To be run with
 * one carrier: then the task never runs before somebody waits for it.
 */
public final class Awaits {
  private static final Body<String, RuntimeException> BODY = () -> "value";

  private Awaits() {}

  public static void main(String[] arguments) throws Exception {
    try (Loop loop = Loop.create()) {
      loop.createTask(() -> Allocation.report(tasks -> await(loop, tasks), 1, 10)).await();
    }
  }

  private static void await(Loop loop, int tasks) throws InterruptedException {
    for (int i = 0; i < tasks; i++) {
      String value = loop.createTask(BODY).await();
      if (!value.equals("value")) {
        throw new AssertionError(value);
      }
    }
  }
}
