package dev.selvedge.stress.programs;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Timeout;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/** Says how many bytes it takes a task to run bodies within limits that they do not reach. */
public final class Limits {
  private static final Body<String, RuntimeException> BODY = () -> "value";
  private static final Duration LIMIT = Duration.ofMinutes(1);

  private Limits() {}

  public static void main(String[] arguments) throws Exception {
    try (Loop loop = Loop.create()) {
      loop.createTask(() -> Allocation.report(Limits::within, 1, 10)).await();
    }
  }

  private static void within(int limits) throws InterruptedException, TimeoutException {
    for (int i = 0; i < limits; i++) {
      String value = Timeout.within(LIMIT, BODY);
      if (!value.equals("value")) {
        throw new AssertionError(value);
      }
    }
  }
}
