package dev.selvedge.programs;

import static dev.selvedge.programs.Parts.say;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;

/** Programs that use up what a process has, and then need the library. */
public final class Scarce {
  private Scarce() {}

  private static void handle(Loop loop, ExceptionContext context) {
    Throwable lost = context.exception();
    say("reported " + (lost == null ? context.message() : lost.getMessage()));
  }

  /** As many open files as there can be. */
  public static final class NoDescriptors {
    private NoDescriptors() {}

    public static void main(String[] arguments) throws Exception {
      // Classes in a folder, as here, cannot be loaded later; those of a jar can.
      use();
      var open = new ArrayList<FileInputStream>();
      try {
        while (true) {
          open.add(new FileInputStream("/dev/null"));
        }
      } catch (IOException noDescriptor) {
        say("no descriptor");
      }
      use();
      for (FileInputStream each : open) {
        each.close();
      }
    }

    private static void use() throws InterruptedException {
      try (Loop loop = Loop.builder().exceptionHandler(Scarce::handle).build()) {
        var begun = new CountDownLatch(1);
        loop.launch(() -> {
          begun.countDown();
          throw new IOException("lost");
        });
        begun.await();
        say(loop.createTask(() -> "undisturbed").await());
      }
      say("closed");
    }
  }
}
