package dev.selvedge.programs;

import dev.selvedge.KeyboardInterruptException;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** What the programs are made of. */
final class Parts {
  private static final Duration EVER = Duration.ofDays(1);

  private Parts() {}

  static void say(String line) {
    System.out.println(line);
  }

  /** A task that says how it was cancelled; returns when its body has begun. */
  static Task<?, ?> sleeper(Loop loop, String name) throws InterruptedException {
    var begun = new CountDownLatch(1);
    var task =
        loop.createTask(
            name,
            () -> {
              begun.countDown();
              sleep(name);
            });
    begun.await();
    return task;
  }

  /** Sleeps until it is cancelled, and says that its {@code finally} ran. */
  static void sleep(String name) throws InterruptedException {
    try {
      Thread.sleep(EVER);
    } finally {
      say(name + " finally " + source());
    }
  }

  /** Sleeps, says {@code ready} before, and cleans up slowly. */
  static void sleepAndCleanUp(String name, Duration cleanUp) throws InterruptedException {
    try {
      Thread.sleep(EVER);
    } finally {
      say(name + " cleaning");
      Thread.sleep(cleanUp);
      say(name + " clean");
    }
  }

  /** Goes on for ever, whatever happens. */
  static void ignoreCancellation() {
    while (true) {
      try {
        Thread.sleep(EVER);
      } catch (InterruptedException e) {
        say("ignored");
      }
    }
  }

  /** Says {@code ready}, and returns when a SIGINT has reached every run. */
  static void awaitInterrupt() throws InterruptedException {
    try {
      Loop.run(() -> {
        say("ready");
        Thread.sleep(EVER);
      });
    } catch (KeyboardInterruptException e) {
      while (Thread.getAllStackTraces().keySet().stream()
          .anyMatch(thread -> thread.getName().equals("SIGINT handler"))) {
        Thread.onSpinWait();
      }
    }
  }

  /** Why the current task was cancelled. */
  static String source() {
    Task<?, ?> task = Task.current().orElseThrow();
    return task.cancelReason().orElseThrow().source() + " x" + task.cancelRequests();
  }

  /** Installs a handler of the program's own for SIGINT. */
  static void onInterrupt(Runnable action) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    InvocationHandler calls =
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "handle" -> {
                action.run();
                yield null;
              }
              case "toString" -> "the program's own";
              case "hashCode" -> 1;
              default -> proxy == arguments[0];
            };
    Object own = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, calls);
    Object interrupt = signal.getConstructor(String.class).newInstance("INT");
    signal.getMethod("handle", signal, handler).invoke(null, interrupt, own);
  }
}
