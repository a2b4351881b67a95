package dev.selvedge.spring;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelScope;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A streaming response that notices when its client has gone, also while there is nothing to send:
 * a heartbeat is written whenever nothing else was for a while. The first write that fails cancels
 * what the response is made of.
 *
 * {@snippet file="dev/selvedge/spring/SamplesTest.java" region="client-stream"}
 *
 * <p><b>Delay</b>: a server learns that a client has gone from writing to it. The first write after
 * that is usually accepted by the operating system, and the second one fails: so it takes up to two
 * heartbeats, and longer if the network drops packets without an answer.
 *
 * @since 0.1.0
 */
public final class ClientStream {
  /** A heartbeat for {@code text/event-stream}: a comment, which clients skip. */
  public static final String EVENT_STREAM = ":\n\n";

  /** A heartbeat for JSON and for lines of it: a line feed, which parsers skip. */
  public static final String LINE_FEED = "\n";

  /**
   * Writes a response.
   *
   * @param <X> its checked exception
   */
  @FunctionalInterface
  public interface Writer<X extends Exception> {
    /**
     * Writes a response, and flushes what the client is to see now.
     *
     * @param out to the client; each {@code write} is whole before a heartbeat comes
     * @throws X on failure
     * @throws IOException if the client has gone
     * @throws InterruptedException if it is cancelled: because the client has gone, or from outside
     */
    void write(OutputStream out) throws X, IOException, InterruptedException;
  }

  private ClientStream() {}

  /**
   * Runs a writer in the caller's thread, and heartbeats beside it.
   *
   * @param <X> the checked exception of the writer
   * @param out to the client
   * @param heartbeat what is written when nothing else is
   * @param period after how long without a write; more than zero
   * @param writer makes the response
   * @throws X what the writer throws
   * @throws IOException if the client has gone; the writer was cancelled and has ended. That
   *     cancellation, with what its clean-up threw, is suppressed in it. What else a heartbeat's
   *     write throws comes out in the same way
   * @throws InterruptedException if the caller was cancelled
   * @throws IllegalArgumentException if the period is not more than zero
   */
  public static <X extends Exception> void write(
      OutputStream out, String heartbeat, Duration period, Writer<? extends X> writer)
      throws X, IOException, InterruptedException {
    requireNonNull(writer, "writer");
    byte[] beat = requireNonNull(heartbeat, "heartbeat").getBytes(StandardCharsets.UTF_8);
    if (!requireNonNull(period, "period").isPositive()) {
      throw new IllegalArgumentException(
          "the period is " + period + ": it has to be more than zero");
    }
    var shared = new SharedStream(requireNonNull(out, "out"));
    var writing = CancelScope.create();
    try (TaskScope<IOException> beats = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
      Task<@Nullable Void, IOException> beating =
          beats.fork("heartbeat", () -> shared.beat(beat, period, writing));
      try {
        writing.<X>run(() -> {
          try {
            writer.write(shared);
          } catch (IOException e) {
            throw Sneaky.<RuntimeException>thrown(e);
          }
        });
      } catch (TaskCancelledException e) {
        if (writing.cancelReason().isPresent()) {
          try {
            beating.await();
          } catch (Throwable gone) {
            gone.addSuppressed(e);
            throw gone;
          }
        }
        throw e;
      } finally {
        beating.cancel("the response has ended");
        beating.ignoreFailure();
      }
    }
  }

  /** What the writer and the heartbeat write to, one write at a time. */
  private static final class SharedStream extends OutputStream {
    private final OutputStream out;
    private final ReentrantLock lock = new ReentrantLock();

    /** When the last write ended; guarded by the lock. */
    private long written = System.nanoTime();

    SharedStream(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      lock.lock();
      try {
        out.write(bytes, offset, length);
        written = System.nanoTime();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void flush() throws IOException {
      lock.lock();
      try {
        out.flush();
      } finally {
        lock.unlock();
      }
    }

    /** Writes heartbeats until it is cancelled, or one fails: then the client has gone. */
    void beat(byte[] beat, Duration period, CancelScope writing)
        throws IOException, InterruptedException {
      while (true) {
        // A server takes an interrupted write for a broken connection.
        Duration left = Task.shielded(() -> beatIfIdle(beat, period, writing));
        Task.sleep(left);
      }
    }

    /** Returns how long after it the next heartbeat is due. */
    private Duration beatIfIdle(byte[] beat, Duration period, CancelScope writing)
        throws IOException {
      lock.lock();
      try {
        Duration left = period.minusNanos(System.nanoTime() - written);
        if (left.isPositive()) {
          return left;
        }
        out.write(beat);
        out.flush();
        written = System.nanoTime();
        return period;
      } catch (Throwable e) {
        writing.cancel("the client has gone");
        throw e;
      } finally {
        lock.unlock();
      }
    }
  }
}
