package dev.selvedge.benchmarks;

import dev.selvedge.Loop;
import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.handlers.micrometer.LoopMetrics;
import dev.selvedge.handlers.micrometer.MdcCarrier;
import dev.selvedge.handlers.micrometer.ObservationCarrier;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.slf4j.MDC;

/**
 * A task forks bodies that do next to nothing, and adds up what they return: while nobody watches,
 * and with everything that may watch or be carried.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class WatchingBenchmark {
  /** How many bodies one operation forks. */
  @Param("100")
  public int forks = 100;

  private final ObservationRegistry observations = ObservationRegistry.create();
  private @Nullable Loop loop;
  private @Nullable Recording recording;

  @Benchmark
  public int plain() throws InterruptedException {
    if (loop == null) {
      loop = Loop.builder().build();
    }
    return measure(loop);
  }

  @Benchmark
  public int listener() throws InterruptedException {
    if (loop == null) {
      loop = Loop.builder().listener(new LoopListener() {}).build();
    }
    return measure(loop);
  }

  @Benchmark
  public int metrics() throws InterruptedException {
    if (loop == null) {
      LoopMetrics metrics = LoopMetrics.create("measured");
      metrics.bindTo(new SimpleMeterRegistry());
      loop = Loop.builder().listener(metrics).build();
    }
    return measure(loop);
  }

  @Benchmark
  public int distributions() throws InterruptedException {
    if (loop == null) {
      LoopMetrics metrics = LoopMetrics.builder("measured").distributions(true).build();
      metrics.bindTo(new SimpleMeterRegistry());
      loop = Loop.builder().listener(metrics).build();
    }
    return measure(loop);
  }

  @Benchmark
  public int mdc() throws InterruptedException {
    if (loop == null) {
      loop = Loop.builder().carry(MdcCarrier.create()).build();
    }
    return checked(
        loop.createTask(
                () -> {
                  MDC.put("request", "17");
                  return forkJoin();
                })
            .await());
  }

  @Benchmark
  @SuppressWarnings("try") // the scope is there to be closed
  public int observation() throws InterruptedException {
    if (loop == null) {
      observations.observationConfig().observationHandler(context -> true);
      loop = Loop.builder().carry(ObservationCarrier.create()).build();
    }
    return checked(
        loop.createTask(
                () -> {
                  var request = Observation.start("request", observations);
                  try (Observation.Scope current = request.openScope()) {
                    return forkJoin();
                  } finally {
                    request.stop();
                  }
                })
            .await());
  }

  @Benchmark
  public int recording() throws InterruptedException {
    if (loop == null) {
      recording = new Recording();
      recording.start();
      loop = Loop.builder().build();
    }
    return measure(loop);
  }

  @Benchmark
  public int debug() throws InterruptedException {
    if (loop == null) {
      loop = Loop.builder().debug(true).build();
    }
    return measure(loop);
  }

  @TearDown
  public void close() {
    if (loop != null) {
      loop.close();
    }
    if (recording != null) {
      recording.close();
    }
  }

  private int measure(Loop loop) throws InterruptedException {
    return checked(loop.createTask(this::forkJoin).await());
  }

  private int forkJoin() throws InterruptedException {
    try (TaskScope<RuntimeException> scope = TaskScope.open()) {
      var tasks = new ArrayList<Task<Integer, RuntimeException>>(forks);
      for (int i = 0; i < forks; i++) {
        int index = i;
        tasks.add(scope.fork(() -> index + 1));
      }
      scope.join();
      int sum = 0;
      for (Task<Integer, RuntimeException> task : tasks) {
        sum += task.result();
      }
      return sum;
    }
  }

  private int checked(int sum) {
    if (sum != forks * (forks + 1) / 2) {
      throw new AssertionError("the bodies add up to " + sum);
    }
    return sum;
  }
}
