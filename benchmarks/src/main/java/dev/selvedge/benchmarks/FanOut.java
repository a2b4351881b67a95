package dev.selvedge.benchmarks;

import static java.util.stream.Collectors.summingInt;

import com.pivovarit.collectors.ParallelCollectors;
import com.softwaremill.jox.structured.Fork;
import com.softwaremill.jox.structured.Scopes;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
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
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Runs bodies at the same time, waits for all of them, and adds up what they return. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public abstract class FanOut {
  /** How many bodies one operation runs. */
  @Param("100")
  public int forks = 100;

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  /** How long a body waits before it works. */
  abstract long pauseMillis();

  /** What a body does then, and returns; never zero, so that a missing one is missed. */
  abstract int work(int index);

  /** The floor: no handles, and a failure would be lost. */
  @Benchmark
  public int threads() throws InterruptedException {
    var results = new int[forks];
    var done = new CountDownLatch(forks);
    for (int i = 0; i < forks; i++) {
      int index = i;
      Thread.startVirtualThread(() -> {
        results[index] = body(index);
        done.countDown();
      });
    }
    done.await();
    int sum = 0;
    for (int result : results) {
      sum += result;
    }
    return checked(sum);
  }

  @Benchmark
  public int jdk() throws InterruptedException {
    try (var scope = StructuredTaskScope.<Integer>open()) {
      var subtasks = new ArrayList<Subtask<Integer>>(forks);
      for (int i = 0; i < forks; i++) {
        int index = i;
        subtasks.add(scope.fork(() -> body(index)));
      }
      scope.join();
      int sum = 0;
      for (Subtask<Integer> subtask : subtasks) {
        sum += subtask.get();
      }
      return checked(sum);
    }
  }

  @Benchmark
  public int selvedge() throws InterruptedException {
    try (TaskScope<RuntimeException> scope = TaskScope.open()) {
      var tasks = new ArrayList<Task<Integer, RuntimeException>>(forks);
      for (int i = 0; i < forks; i++) {
        int index = i;
        tasks.add(scope.fork(() -> body(index)));
      }
      scope.join();
      int sum = 0;
      for (Task<Integer, RuntimeException> task : tasks) {
        sum += task.result();
      }
      return checked(sum);
    }
  }

  @Benchmark
  public int executor() throws InterruptedException, ExecutionException {
    var bodies = new ArrayList<Callable<Integer>>(forks);
    for (int i = 0; i < forks; i++) {
      int index = i;
      bodies.add(() -> body(index));
    }
    int sum = 0;
    for (Future<Integer> future : executor.invokeAll(bodies)) {
      sum += future.get();
    }
    return checked(sum);
  }

  @Benchmark
  public int futures() {
    var futures = new ArrayList<CompletableFuture<Integer>>(forks);
    for (int i = 0; i < forks; i++) {
      int index = i;
      futures.add(CompletableFuture.supplyAsync(() -> body(index), executor));
    }
    CompletableFuture.allOf(futures.toArray(new CompletableFuture<?>[0])).join();
    int sum = 0;
    for (CompletableFuture<Integer> future : futures) {
      sum += future.join();
    }
    return checked(sum);
  }

  @Benchmark
  public int jox() throws InterruptedException {
    return Scopes.supervised(scope -> {
      var tasks = new ArrayList<Fork<Integer>>(forks);
      for (int i = 0; i < forks; i++) {
        int index = i;
        tasks.add(scope.fork(() -> body(index)));
      }
      int sum = 0;
      for (Fork<Integer> task : tasks) {
        sum += task.join();
      }
      return checked(sum);
    });
  }

  @Benchmark
  public int collectors() {
    return checked(
        IntStream.range(0, forks)
            .boxed()
            .collect(ParallelCollectors.parallel(this::body, summingInt(value -> value)))
            .join());
  }

  @Benchmark
  public int kotlin() {
    return checked(KotlinPeers.sum(forks, pauseMillis(), this::work));
  }

  @Benchmark
  public int kotlinOnThreads() {
    return checked(KotlinPeers.sumOnThreads(forks, pauseMillis(), this::work));
  }

  @Benchmark
  public int reactor() {
    var bodies = new ArrayList<Mono<Integer>>(forks);
    for (int i = 0; i < forks; i++) {
      int index = i;
      bodies.add(
          pauseMillis() > 0
              ? Mono.delay(Duration.ofMillis(pauseMillis())).map(_ -> work(index))
              : Mono.fromCallable(() -> work(index)).subscribeOn(Schedulers.parallel()));
    }
    return checked(
        Flux.merge(Flux.fromIterable(bodies), forks)
            .reduce(0, Integer::sum)
            .blockOptional()
            .orElse(0));
  }

  private int body(int index) {
    long millis = pauseMillis();
    if (millis > 0) {
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        throw new IllegalStateException("nobody cancels these", e);
      }
    }
    return work(index);
  }

  private int checked(int sum) {
    if (sum != forks * (forks + 1) / 2) {
      throw new AssertionError("the bodies add up to " + sum);
    }
    return sum;
  }

  /** Ends what the peers keep. */
  @TearDown
  public void close() {
    executor.close();
  }
}
