package dev.selvedge.benchmarks;

import com.softwaremill.jox.structured.JoxScopeExecutionException;
import com.softwaremill.jox.structured.Scopes;
import dev.selvedge.Body;
import dev.selvedge.gather.Gather;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One body fails while all others block: how long from the throw until the caller has the failure,
 * with all others ended.
 */
public final class FailFastProbe {
  private static final int WARM_UP = 400;
  private static final int MEASURED = 400;

  private static final class Expected extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /** One time. */
  private static final class Scene {
    private final int forks;
    private final CountDownLatch waiting;
    private final AtomicInteger ended = new AtomicInteger();
    private volatile long thrown;

    Scene(int forks) {
      this.forks = forks;
      waiting = new CountDownLatch(forks - 1);
    }

    int block() throws InterruptedException {
      try {
        waiting.countDown();
        Probes.block();
        return 0;
      } finally {
        ended.incrementAndGet();
      }
    }

    int fail() throws InterruptedException {
      waiting.await();
      return throwNow();
    }

    int throwNow() {
      var failure = new Expected();
      thrown = System.nanoTime();
      throw failure;
    }

    double caught() {
      long now = System.nanoTime();
      if (waiting.getCount() == 0 && ended.get() != forks - 1) {
        throw new AssertionError(ended + " of the others have ended");
      }
      return Probes.micros(now - thrown);
    }
  }

  private interface Peer {
    double run(Scene scene) throws Exception;
  }

  private static Map<String, Double> measure(int forks, Peer peer) throws Exception {
    double[] micros = Probes.sorted(WARM_UP, MEASURED, () -> peer.run(new Scene(forks)));
    return Probes.measures(
        "µs", Probes.percentile(micros, 0.5), "p99 µs", Probes.percentile(micros, 0.99));
  }

  /** Interrupts and joins by hand. */
  @Measured
  public Map<String, Double> threads(int forks) throws Exception {
    return measure(
        forks,
        scene -> {
          var failed = new CountDownLatch(1);
          var threads = new ArrayList<Thread>(forks);
          for (int i = 1; i < forks; i++) {
            threads.add(
                Thread.startVirtualThread(() -> {
                  try {
                    scene.block();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                }));
          }
          threads.add(
              Thread.startVirtualThread(() -> {
                try {
                  scene.fail();
                } catch (Expected | InterruptedException e) {
                  failed.countDown();
                }
              }));
          failed.await();
          threads.forEach(Thread::interrupt);
          for (Thread thread : threads) {
            thread.join();
          }
          return scene.caught();
        });
  }

  @Measured
  public Map<String, Double> jdk(int forks) throws Exception {
    return measure(
        forks,
        scene -> {
          try (var scope = StructuredTaskScope.<Integer>open()) {
            for (int i = 1; i < forks; i++) {
              scope.fork(scene::block);
            }
            scope.fork(scene::fail);
            scope.join();
          } catch (StructuredTaskScope.FailedException e) {
            return scene.caught();
          }
          return -1.0;
        });
  }

  @Measured
  public Map<String, Double> selvedge(int forks) throws Exception {
    return measure(
        forks,
        scene -> {
          var bodies = new ArrayList<Body<Integer, InterruptedException>>(forks);
          for (int i = 1; i < forks; i++) {
            bodies.add(scene::block);
          }
          bodies.add(scene::fail);
          try {
            return -Gather.gather(bodies).size();
          } catch (Expected e) {
            return scene.caught();
          }
        });
  }

  @Measured
  public Map<String, Double> jox(int forks) throws Exception {
    return measure(
        forks,
        scene -> {
          try {
            return Scopes.supervised(scope -> {
              for (int i = 1; i < forks; i++) {
                scope.fork(scene::block);
              }
              return -scope.fork(scene::fail).join().doubleValue();
            });
          } catch (JoxScopeExecutionException e) {
            return scene.caught();
          }
        });
  }

  /** The others suspend. */
  @Measured
  public Map<String, Double> kotlin(int forks) throws Exception {
    return measure(
        forks,
        scene -> {
          try {
            KotlinPeers.failFast(forks, scene::throwNow);
            return -1.0;
          } catch (Expected e) {
            return scene.caught();
          }
        });
  }
}
