package dev.selvedge.benchmarks;

import dev.selvedge.TaskScope;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.TimeUnit;

/** Cancels many tasks that block, and waits until all have ended: the time for each. */
public final class CancelProbe {
  /** What the tasks do. */
  private static final class Blockers {
    private final CountDownLatch waiting;

    Blockers(int tasks) {
      waiting = new CountDownLatch(tasks);
    }

    Void block() throws InterruptedException {
      waiting.countDown();
      Probes.block();
      return null;
    }

    long startNow() throws InterruptedException {
      waiting.await();
      return System.nanoTime();
    }
  }

  private interface Peer {
    /** Returns the nanoseconds. */
    long run(Blockers blockers) throws Exception;
  }

  private static Map<String, Double> measure(int tasks, Peer peer) throws Exception {
    double[] micros =
        Probes.sorted(10, 15, () -> Probes.micros(peer.run(new Blockers(tasks))) / tasks);
    return Probes.measures("µs", Probes.percentile(micros, 0.5));
  }

  @Measured
  public Map<String, Double> threads(int tasks) throws Exception {
    return measure(
        tasks,
        blockers -> {
          var threads = new ArrayList<Thread>(tasks);
          for (int i = 0; i < tasks; i++) {
            threads.add(
                Thread.startVirtualThread(() -> {
                  try {
                    blockers.block();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                }));
          }
          long start = blockers.startNow();
          threads.forEach(Thread::interrupt);
          for (Thread thread : threads) {
            thread.join();
          }
          return System.nanoTime() - start;
        });
  }

  /** It has no cancel: the owner is interrupted, and the close cancels. */
  @Measured
  public Map<String, Double> jdk(int tasks) throws Exception {
    return measure(
        tasks,
        blockers -> {
          long start = 0;
          try (var scope = StructuredTaskScope.<Void>open()) {
            for (int i = 0; i < tasks; i++) {
              scope.fork(blockers::block);
            }
            start = blockers.startNow();
            Thread.currentThread().interrupt();
            scope.join();
            throw new AssertionError("not interrupted");
          } catch (InterruptedException e) {
            return System.nanoTime() - start;
          }
        });
  }

  @Measured
  public Map<String, Double> selvedge(int tasks) throws Exception {
    return measure(
        tasks,
        blockers -> {
          long start;
          try (TaskScope<InterruptedException> scope = TaskScope.open()) {
            for (int i = 0; i < tasks; i++) {
              scope.fork(blockers::block);
            }
            start = blockers.startNow();
            scope.cancel("enough");
          }
          return System.nanoTime() - start;
        });
  }

  @Measured
  public Map<String, Double> executor(int tasks) throws Exception {
    return measure(
        tasks,
        blockers -> {
          try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < tasks; i++) {
              Future<?> _ = executor.submit(blockers::block);
            }
            long start = blockers.startNow();
            executor.shutdownNow();
            if (!executor.awaitTermination(1, TimeUnit.MINUTES)) {
              throw new AssertionError("not terminated");
            }
            return System.nanoTime() - start;
          }
        });
  }

  @Measured
  public Map<String, Double> kotlin(int tasks) throws Exception {
    return measure(
        tasks,
        _ -> {
          var parked = new KotlinPeers.Parked(tasks, 0);
          long start = System.nanoTime();
          parked.cancel();
          return System.nanoTime() - start;
        });
  }
}
