package dev.selvedge.benchmarks;

import dev.selvedge.Loop;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** Tasks that nobody awaits fail: the time until a handler has had each failure. */
public final class OrphanProbe {
  private interface Peer {
    void run(int tasks, CountDownLatch reported) throws Exception;
  }

  private static Map<String, Double> measure(int tasks, Peer peer) throws Exception {
    double[] micros =
        Probes.sorted(
            5,
            7,
            () -> {
              var reported = new CountDownLatch(tasks);
              long start = System.nanoTime();
              peer.run(tasks, reported);
              reported.await();
              return Probes.micros(System.nanoTime() - start) / tasks;
            });
    double median = Probes.percentile(micros, 0.5);
    return Probes.measures("µs", median);
  }

  private static void fail() {
    throw new IllegalStateException("expected");
  }

  /** Each with a handler of its own thread; nothing else knows of them. */
  @Measured
  public Map<String, Double> threads(int tasks) throws Exception {
    return measure(
        tasks,
        (count, reported) -> {
          Thread.Builder builder =
              Thread.ofVirtual().uncaughtExceptionHandler((_, _) -> reported.countDown());
          for (int i = 0; i < count; i++) {
            builder.start(OrphanProbe::fail);
          }
        });
  }

  @Measured
  public Map<String, Double> selvedge(int tasks) throws Exception {
    return measure(
        tasks,
        (count, reported) -> {
          try (Loop loop =
              Loop.builder().exceptionHandler((_, _) -> reported.countDown()).build()) {
            for (int i = 0; i < count; i++) {
              loop.launch(OrphanProbe::fail);
            }
            reported.await();
          }
        });
  }
}
