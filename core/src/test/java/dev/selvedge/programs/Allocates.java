package dev.selvedge.programs;

import static dev.selvedge.programs.Parts.say;

import com.sun.management.ThreadMXBean;
import dev.selvedge.Body;
import dev.selvedge.TaskScope;
import java.lang.management.ManagementFactory;

/**
 * Says how many bytes a scope with some forks allocates, everything that the JDK allocates for the
 * threads included. And how many if each fork allocated some more, as a slip in the library would.
 */
public final class Allocates {
  private static final int WARM_UP_FORKS = 40_000;
  private static final int MEASURED_FORKS = 10_000;

  /** Keeps the compiler from leaving the planted allocation out. */
  private static volatile Object planted = "nothing";

  private Allocates() {}

  public static void main(String[] arguments) throws InterruptedException {
    for (int forks : new int[] {1, 10, 100, 1000}) {
      say(forks + " " + least(forks, false) + " " + least(forks, true));
    }
  }

  private static long least(int forks, boolean plants) throws InterruptedException {
    scopes(WARM_UP_FORKS / forks, forks, plants);
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 2; round++) {
      least = Math.min(least, scopes(MEASURED_FORKS / forks, forks, plants));
    }
    return least;
  }

  /** The bytes of one of so many scopes. */
  private static long scopes(int scopes, int forks, boolean plants) throws InterruptedException {
    long before = allocated();
    for (int i = 0; i < scopes; i++) {
      scope(forks, plants);
    }
    return (allocated() - before) / scopes;
  }

  private static void scope(int forks, boolean plants) throws InterruptedException {
    try (TaskScope<RuntimeException> scope = TaskScope.open()) {
      for (int i = 0; i < forks; i++) {
        scope.fork(BODY);
        if (plants) {
          planted = new byte[24];
        }
      }
      scope.join();
    }
  }

  private static final Body<String, RuntimeException> BODY = () -> "value";

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getTotalThreadAllocatedBytes();
  }
}
