package dev.selvedge.benchmarks;

import dev.selvedge.Loop;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Starts tasks that do next to nothing through something that lives as long as the program, from
 * some threads at once, and waits until all have run: the time for each.
 */
public final class SpawnProbe {
  private static final int TASKS = 100_000;
  private static final int WARM_UP = 8;
  private static final int MEASURED = 9;

  private interface Peer {
    void spawn(Runnable body);
  }

  private static Map<String, Double> measure(int spawners, Peer peer) throws Exception {
    double[] micros =
        Probes.sorted(
            WARM_UP,
            MEASURED,
            () -> {
              int each = TASKS / spawners;
              var done = new CountDownLatch(each * spawners);
              long start = System.nanoTime();
              for (int i = 0; i < spawners; i++) {
                Thread.startVirtualThread(() -> {
                  for (int j = 0; j < each; j++) {
                    peer.spawn(done::countDown);
                  }
                });
              }
              done.await();
              return Probes.micros(System.nanoTime() - start) / (each * spawners);
            });
    return Probes.measures("µs", Probes.percentile(micros, 0.5));
  }

  /** Nobody knows of them. */
  @Measured
  public Map<String, Double> threads(int spawners) throws Exception {
    return measure(spawners, Thread::startVirtualThread);
  }

  @Measured
  public Map<String, Double> executor(int spawners) throws Exception {
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      return measure(
          spawners,
          body -> {
            Future<?> _ = executor.submit(body);
          });
    }
  }

  @Measured
  public Map<String, Double> selvedge(int spawners) throws Exception {
    try (Loop loop = Loop.create()) {
      return measure(spawners, body -> loop.launch(body::run));
    }
  }

  @Measured
  public Map<String, Double> futures(int spawners) throws Exception {
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      return measure(
          spawners,
          body -> {
            Future<?> _ = CompletableFuture.runAsync(body, executor);
          });
    }
  }

  @Measured
  public Map<String, Double> kotlin(int spawners) throws Exception {
    return measure(spawners, KotlinPeers::spawn);
  }
}
