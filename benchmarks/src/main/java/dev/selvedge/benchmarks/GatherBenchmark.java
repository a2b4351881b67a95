package dev.selvedge.benchmarks;

import static java.util.stream.Collectors.toList;

import com.pivovarit.collectors.ParallelCollectors;
import com.softwaremill.jox.structured.Par;
import dev.selvedge.Body;
import dev.selvedge.gather.Gather;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Runs bodies that do next to nothing at the same time, and makes a list of their values. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class GatherBenchmark {
  /** How many bodies one operation runs. */
  @Param("10")
  public int forks = 10;

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  /** Started and joined; a failure would be lost. */
  @Benchmark
  public List<Integer> threads() throws InterruptedException {
    var values = new Integer[forks];
    var threads = new ArrayList<Thread>(forks);
    for (int i = 0; i < forks; i++) {
      int index = i;
      threads.add(Thread.startVirtualThread(() -> values[index] = body(index)));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return checked(List.of(values));
  }

  @Benchmark
  public List<Integer> jdk() throws InterruptedException {
    try (var scope = StructuredTaskScope.<Integer>open()) {
      var subtasks = new ArrayList<Subtask<Integer>>(forks);
      for (int i = 0; i < forks; i++) {
        int index = i;
        subtasks.add(scope.fork(() -> body(index)));
      }
      scope.join();
      var values = new ArrayList<Integer>(forks);
      for (Subtask<Integer> subtask : subtasks) {
        values.add(subtask.get());
      }
      return checked(values);
    }
  }

  @Benchmark
  public List<Integer> selvedge() throws InterruptedException {
    var bodies = new ArrayList<Body<Integer, RuntimeException>>(forks);
    for (int i = 0; i < forks; i++) {
      int index = i;
      bodies.add(() -> body(index));
    }
    return checked(Gather.gather(bodies));
  }

  @Benchmark
  public List<Integer> executor() throws InterruptedException, ExecutionException {
    var values = new ArrayList<Integer>(forks);
    for (Future<Integer> future : executor.invokeAll(callables())) {
      values.add(future.get());
    }
    return checked(values);
  }

  @Benchmark
  public List<Integer> futures() {
    var futures = new ArrayList<CompletableFuture<Integer>>(forks);
    for (int i = 0; i < forks; i++) {
      int index = i;
      futures.add(CompletableFuture.supplyAsync(() -> body(index), executor));
    }
    CompletableFuture.allOf(futures.toArray(new CompletableFuture<?>[0])).join();
    return checked(futures.stream().map(CompletableFuture::join).toList());
  }

  @Benchmark
  public List<Integer> jox() throws InterruptedException {
    return checked(Par.par(callables()));
  }

  @Benchmark
  public List<Integer> collectors() {
    return checked(
        IntStream.range(0, forks)
            .boxed()
            .collect(ParallelCollectors.parallel(GatherBenchmark::body, toList()))
            .join());
  }

  @Benchmark
  public List<Integer> kotlin() {
    return checked(KotlinPeers.gather(forks, GatherBenchmark::body));
  }

  private List<Callable<Integer>> callables() {
    var bodies = new ArrayList<Callable<Integer>>(forks);
    for (int i = 0; i < forks; i++) {
      int index = i;
      bodies.add(() -> body(index));
    }
    return bodies;
  }

  private static int body(int index) {
    return index;
  }

  private List<Integer> checked(List<Integer> values) {
    if (values.size() != forks || values.getLast() != forks - 1) {
      throw new AssertionError("the bodies returned " + values);
    }
    return values;
  }

  /** Ends what the peers keep. */
  @TearDown
  public void close() {
    executor.close();
  }
}
