package dev.selvedge.benchmarks;

import dev.selvedge.Loop;
import dev.selvedge.TaskScope;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.StructuredTaskScope;

/**
 * Starts tasks that wait, until all of them do: the time and the bytes for each. All are let go and
 * awaited before the end.
 */
public final class ParkedProbe {
  private static final int WARM_UP = 20_000;

  private interface Peer {
    void run(Scene scene) throws Exception;
  }

  /** One time. */
  private static final class Scene {
    private final int tasks;
    private final CountDownLatch waiting;
    private final CountDownLatch open = new CountDownLatch(1);
    private final long before = Probes.usedBytes();
    private final long start = System.nanoTime();
    private double micros;
    private double bytes;

    Scene(int tasks) {
      this.tasks = tasks;
      waiting = new CountDownLatch(tasks);
    }

    Void park() throws InterruptedException {
      waiting.countDown();
      open.await();
      return null;
    }

    void allStarted() throws InterruptedException {
      waiting.await();
      parked();
      open.countDown();
    }

    void parked() {
      micros = Probes.micros(System.nanoTime() - start) / tasks;
      bytes = (double) (Probes.usedBytes() - before) / tasks;
    }
  }

  private static Map<String, Double> measure(int tasks, Peer peer) throws Exception {
    for (int i = 0; i < 5; i++) {
      peer.run(new Scene(WARM_UP));
    }
    var scene = new Scene(tasks);
    peer.run(scene);
    return Probes.measures("µs", scene.micros, "bytes", scene.bytes);
  }

  @Measured
  public Map<String, Double> threads(int tasks) throws Exception {
    return measure(
        tasks,
        scene -> {
          var done = new CountDownLatch(scene.tasks);
          for (int i = 0; i < scene.tasks; i++) {
            Thread.startVirtualThread(() -> {
              try {
                scene.park();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              } finally {
                done.countDown();
              }
            });
          }
          scene.allStarted();
          done.await();
        });
  }

  @Measured
  public Map<String, Double> jdk(int tasks) throws Exception {
    return measure(
        tasks,
        scene -> {
          try (var scope = StructuredTaskScope.<Void>open()) {
            for (int i = 0; i < scene.tasks; i++) {
              scope.fork(scene::park);
            }
            scene.allStarted();
            scope.join();
          }
        });
  }

  @Measured
  public Map<String, Double> selvedge(int tasks) throws Exception {
    return measure(
        tasks,
        scene -> {
          try (TaskScope<InterruptedException> scope = TaskScope.open()) {
            for (int i = 0; i < scene.tasks; i++) {
              scope.fork(scene::park);
            }
            scene.allStarted();
            scope.join();
          }
        });
  }

  @Measured
  public Map<String, Double> selvedgeLoop(int tasks) throws Exception {
    return measure(
        tasks,
        scene -> {
          var done = new CountDownLatch(scene.tasks);
          try (Loop loop = Loop.create()) {
            for (int i = 0; i < scene.tasks; i++) {
              loop.launch(() -> {
                scene.park();
                done.countDown();
              });
            }
            scene.allStarted();
            // The close would cancel those that have not gone on.
            done.await();
          }
        });
  }

  @Measured
  public Map<String, Double> executor(int tasks) throws Exception {
    return measure(
        tasks,
        scene -> {
          try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < scene.tasks; i++) {
              Future<?> _ = executor.submit(scene::park);
            }
            scene.allStarted();
          }
        });
  }

  /** They suspend. */
  @Measured
  public Map<String, Double> kotlin(int tasks) throws Exception {
    return measure(
        tasks,
        scene -> {
          var parked = new KotlinPeers.Parked(scene.tasks, 0);
          scene.parked();
          parked.letGo();
        });
  }
}
