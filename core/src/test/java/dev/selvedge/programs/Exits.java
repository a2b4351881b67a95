package dev.selvedge.programs;

import static dev.selvedge.programs.Parts.say;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** Programs that end, by themselves or by SIGTERM. */
public final class Exits {
  private static final Duration EVER = Duration.ofDays(1);

  private Exits() {}

  /** {@code Loop.main}, ending in every way. */
  public static final class Main {
    private Main() {}

    public static void main(String[] arguments) {
      String end = arguments[0];
      if (end.equals("caller")) {
        Thread.currentThread().interrupt();
      }
      Loop.main(loop ->
          switch (end) {
            case "value" -> "a value";
            case "failure" -> throw new IOException("main failed");
            case "handled" -> {
              loop.setExceptionHandler((of, context) ->
                  say(context.message() + ": " + context.exception().getMessage()));
              throw new IOException("main failed");
            }
            case "cancelled" -> {
              Task.current().orElseThrow().cancel("by itself");
              Thread.sleep(EVER);
              yield null;
            }
            default -> {
              Parts.sleeper(loop, "a");
              say("ready");
              Parts.sleep("main");
              yield null;
            }
          });
    }
  }

  /** A child of main's scope fails in its clean-up when Ctrl-C or SIGTERM comes. */
  public static final class ChildFailsInCleanUp {
    private ChildFailsInCleanUp() {}

    public static void main(String[] arguments) {
      Loop.main(loop -> {
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          var begun = new CountDownLatch(1);
          scope.fork(() -> {
            begun.countDown();
            try {
              Thread.sleep(EVER);
            } finally {
              failCleanUp();
            }
          });
          begun.await();
          say("ready");
          scope.join();
        }
        return null;
      });
    }

    private static void failCleanUp() {
      throw new IllegalStateException("clean-up failed");
    }
  }

  /** Main's own clean-up fails, and its exception is slow to print. */
  public static final class MainFailsInCleanUp {
    private MainFailsInCleanUp() {}

    public static void main(String[] arguments) {
      Loop.current()
          .setExceptionHandler((loop, context) -> {
            LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
            loop.defaultExceptionHandler(context);
          });
      Loop.main(loop -> {
        say("ready");
        try {
          Thread.sleep(EVER);
        } finally {
          ChildFailsInCleanUp.failCleanUp();
        }
        return null;
      });
    }
  }

  /** Main and a task clean up slowly. */
  public static final class CleansUpSlowly {
    private CleansUpSlowly() {}

    public static void main(String[] arguments) {
      Loop.main(loop -> {
        var begun = new CountDownLatch(1);
        loop.launch(() -> {
          begun.countDown();
          Parts.sleepAndCleanUp("a", Duration.ofMillis(200));
        });
        begun.await();
        say("ready");
        Parts.sleepAndCleanUp("main", Duration.ofMillis(200));
        return null;
      });
    }
  }

  /** Nothing but the time limit ends it: a task ignores its cancellation, or the handler hangs. */
  public static final class Hangs {
    private Hangs() {}

    public static void main(String[] arguments) throws Exception {
      boolean task = arguments[0].equals("task");
      Loop loop =
          Loop.builder()
              .shutdownTimeout(Duration.ofSeconds(1))
              .exceptionHandler((any, context) -> {
                say("handling " + context.exception());
                Parts.ignoreCancellation();
              })
              .build();
      loop.runUntilComplete(() -> {
        var failed =
            loop.createTask(() -> {
              throw new IllegalStateException("lost");
            });
        if (!task) {
          failed.onDone(done -> say("ready"));
          Thread.sleep(EVER);
          say("unreachable " + failed);
        }
        failed.ignoreFailure();
        say("ready");
        Parts.ignoreCancellation();
      });
    }
  }

  /** A task calls {@code System.exit}; main awaits it, or joins it, and others sleep. */
  public static final class ExitsInTask {
    private ExitsInTask() {}

    public static void main(String[] arguments) throws Exception {
      boolean join = arguments[0].equals("join");
      Loop.run(loop -> {
        Parts.sleeper(loop, "a");
        try {
          if (join) {
            try (TaskScope<RuntimeException> scope = TaskScope.open()) {
              scope.fork(() -> exit());
              scope.join();
            }
          } else {
            loop.createTask(() -> exit()).await();
          }
        } finally {
          say("main finally");
        }
        return null;
      });
    }

    private static void exit() {
      say("exiting");
      System.exit(3);
    }
  }

  /** Main itself calls {@code System.exit}. */
  public static final class ExitsInMain {
    private ExitsInMain() {}

    public static void main(String[] arguments) throws Exception {
      Loop.run(loop -> {
        Parts.sleeper(loop, "a");
        say("exiting");
        System.exit(3);
        return null;
      });
    }
  }

  /** The default loop holds a failure that nobody reads, and a task that sleeps. */
  public static final class DefaultLoop {
    private DefaultLoop() {}

    @SuppressWarnings("unused") // holds the handle
    private static Task<?, ?> held;

    public static void main(String[] arguments) throws Exception {
      Loop loop = Loop.current();
      var failed = new CountDownLatch(1);
      held =
          loop.createTask(
                  "lost",
                  () -> {
                    throw new IOException("nobody reads this");
                  })
              .onDone(task -> failed.countDown());
      failed.await();
      Parts.sleeper(loop, "a");
      say("main ends");
    }
  }

  /** A loop is made when the process is ending already. */
  public static final class LoopInHook {
    private LoopInHook() {}

    public static void main(String[] arguments) {
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(() -> {
                try {
                  say("hook got " + Loop.run(() -> "a value"));
                } catch (InterruptedException e) {
                  say("interrupted");
                }
              }));
    }
  }

  /** The exception handler calls {@code System.exit}, or a {@code finally} during the exit does. */
  public static final class ExitsElsewhere {
    private ExitsElsewhere() {}

    public static void main(String[] arguments) throws Exception {
      boolean handler = arguments[0].equals("handler");
      Loop loop = Loop.builder().exceptionHandler((any, context) -> System.exit(4)).build();
      loop.runUntilComplete(() -> {
        Parts.sleeper(loop, "a");
        if (handler) {
          loop.launch(() -> {
            throw new IllegalStateException("lost");
          });
        }
        say("ready");
        try {
          Thread.sleep(EVER);
        } finally {
          if (!handler) {
            System.exit(5);
          }
        }
      });
    }
  }

  /** A task halts the JVM, which waits for nobody then. */
  public static final class Halts {
    private Halts() {}

    public static void main(String[] arguments) throws Exception {
      Loop.run(loop -> {
        Parts.sleeper(loop, "a");
        say("halting");
        loop.createTask(() -> Runtime.getRuntime().halt(6)).await();
        return null;
      });
    }
  }
}
