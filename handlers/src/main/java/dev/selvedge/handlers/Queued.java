package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * A bounded queue in front of a slow handler: who reports does not wait for it. When the queue is
 * full, a report goes to the fallback at once, on the reporting thread.
 *
 * {@snippet file="dev/selvedge/handlers/SamplesTest.java" region="queued"}
 *
 * <p><b>Close it</b> after the loops that use it: it waits until the slow handler has had
 * everything. The end of the JVM does not wait. What is reported after the close goes to the
 * fallback.
 *
 * <p><b>Failure:</b> if the slow handler throws, the fallback gets the report, and then a report of
 * what was thrown. If that throws too, both are printed.
 *
 * <p><b>Threads:</b> may be used by any number of loops. The slow handler is called by one virtual
 * thread, for one report at a time, in order. What {@linkplain dev.selvedge.ContextCarrier context
 * carriers} carry, such as the logging context, is not in place there; for what finds the queue
 * full it is.
 *
 * @since 0.1.0
 */
public final class Queued implements LoopExceptionHandler, AutoCloseable {
  private record Report(Loop loop, ExceptionContext context) {}

  private final LoopExceptionHandler slow;
  private final LoopExceptionHandler fallback;

  /** Empty is the end. */
  private final BlockingQueue<Optional<Report>> queue;

  private final Thread thread;

  // Guarded by this.
  private boolean closed;

  private Queued(int capacity, LoopExceptionHandler slow, LoopExceptionHandler fallback) {
    this.slow = requireNonNull(slow, "slow");
    this.fallback = requireNonNull(fallback, "fallback");
    queue = new ArrayBlockingQueue<>(Arguments.positive(capacity, "capacity"));
    thread = Thread.ofVirtual().name("queued exception handler").start(this::work);
  }

  /**
   * Begins with an empty queue.
   *
   * @param capacity how many reports may wait; at least 1
   * @param slow gets the reports that found room
   * @param fallback gets the others; should be quick, as {@link Handlers#stderr}
   * @return a new handler
   * @throws IllegalArgumentException if the capacity is less than 1
   */
  public static Queued create(
      int capacity, LoopExceptionHandler slow, LoopExceptionHandler fallback) {
    return new Queued(capacity, slow, fallback);
  }

  @Override
  public void handle(Loop loop, ExceptionContext context) {
    boolean accepted;
    synchronized (this) {
      accepted = !closed && queue.offer(Optional.of(new Report(loop, context)));
    }
    if (!accepted) {
      fallback.handle(loop, context);
    }
  }

  private void work() {
    Optional<Report> next = take();
    while (next.isPresent()) {
      Report report = next.get();
      try {
        slow.handle(report.loop, report.context);
      } catch (Throwable broken) {
        try {
          fallBack(report, broken);
        } catch (Throwable worse) {
          lastResort(worse);
        }
      }
      next = take();
    }
  }

  private Optional<Report> take() {
    while (true) {
      try {
        return queue.take();
      } catch (InterruptedException leftBehind) {
        // By the slow handler; nobody else knows the thread. Taking has cleared it.
      }
    }
  }

  /** Even printing failed: the JVM's own word is what is left. The reports behind go on. */
  private void lastResort(Throwable broken) {
    try {
      thread.getThreadGroup().uncaughtException(thread, broken);
    } catch (Throwable nothingLeft) {
      // There is nobody to tell.
    }
  }

  private void fallBack(Report report, Throwable broken) {
    ExceptionContext ofHandler = thrownBy(slow, broken);
    try {
      fallback.handle(report.loop, report.context);
      fallback.handle(report.loop, ofHandler);
    } catch (Throwable brokenToo) {
      boolean listed = Answers.suppress(broken, brokenToo);
      report.loop.defaultExceptionHandler(report.context);
      report.loop.defaultExceptionHandler(ofHandler);
      if (!listed) {
        report.loop.defaultExceptionHandler(thrownBy(fallback, brokenToo));
      }
    }
  }

  private static ExceptionContext thrownBy(LoopExceptionHandler handler, Throwable broken) {
    return new ExceptionContext(
        "Exception in a queued exception handler",
        broken,
        null,
        Map.of("handler", handler.getClass().getName()));
  }

  /**
   * Takes no more, and waits until the slow handler has had what is queued. An interrupt does not
   * end the wait; the flag is set afterwards. Closing again waits again.
   *
   * @throws IllegalStateException if the slow handler calls it, which would wait for itself
   */
  @Override
  public void close() {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException(
          "the slow handler must not close its queue: it would wait for itself");
    }
    boolean first;
    synchronized (this) {
      first = !closed;
      closed = true;
    }
    boolean interrupted = false;
    while (true) {
      try {
        if (first) {
          queue.put(Optional.empty());
          first = false;
        }
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
