package dev.selvedge.benchmarks;

import com.softwaremill.jox.structured.Race;
import dev.selvedge.Body;
import dev.selvedge.gather.Gather;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;

/**
 * Asks replicas that are sometimes slow: 90 of 100 answers take 2 ms, 9 take 10 ms, and one takes
 * 100 ms. The first of several answers counts; or, hedged, another replica is asked when the first
 * has not answered within 5 ms.
 */
public final class LongTailProbe {
  private static final int OPERATIONS = 10_000;
  private static final int AT_ONCE = 50;
  private static final Duration HEDGE_AFTER = Duration.ofMillis(5);

  private final LongAdder asked = new LongAdder();
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  private interface Peer {
    long first() throws Exception;
  }

  private long delay() {
    asked.increment();
    int percent = ThreadLocalRandom.current().nextInt(100);
    return percent < 90 ? 2 : percent < 99 ? 10 : 100;
  }

  private long ask() throws InterruptedException {
    long millis = delay();
    Thread.sleep(millis);
    return millis;
  }

  private Map<String, Double> measure(Peer peer) throws Exception {
    run(peer, OPERATIONS / 10, new ConcurrentHistogram(3));
    asked.reset();
    var latencies = new ConcurrentHistogram(3);
    run(peer, OPERATIONS, latencies);
    return Probes.measures(
        "p99 ms",
        Probes.millis(latencies.getValueAtPercentile(99)),
        "p50 ms",
        Probes.millis(latencies.getValueAtPercentile(50)),
        "p99.9 ms",
        Probes.millis(latencies.getValueAtPercentile(99.9)),
        "asked",
        (double) asked.sum() / OPERATIONS);
  }

  private static void run(Peer peer, int operations, ConcurrentHistogram latencies)
      throws InterruptedException {
    var broken = new AtomicReference<Throwable>();
    var done = new CountDownLatch(AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++) {
      Thread.startVirtualThread(() -> {
        try {
          for (int j = 0; j < operations / AT_ONCE; j++) {
            long start = System.nanoTime();
            if (peer.first() <= 0) {
              throw new AssertionError("no answer");
            }
            latencies.recordValue(System.nanoTime() - start);
          }
        } catch (Throwable t) {
          broken.set(t);
        } finally {
          done.countDown();
        }
      });
    }
    done.await();
    if (broken.get() != null) {
      throw new IllegalStateException(broken.get());
    }
  }

  /** One replica, whatever it takes. */
  @Measured
  public Map<String, Double> single(int replicas) throws Exception {
    return measure(this::ask);
  }

  @Measured
  public Map<String, Double> jdk(int replicas) throws Exception {
    return measure(() -> {
      try (var scope = StructuredTaskScope.open(Joiner.<Long>anySuccessfulResultOrThrow())) {
        for (int i = 0; i < replicas; i++) {
          scope.fork(this::ask);
        }
        return scope.join();
      }
    });
  }

  @Measured
  public Map<String, Double> selvedge(int replicas) throws Exception {
    return measure(() -> {
      var bodies = new ArrayList<Body<Long, InterruptedException>>(replicas);
      for (int i = 0; i < replicas; i++) {
        bodies.add(this::ask);
      }
      return Gather.any(bodies);
    });
  }

  @Measured
  public Map<String, Double> selvedgeHedge(int replicas) throws Exception {
    return measure(() -> Gather.hedge(HEDGE_AFTER, replicas, this::ask));
  }

  /** The slower ones go on. */
  @Measured
  public Map<String, Double> futures(int replicas) throws Exception {
    return measure(() -> {
      var futures = new CompletableFuture<?>[replicas];
      for (int i = 0; i < replicas; i++) {
        futures[i] =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return ask();
                  } catch (InterruptedException e) {
                    throw new IllegalStateException("nobody cancels these", e);
                  }
                },
                executor);
      }
      return (Long) CompletableFuture.anyOf(futures).join();
    });
  }

  @Measured
  public Map<String, Double> jox(int replicas) throws Exception {
    return measure(() -> {
      var bodies = new ArrayList<Callable<Long>>(replicas);
      for (int i = 0; i < replicas; i++) {
        bodies.add(this::ask);
      }
      return Race.race(bodies);
    });
  }

  @Measured
  public Map<String, Double> kotlin(int replicas) throws Exception {
    return measure(() -> {
      var delays = new long[replicas];
      for (int i = 0; i < replicas; i++) {
        delays[i] = delay();
      }
      return KotlinPeers.firstOf(delays);
    });
  }
}
