package dev.selvedge.programs;

import static dev.selvedge.programs.Parts.say;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.util.concurrent.CountDownLatch;

/** Programs whose signals are not the library's. */
public final class Untouched {
  private Untouched() {}

  /** The program has its own handler, installed before the run or in it. */
  public static final class OwnHandler {
    private OwnHandler() {}

    public static void main(String[] arguments) throws Exception {
      boolean before = arguments[0].equals("before");
      var first = new CountDownLatch(1);
      var second = new CountDownLatch(2);
      Runnable own =
          () -> {
            say("own handler");
            first.countDown();
            second.countDown();
          };
      if (before) {
        Parts.onInterrupt(own);
      }
      String value =
          Loop.run(loop -> {
            if (!before) {
              Parts.onInterrupt(own);
            }
            say("ready");
            first.await();
            return "requests " + Task.current().orElseThrow().cancelRequests();
          });
      say("run returned " + value);
      second.await();
      say("end");
    }
  }

  /** A loop that leaves signals and exit alone. */
  public static final class WithoutSignals {
    private WithoutSignals() {}

    public static void main(String[] arguments) throws Exception {
      Loop loop = Loop.builder().handleSignals(false).build();
      loop.runUntilComplete(() -> {
        Parts.sleeper(loop, "a");
        say("ready");
        Parts.sleep("main");
      });
    }
  }

  /** Goes on until it is told to end. */
  public static final class Reads {
    private Reads() {}

    public static void main(String[] arguments) {
      Loop.main(loop -> {
        say("ready");
        System.in.read();
        say("requests " + Task.current().orElseThrow().cancelRequests());
        return null;
      });
    }
  }

  /** Opens a scope outside of tasks, which is the default loop's, and says if that is cancelled. */
  public static final class Foreign {
    private Foreign() {}

    public static void main(String[] arguments) throws InterruptedException {
      try (TaskScope<RuntimeException> scope = TaskScope.open()) {
        scope.fork(() -> {
          try {
            say("ready");
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            say("cancelled");
            throw e;
          }
        });
        scope.join();
      }
    }
  }
}
