package dev.selvedge.benchmarks;

import dev.selvedge.Timeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;

/**
 * Many tasks wait at the same time, each within a limit of a minute that it does not reach: the
 * time for each to start, set its limit, and be let go, and the bytes for each while all wait.
 */
public final class LimitsProbe {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  /** What the tasks wait for. */
  private static final class Gate {
    final CountDownLatch waiting;
    final CountDownLatch open = new CountDownLatch(1);

    Gate(int tasks) {
      waiting = new CountDownLatch(tasks);
    }

    void pass() throws InterruptedException {
      waiting.countDown();
      open.await();
    }
  }

  private interface Body {
    void run(Gate gate) throws Exception;
  }

  private static Map<String, Double> measure(int tasks, Body body) throws Exception {
    once(tasks, body);
    return once(tasks, body);
  }

  private static Map<String, Double> once(int tasks, Body body) throws Exception {
    long before = Probes.usedBytes();
    var gate = new Gate(tasks);
    var threads = new ArrayList<Thread>(tasks);
    long start = System.nanoTime();
    for (int i = 0; i < tasks; i++) {
      threads.add(
          Thread.startVirtualThread(() -> {
            try {
              body.run(gate);
            } catch (Exception e) {
              throw new IllegalStateException(e);
            }
          }));
    }
    gate.waiting.await();
    long nanos = System.nanoTime() - start;
    long bytes = Probes.usedBytes() - before;
    start = System.nanoTime();
    gate.open.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    nanos += System.nanoTime() - start;
    return Probes.measures("µs", Probes.micros(nanos) / tasks, "bytes", (double) bytes / tasks);
  }

  /** Without a limit. */
  @Measured
  public Map<String, Double> threads(int tasks) throws Exception {
    return measure(tasks, Gate::pass);
  }

  /** A limit needs a scope, and a scope a fork. */
  @Measured
  public Map<String, Double> jdk(int tasks) throws Exception {
    return measure(
        tasks,
        gate -> {
          try (var scope =
              StructuredTaskScope.open(
                  Joiner.<Void>awaitAllSuccessfulOrThrow(), config -> config.withTimeout(LIMIT))) {
            scope.fork(() -> {
              gate.pass();
              return null;
            });
            scope.join();
          }
        });
  }

  @Measured
  public Map<String, Double> selvedge(int tasks) throws Exception {
    return measure(tasks, gate -> Timeout.within(LIMIT, gate::pass));
  }

  @Measured
  public Map<String, Double> kotlin(int tasks) throws Exception {
    kotlinOnce(tasks);
    return kotlinOnce(tasks);
  }

  private static Map<String, Double> kotlinOnce(int tasks) {
    long before = Probes.usedBytes();
    long start = System.nanoTime();
    var parked = new KotlinPeers.Parked(tasks, LIMIT.toMillis());
    long nanos = System.nanoTime() - start;
    long bytes = Probes.usedBytes() - before;
    start = System.nanoTime();
    parked.letGo();
    nanos += System.nanoTime() - start;
    return Probes.measures("µs", Probes.micros(nanos) / tasks, "bytes", (double) bytes / tasks);
  }
}
