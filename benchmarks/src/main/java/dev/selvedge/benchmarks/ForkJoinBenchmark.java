package dev.selvedge.benchmarks;

import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
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

/** Forks bodies that do next to nothing, waits for all of them, and adds up what they return. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ForkJoinBenchmark {
  /** How many bodies one operation forks. */
  @Param({"1", "10", "100", "1000"})
  public int forks;

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

  /** Never zero, so that a body that did not run is missed in the sum. */
  private static int body(int index) {
    return index + 1;
  }

  private int checked(int sum) {
    if (sum != forks * (forks + 1) / 2) {
      throw new AssertionError("the bodies add up to " + sum);
    }
    return sum;
  }
}
