package dev.selvedge.benchmarks;

import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Awaits a task that fails. {@link #selvedge} re-throws what it failed with, with the awaiter's
 * frames; {@link #selvedgeOutcome} takes it as a value, without them.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class RethrowBenchmark {
  static final String MESSAGE = "expected";

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final Loop loop = Loop.create();

  private static int body() {
    throw new IllegalStateException(MESSAGE);
  }

  /** A handle by hand: the failure is kept and looked at. */
  @Benchmark
  public String threads() throws InterruptedException {
    var kept = new Throwable[1];
    Thread thread =
        Thread.startVirtualThread(() -> {
          try {
            body();
          } catch (IllegalStateException e) {
            kept[0] = e;
          }
        });
    thread.join();
    return checked(kept[0]);
  }

  @Benchmark
  public String executor() throws InterruptedException {
    try {
      return executor.submit(RethrowBenchmark::body).get().toString();
    } catch (ExecutionException e) {
      return checked(e.getCause());
    }
  }

  @Benchmark
  public String futures() {
    try {
      return CompletableFuture.supplyAsync(RethrowBenchmark::body, executor).join().toString();
    } catch (CompletionException e) {
      return checked(e.getCause());
    }
  }

  @Benchmark
  public String selvedge() throws InterruptedException {
    try {
      return loop.createTask(RethrowBenchmark::body).await().toString();
    } catch (IllegalStateException e) {
      return checked(e);
    }
  }

  @Benchmark
  public String selvedgeOutcome() throws InterruptedException {
    var task = loop.createTask(RethrowBenchmark::body);
    task.awaitDone();
    return switch (task.outcome()) {
      case Outcome.Failure<Integer>(Throwable exception) -> checked(exception);
      case Outcome<Integer> other -> other.toString();
    };
  }

  private static String checked(@Nullable Throwable failure) {
    if (failure == null || !MESSAGE.equals(failure.getMessage())) {
      throw new AssertionError(failure);
    }
    return MESSAGE;
  }

  /** Ends what the peers keep. */
  @TearDown
  public void close() {
    executor.close();
    loop.close();
  }
}
