package dev.selvedge.benchmarks;

import com.softwaremill.jox.structured.Race;
import dev.selvedge.Timeout;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Semaphore;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * Waits for ever within a limit of 2 ms: how much later the caller goes on. While a number of tasks
 * keep the common pool busy, by blocking in it for 5 ms each.
 */
public final class PunctualityProbe {
  private static final int LIMIT_MILLIS = 2;
  private static final Duration LIMIT = Duration.ofMillis(LIMIT_MILLIS);

  private interface Peer {
    /** Returns whether the limit has passed. */
    boolean run() throws Exception;
  }

  private static Map<String, Double> measure(int busy, Peer peer) throws Exception {
    var over = new AtomicBoolean();
    if (busy > 0) {
      Thread.startVirtualThread(() -> keepBusy(busy, over));
    }
    var threads = new CompletableFuture<Map<String, Double>>();
    // Limits are for tasks: a platform thread would wake more slowly, whoever the peer.
    Thread.startVirtualThread(() -> {
      try {
        double[] micros =
            Probes.sorted(
                200,
                300,
                () -> {
                  long start = System.nanoTime();
                  boolean expired = peer.run();
                  long nanos = System.nanoTime() - start - LIMIT.toNanos();
                  return expired ? Math.max(0, Probes.micros(nanos)) : -1;
                });
        threads.complete(
            Probes.measures(
                "µs", Probes.percentile(micros, 0.5), "p99 µs", Probes.percentile(micros, 0.99)));
      } catch (Throwable t) {
        threads.completeExceptionally(t);
      }
    });
    try {
      return threads.get();
    } finally {
      over.set(true);
    }
  }

  /** Keeps so many tasks in the common pool's queues. */
  private static void keepBusy(int busy, AtomicBoolean over) {
    var room = new Semaphore(busy);
    while (!over.get()) {
      room.acquireUninterruptibly();
      ForkJoinPool.commonPool()
          .execute(() -> {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            room.release();
          });
    }
  }

  private static int never() throws InterruptedException {
    new CountDownLatch(1).await();
    return 0;
  }

  /** A wait with a limit, without a body that has to be cancelled. */
  @Measured
  public Map<String, Double> threads(int busy) throws Exception {
    return measure(busy, () -> !new CountDownLatch(1).await(LIMIT.toNanos(), TimeUnit.NANOSECONDS));
  }

  @Measured
  public Map<String, Double> jdk(int busy) throws Exception {
    return measure(
        busy,
        () -> {
          try (var scope =
              StructuredTaskScope.open(
                  Joiner.<Integer>awaitAllSuccessfulOrThrow(),
                  config -> config.withTimeout(LIMIT))) {
            scope.fork(PunctualityProbe::never);
            scope.join();
            return false;
          } catch (StructuredTaskScope.TimeoutException e) {
            return true;
          }
        });
  }

  @Measured
  public Map<String, Double> selvedge(int busy) throws Exception {
    return measure(
        busy,
        () -> {
          try {
            return Timeout.within(LIMIT, PunctualityProbe::never) < 0;
          } catch (TimeoutException e) {
            return true;
          }
        });
  }

  /** The body is left alone. */
  @Measured
  public Map<String, Double> futures(int busy) throws Exception {
    return measure(
        busy,
        () -> {
          try {
            return new CompletableFuture<Integer>()
                    .orTimeout(LIMIT.toNanos(), TimeUnit.NANOSECONDS)
                    .join()
                < 0;
          } catch (CompletionException e) {
            return e.getCause() instanceof TimeoutException;
          }
        });
  }

  @Measured
  public Map<String, Double> jox(int busy) throws Exception {
    return measure(
        busy,
        () -> {
          try {
            return Race.timeout(LIMIT_MILLIS, PunctualityProbe::never) < 0;
          } catch (TimeoutException e) {
            return true;
          }
        });
  }

  @Measured
  public Map<String, Double> kotlin(int busy) throws Exception {
    return measure(busy, () -> KotlinPeers.timesOut(LIMIT_MILLIS));
  }
}
