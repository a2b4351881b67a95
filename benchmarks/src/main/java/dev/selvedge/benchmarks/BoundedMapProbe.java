package dev.selvedge.benchmarks;

import com.pivovarit.collectors.ParallelCollectors;
import com.softwaremill.jox.structured.Par;
import dev.selvedge.gather.Gather;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Maps many inputs, at most 100 at once, and adds the results up. */
public final class BoundedMapProbe {
  private static final int LIMIT = 100;

  private interface Peer {
    long sum(int inputs) throws Exception;
  }

  private static int map(int input) {
    return input + 1;
  }

  private static Iterable<Integer> inputs(int count) {
    return () -> IntStream.range(0, count).iterator();
  }

  private static Map<String, Double> measure(int inputs, Peer peer) throws Exception {
    double[] micros =
        Probes.sorted(
            1,
            3,
            () -> {
              long start = System.nanoTime();
              long sum = peer.sum(inputs);
              long end = System.nanoTime();
              if (sum != inputs * (inputs + 1L) / 2) {
                throw new AssertionError("the results add up to " + sum);
              }
              return Probes.micros(end - start) / inputs;
            });
    return Probes.measures("µs", Probes.percentile(micros, 0.5));
  }

  /** A semaphore and an adder by hand. */
  @Measured
  public Map<String, Double> threads(int size) throws Exception {
    return measure(
        size,
        inputs -> {
          var permits = new Semaphore(LIMIT);
          var sum = new LongAdder();
          for (int i = 0; i < inputs; i++) {
            int input = i;
            permits.acquire();
            Thread.startVirtualThread(() -> {
              sum.add(map(input));
              permits.release();
            });
          }
          permits.acquire(LIMIT);
          return sum.sum();
        });
  }

  /** A semaphore by hand, and a joiner that keeps no subtask. */
  @Measured
  public Map<String, Double> jdk(int size) throws Exception {
    return measure(
        size,
        inputs -> {
          var permits = new Semaphore(LIMIT);
          var sum = new LongAdder();
          try (var scope = StructuredTaskScope.open()) {
            for (int i = 0; i < inputs; i++) {
              int input = i;
              permits.acquire();
              scope.fork(() -> {
                try {
                  sum.add(map(input));
                } finally {
                  permits.release();
                }
              });
            }
            scope.join();
          }
          return sum.sum();
        });
  }

  @Measured
  public Map<String, Double> selvedge(int size) throws Exception {
    return measure(
        size,
        inputs -> {
          try (Stream<Integer> results =
              Gather.stream(inputs(inputs), LIMIT, BoundedMapProbe::map)) {
            return results.mapToLong(Integer::longValue).sum();
          }
        });
  }

  @Measured
  public Map<String, Double> selvedgeUnordered(int size) throws Exception {
    return measure(
        size,
        inputs -> {
          try (Stream<Integer> results =
              Gather.streamCompleted(inputs(inputs), LIMIT, BoundedMapProbe::map)) {
            return results.mapToLong(Integer::longValue).sum();
          }
        });
  }

  @Measured
  public Map<String, Double> jox(int size) throws Exception {
    return measure(
        size,
        inputs -> {
          var bodies = new ArrayList<Callable<Integer>>(inputs);
          for (int i = 0; i < inputs; i++) {
            int input = i;
            bodies.add(() -> map(input));
          }
          return Par.parLimit(LIMIT, bodies).stream().mapToLong(Integer::longValue).sum();
        });
  }

  @Measured
  public Map<String, Double> collectors(int size) throws Exception {
    return measure(
        size,
        inputs ->
            IntStream.range(0, inputs)
                .boxed()
                .collect(
                    ParallelCollectors.parallel(
                        BoundedMapProbe::map,
                        Collectors.<Integer>summingLong(Integer::longValue),
                        LIMIT))
                .join());
  }

  @Measured
  public Map<String, Double> kotlin(int size) throws Exception {
    return measure(size, inputs -> KotlinPeers.boundedMap(inputs, LIMIT, BoundedMapProbe::map));
  }

  @Measured
  public Map<String, Double> reactor(int size) throws Exception {
    return measure(
        size,
        inputs ->
            Flux.range(0, inputs)
                .flatMap(
                    input -> Mono.fromCallable(() -> map(input)).subscribeOn(Schedulers.parallel()),
                    LIMIT)
                .reduce(0L, (sum, value) -> sum + value)
                .blockOptional()
                .orElse(0L));
  }
}
