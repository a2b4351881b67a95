package dev.selvedge.programs;

import static dev.selvedge.programs.Parts.say;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

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

  /** Two tasks at a time take the whole heap; one is awaited, the other is left to the loop. */
  public static final class NoHeap {
    private static final int ROUNDS = 10;

    private NoHeap() {}

    public static void main(String[] arguments) throws Exception {
      var reported = new AtomicInteger();
      int awaited = 0;
      try (Loop loop =
          Loop.builder()
              .exceptionHandler((any, context) -> {
                if (context.exception() instanceof OutOfMemoryError) {
                  reported.incrementAndGet();
                }
              })
              .build()) {
        for (int i = 0; i < ROUNDS; i++) {
          // Whoever allocates while the heap is full gets the error: this thread must not.
          var ready = new CountDownLatch(1);
          var done = new CountDownLatch(2);
          Task<List<byte[]>, Exception> task = start(loop, ready, done);
          start(loop, ready, done);
          ready.countDown();
          done.await();
          try {
            say("a list of " + task.await().size());
          } catch (OutOfMemoryError full) {
            awaited++;
          }
        }
        // The collector may have found some; the loop tells of the others when it closes.
        say(awaited == ROUNDS ? "none is lost" : awaited + " awaited");
        say(loop.createTask(() -> "undisturbed").await());
      }
      say(reported.get() == ROUNDS ? "closed" : reported + " reported");
    }

    private static Task<List<byte[]>, Exception> start(
        Loop loop, CountDownLatch ready, CountDownLatch done) {
      return loop.<List<byte[]>, Exception>createTask(
              () -> {
                ready.await();
                return takeAll();
              })
          .onDone(ended -> done.countDown());
    }

    private static List<byte[]> takeAll() {
      var all = new ArrayList<byte[]>();
      while (true) {
        // Small at the end, so that hardly a byte is left.
        all.add(new byte[all.size() < 16 ? 1 << 20 : 1 << 14]);
      }
    }
  }
}
