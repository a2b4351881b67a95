package dev.selvedge.benchmarks;

import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.gather.Gather;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Runs 100 bodies to their ends, although every second one fails, and counts the others. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class CollectAllBenchmark {
  static final int FORKS = 100;

  /** Without a stack trace, which would cost more than all the rest. */
  private static final class Expected extends IllegalStateException {
    private static final long serialVersionUID = 1;

    @Override
    public Throwable fillInStackTrace() {
      return this;
    }
  }

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  @Benchmark
  public long threads() throws InterruptedException {
    var failures = new Throwable[FORKS];
    var done = new CountDownLatch(FORKS);
    for (int i = 0; i < FORKS; i++) {
      int index = i;
      Thread.startVirtualThread(() -> {
        try {
          body(index);
        } catch (Expected e) {
          failures[index] = e;
        } finally {
          done.countDown();
        }
      });
    }
    done.await();
    int successes = 0;
    for (Throwable failure : failures) {
      if (failure == null) {
        successes++;
      }
    }
    return checked(successes);
  }

  @Benchmark
  public long jdk() throws InterruptedException {
    try (var scope = StructuredTaskScope.open(Joiner.<Integer>awaitAll())) {
      var subtasks = new ArrayList<Subtask<Integer>>(FORKS);
      for (int i = 0; i < FORKS; i++) {
        int index = i;
        subtasks.add(scope.fork(() -> body(index)));
      }
      scope.join();
      int successes = 0;
      for (Subtask<Integer> subtask : subtasks) {
        if (subtask.state() == Subtask.State.SUCCESS) {
          successes++;
        }
      }
      return checked(successes);
    }
  }

  @Benchmark
  public long selvedge() throws InterruptedException {
    var bodies = new ArrayList<Body<Integer, RuntimeException>>(FORKS);
    for (int i = 0; i < FORKS; i++) {
      int index = i;
      bodies.add(() -> body(index));
    }
    int successes = 0;
    for (Outcome<Integer> outcome : Gather.settle(bodies)) {
      if (outcome instanceof Outcome.Success) {
        successes++;
      }
    }
    return checked(successes);
  }

  @Benchmark
  public long executor() throws InterruptedException {
    var bodies = new ArrayList<Callable<Integer>>(FORKS);
    for (int i = 0; i < FORKS; i++) {
      int index = i;
      bodies.add(() -> body(index));
    }
    int successes = 0;
    for (Future<Integer> future : executor.invokeAll(bodies)) {
      if (future.state() == Future.State.SUCCESS) {
        successes++;
      }
    }
    return checked(successes);
  }

  @Benchmark
  public long futures() {
    var futures = new ArrayList<CompletableFuture<Boolean>>(FORKS);
    for (int i = 0; i < FORKS; i++) {
      int index = i;
      futures.add(
          CompletableFuture.supplyAsync(() -> body(index), executor)
              .handle((_, failure) -> failure == null));
    }
    CompletableFuture.allOf(futures.toArray(new CompletableFuture<?>[0])).join();
    int successes = 0;
    for (CompletableFuture<Boolean> future : futures) {
      if (future.join()) {
        successes++;
      }
    }
    return checked(successes);
  }

  @Benchmark
  public long kotlin() {
    return checked(KotlinPeers.countSuccesses(FORKS, CollectAllBenchmark::body));
  }

  private static int body(int index) {
    if (index % 2 == 0) {
      throw new Expected();
    }
    return index;
  }

  private static long checked(long successes) {
    if (successes != FORKS / 2) {
      throw new AssertionError(successes + " have succeeded");
    }
    return successes;
  }

  /** Ends what the peers keep. */
  @TearDown
  public void close() {
    executor.close();
  }
}
