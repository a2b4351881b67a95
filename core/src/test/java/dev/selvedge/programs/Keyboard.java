package dev.selvedge.programs;

import static dev.selvedge.programs.Parts.say;

import dev.selvedge.KeyboardInterruptException;
import dev.selvedge.Loop;
import dev.selvedge.Suppressed;
import dev.selvedge.TaskScope;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** Programs that get SIGINT. */
public final class Keyboard {
  private static final Duration EVER = Duration.ofDays(1);

  private Keyboard() {}

  /** Main sleeps, beside two tasks of the loop and above one of a scope. */
  public static final class Sleeps {
    private Sleeps() {}

    public static void main(String[] arguments) throws Exception {
      try {
        Loop.run(loop -> {
          var a = Parts.sleeper(loop, "a");
          var b = Parts.sleeper(loop, "b");
          try (TaskScope<RuntimeException> scope = TaskScope.open()) {
            var begun = new CountDownLatch(1);
            scope.fork(() -> {
              begun.countDown();
              Parts.sleep("child");
            });
            begun.await();
            say("ready");
            scope.join();
          } finally {
            say("others " + a.cancelRequests() + b.cancelRequests());
            say("main finally " + Parts.source());
          }
          return null;
        });
      } catch (KeyboardInterruptException e) {
        say("run threw " + e.getMessage() + ", " + e.getCause().getClass().getSimpleName());
      }
    }
  }

  /** Main catches its cancellation; another task is left. */
  public static final class Catches {
    private Catches() {}

    public static void main(String[] arguments) throws Exception {
      String value =
          Loop.run(loop -> {
            Parts.sleeper(loop, "a");
            say("ready");
            try {
              Thread.sleep(EVER);
              return "never";
            } catch (InterruptedException e) {
              return "a value";
            }
          });
      say("run returned " + value);
    }
  }

  /** Main's clean-up fails. */
  public static final class FailsInCleanUp {
    private FailsInCleanUp() {}

    public static void main(String[] arguments) throws Exception {
      try {
        Loop.run(() -> {
          say("ready");
          try {
            Thread.sleep(EVER);
          } finally {
            failCleanUp();
          }
        });
      } catch (IllegalStateException e) {
        say("run threw " + e.getMessage());
        for (Throwable suppressed : e.getSuppressed()) {
          say("suppressed " + suppressed.getClass().getSimpleName());
        }
      }
    }

    private static void failCleanUp() {
      throw new IllegalStateException("clean-up failed");
    }
  }

  /** Main's clean-up takes for ever, or a task's does. */
  public static final class CleansUpForEver {
    private CleansUpForEver() {}

    public static void main(String[] arguments) throws Exception {
      boolean inMain = arguments[0].equals("main");
      Loop.run(loop -> {
        var begun = new CountDownLatch(1);
        loop.launch(() -> {
          begun.countDown();
          Parts.sleepAndCleanUp("a", inMain ? Duration.ZERO : EVER);
        });
        begun.await();
        say("ready");
        Parts.sleepAndCleanUp("main", inMain ? EVER : Duration.ZERO);
        return null;
      });
    }
  }

  /** Two runs, one after the other, and then none. */
  public static final class RunsTwice {
    private RunsTwice() {}

    public static void main(String[] arguments) throws Exception {
      for (int i = 1; i <= 2; i++) {
        String name = "run " + i;
        try {
          Loop.run(() -> {
            say(name);
            Thread.sleep(EVER);
          });
        } catch (KeyboardInterruptException e) {
          say(name + " interrupted");
        }
      }
      say("no run");
      Thread.sleep(EVER);
    }
  }

  /** A run, a {@code runUntilComplete} and a {@code runForever} side by side. */
  public static final class RunsSideBySide {
    private RunsSideBySide() {}

    public static void main(String[] arguments) throws Exception {
      var begun = new CountDownLatch(2);
      Thread run =
          thread(
              "run",
              () ->
                  Loop.run(() -> {
                    begun.countDown();
                    Thread.sleep(EVER);
                  }));
      Thread complete =
          thread(
              "complete",
              () -> {
                try (Loop loop = Loop.create()) {
                  loop.runUntilComplete(() -> {
                    begun.countDown();
                    Thread.sleep(EVER);
                  });
                }
              });
      Loop loop = Loop.create();
      Thread forever = thread("forever", loop::runForever);
      begun.await();
      while (!loop.isRunning() || forever.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      say("ready");
      for (Thread thread : new Thread[] {run, complete, forever}) {
        thread.join();
      }
      say("forever is closed " + loop.isClosed());
      loop.close();
    }

    private static Thread thread(String name, dev.selvedge.Action<? extends Exception> action) {
      return Thread.ofPlatform()
          .start(() -> {
            try {
              action.run();
            } catch (Exception e) {
              say(name + " " + e.getClass().getSimpleName());
            }
          });
    }
  }

  /** Main has returned; a task that cleans up holds the run. */
  public static final class InterruptedAfterMain {
    private InterruptedAfterMain() {}

    public static void main(String[] arguments) throws Exception {
      boolean fails = arguments.length > 0;
      try {
        Loop.run(loop -> {
          var begun = new CountDownLatch(1);
          loop.launch(() -> {
            begun.countDown();
            try {
              Thread.sleep(EVER);
            } finally {
              Parts.awaitInterrupt();
              say("clean");
            }
          });
          begun.await();
          if (fails) {
            throw new IllegalStateException("main failed");
          }
          return "a value";
        });
        say("run returned");
      } catch (KeyboardInterruptException e) {
        say("run threw the interrupt, cause " + e.getCause());
      } catch (IllegalStateException e) {
        say(
            "run threw "
                + e.getMessage()
                + " + "
                + Suppressed.in(e).getFirst().getClass().getSimpleName());
      }
    }
  }
}
