package dev.selvedge.benchmarks;

import dev.selvedge.Body;
import dev.selvedge.gather.Gather;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Runs bodies that do next to nothing at the same time, and makes a list of their values. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class GatherBenchmark {
  /** How many bodies one operation runs. */
  @Param({"1", "2", "10", "100"})
  public int forks;

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

  private static int body(int index) {
    return index;
  }

  private List<Integer> checked(List<Integer> values) {
    if (values.size() != forks || values.getLast() != forks - 1) {
      throw new AssertionError("the bodies returned " + values);
    }
    return values;
  }
}
