package dev.selvedge;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * The suite runs twice: with {@code -Dselvedge.threads=virtual} on the loop's own virtual threads,
 * and with {@code platform} on platform threads of an injected factory. Tests get their loops here.
 */
public final class Threads {
  public static final boolean PLATFORM = "platform".equals(System.getProperty("selvedge.threads"));

  /** Scales the repetitions of a test. */
  public static final int EFFORT = Integer.getInteger("selvedge.effort", 1);

  /** Whether this is one of many passes, each of which does a part of the repetitions. */
  private static final boolean REPEATED = Boolean.getBoolean("selvedge.repeated");

  /** Divides the repetitions of the longest random races in such a pass. */
  public static final int SHARE = REPEATED ? 30 : 1;

  private static final ThreadFactory DAEMONS = Thread.ofPlatform().daemon().factory();

  private Threads() {}

  /** The repetitions of a test that usually does so many. */
  static int times(int usually) {
    return Math.max(1, usually * EFFORT / (REPEATED ? 3 : 1));
  }

  public static Loop.Builder builder() {
    Loop.Builder builder = Loop.builder().handleSignals(false);
    return PLATFORM ? builder.threadFactory(DAEMONS) : builder;
  }

  /** Reports of one loop, in order. */
  public static final class Reported implements LoopExceptionHandler {
    public final Queue<ExceptionContext> contexts = new ConcurrentLinkedQueue<>();

    @Override
    public void handle(Loop loop, ExceptionContext context) {
      contexts.add(context);
    }

    public java.util.List<Throwable> exceptions() {
      return contexts.stream()
          .map(ExceptionContext::exception)
          .filter(java.util.Objects::nonNull)
          .toList();
    }

    public java.util.List<String> messages() {
      return contexts.stream().map(ExceptionContext::message).toList();
    }
  }

  /** Runs a main in a loop of its own, closes the loop, and passes on what main did. */
  public static <T extends @Nullable Object, X extends Exception> T run(
      LoopExceptionHandler handler, LoopBody<? extends T, ? extends X> main)
      throws X, InterruptedException {
    try (Loop loop = builder().exceptionHandler(handler).build()) {
      return loop.<T, X>runUntilComplete(() -> main.call(loop));
    }
  }
}
