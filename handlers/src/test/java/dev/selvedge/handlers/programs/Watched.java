package dev.selvedge.handlers.programs;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.handlers.Handlers;
import dev.selvedge.handlers.Watchdog;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Fails once, which its watchdog does not tolerate. */
public final class Watched {
  private static final Duration EVER = Duration.ofDays(1);

  private static final List<byte[]> FILLING = new LinkedList<>();

  private Watched() {}

  public static void main(String[] arguments) throws InterruptedException {
    String how = arguments[0];
    Watchdog watchdog =
        Watchdog.builder()
            .failures(how.equals("heap") ? 1_000 : 1, Duration.ofMinutes(1))
            .grace(Duration.ofMillis(how.equals("polite") ? 10_000 : 500))
            .exitCode(42)
            .build();
    Loop loop = Loop.builder().exceptionHandler(Handlers.all(watchdog, Handlers.stderr())).build();
    var begun = new CountDownLatch(1);
    loop.launch(() -> {
      begun.countDown();
      sleep(how);
    });
    begun.await();
    switch (how) {
      case "heap" -> loop.launch(() -> fill());
      case "exiting" -> {
        var second = new CountDownLatch(1);
        loop.launch(() -> failInCleanUp(second));
        second.await();
        System.exit(1);
      }
      default ->
          loop.launch(() -> {
            throw new IOException("lost");
          });
    }
    // Nothing but the watchdog ends this.
    Thread.sleep(EVER);
  }

  private static void sleep(String how) throws InterruptedException {
    if (how.equals("hook")) {
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(() -> {
                System.out.println("hook");
                ignore();
              }));
    }
    try {
      Thread.sleep(EVER);
    } catch (InterruptedException cancelled) {

      String source = Task.current().orElseThrow().cancelReason().orElseThrow().source().name();
      if (how.equals("ignores") || how.equals("exiting")) {
        System.out.println("ignored: " + source);
        ignore();
      }
      System.out.println("cleaned up: " + source);
      throw cancelled;
    }
  }

  /** Leaves little room for anything. */
  private static void fill() {
    while (true) {
      FILLING.add(new byte[1 << 18]);
    }
  }

  private static void failInCleanUp(CountDownLatch begun) throws IOException {
    begun.countDown();
    try {
      Thread.sleep(EVER);
    } catch (InterruptedException cancelled) {
      throw new IOException("lost while the process ends", cancelled);
    }
  }

  private static void ignore() {
    while (true) {
      try {
        Thread.sleep(EVER);
      } catch (InterruptedException e) {
        System.out.println("ignored an interrupt");
      }
    }
  }
}
