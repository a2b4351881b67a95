package dev.selvedge.benchmarks;

import com.softwaremill.jox.structured.Race;
import dev.selvedge.TaskScope;
import dev.selvedge.Timeout;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Forks one body with a limit that is never reached. The JDK has a limit for a scope only, so every
 * peer forks; {@link #selvedgeInPlace} shows what its own form costs, which needs no thread.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TimeoutBenchmark {
  /** What every body returns. */
  static final int VALUE = 42;

  private static final Duration LIMIT = Duration.ofMinutes(1);

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  /** The floor: no handle, and a failure would be lost. */
  @Benchmark
  public int threads() throws InterruptedException, TimeoutException {
    var results = new int[1];
    var done = new CountDownLatch(1);
    Thread thread =
        Thread.startVirtualThread(() -> {
          results[0] = VALUE;
          done.countDown();
        });
    if (!done.await(LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
      thread.interrupt();
      throw new TimeoutException();
    }
    return checked(results[0]);
  }

  @Benchmark
  public int jdk() throws InterruptedException {
    try (var scope =
        StructuredTaskScope.open(
            Joiner.<Integer>awaitAllSuccessfulOrThrow(), config -> config.withTimeout(LIMIT))) {
      var subtask = scope.fork(() -> VALUE);
      scope.join();
      return checked(subtask.get());
    }
  }

  @Benchmark
  public int selvedge() throws InterruptedException, TimeoutException {
    return Timeout.within(
        LIMIT,
        () -> {
          try (TaskScope<RuntimeException> scope = TaskScope.open()) {
            var task = scope.fork(() -> VALUE);
            scope.join();
            return checked(task.result());
          }
        });
  }

  /** Without a fork: the body runs in the caller's thread. */
  @Benchmark
  public int selvedgeInPlace() throws InterruptedException, TimeoutException {
    return checked(Timeout.<Integer, RuntimeException>within(LIMIT, () -> VALUE));
  }

  @Benchmark
  public int futures() {
    return checked(
        CompletableFuture.supplyAsync(() -> VALUE, executor)
            .orTimeout(LIMIT.toNanos(), TimeUnit.NANOSECONDS)
            .join());
  }

  @Benchmark
  public int jox() throws InterruptedException, TimeoutException {
    return checked(Race.timeout(LIMIT.toMillis(), () -> VALUE));
  }

  @Benchmark
  public int kotlin() {
    return checked(KotlinPeers.withinLimit(LIMIT.toMillis(), VALUE));
  }

  private static int checked(int value) {
    if (value != VALUE) {
      throw new AssertionError("the body returned " + value);
    }
    return value;
  }

  /** Ends what the peers keep. */
  @TearDown
  public void close() {
    executor.close();
  }
}
