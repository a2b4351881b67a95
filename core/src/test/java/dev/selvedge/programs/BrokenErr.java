package dev.selvedge.programs;

import static dev.selvedge.programs.Parts.say;

import dev.selvedge.Loop;
import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;

/** Tasks fail, and nobody reads it, in a process with a standard error that is of no use. */
public final class BrokenErr {
  public static final int FAILURES = 3;

  private BrokenErr() {}

  public static void main(String[] arguments) throws Exception {
    var release = new CountDownLatch(1);
    Loop.Builder builder = Loop.builder();
    switch (arguments[0]) {
      case "closed" -> {
        var closed = new PrintStream(OutputStream.nullOutputStream());
        closed.close();
        System.setErr(closed);
      }
      case "failing" ->
          System.setErr(
              new PrintStream(
                  new OutputStream() {
                    @Override
                    public void write(int each) throws IOException {
                      throw new IOException("no space left");
                    }
                  },
                  true));
      case "throwing" -> System.setErr(throwing(new IllegalStateException("a broken stream")));
      case "erring" -> System.setErr(throwing(new StackOverflowError("a broken stream")));
      case "none" -> System.setErr(null);
      case "descriptor" -> {
        System.err.close();
        builder.listener(
            new LoopListener() {
              @Override
              public void orphaned(Task<?, ?> task, Throwable failure) {
                say("told of " + failure.getMessage());
              }
            });
      }
      default -> System.setErr(slow(release));
    }
    try (Loop loop = builder.build()) {
      for (int i = 0; i < FAILURES; i++) {
        int number = i;
        var begun = new CountDownLatch(1);
        loop.launch(() -> {
          begun.countDown();
          throw new IOException("failure " + number);
        });
        begun.await();
      }
      if (arguments[0].equals("slow")) {
        say(loop.createTask(() -> "undisturbed").await());
        release.countDown();
      }
    }
    say("closed");
  }

  private static PrintStream throwing(Throwable broken) {
    return new PrintStream(OutputStream.nullOutputStream()) {
      @Override
      public void write(byte[] bytes, int offset, int length) {
        if (broken instanceof Error error) {
          throw error;
        }
        throw (RuntimeException) broken;
      }
    };
  }

  /** Each write waits until it may. */
  private static PrintStream slow(CountDownLatch release) {
    return new PrintStream(
        new FileOutputStream(FileDescriptor.err) {
          @Override
          public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
              release.await();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            super.write(bytes, offset, length);
          }
        },
        true);
  }
}
