package dev.selvedge.benchmarks;

import com.softwaremill.jox.structured.Fork;
import com.softwaremill.jox.structured.Scopes;
import dev.selvedge.Body;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.util.ArrayList;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Subtask;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Scopes in scopes, three deep, each of five forks; counts the leaves. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class NestedBenchmark {
  static final int LEAVES = 125;

  private static final int WIDTH = 5;
  private static final int DEPTH = 3;

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  @Benchmark
  public int threads() throws InterruptedException {
    return checked(threads(DEPTH));
  }

  private static int threads(int depth) throws InterruptedException {
    if (depth == 0) {
      return 1;
    }
    var results = new int[WIDTH];
    var done = new CountDownLatch(WIDTH);
    for (int i = 0; i < WIDTH; i++) {
      int index = i;
      Thread.startVirtualThread(() -> {
        try {
          results[index] = threads(depth - 1);
        } catch (InterruptedException e) {
          throw new IllegalStateException("nobody cancels these", e);
        } finally {
          done.countDown();
        }
      });
    }
    done.await();
    int sum = 0;
    for (int result : results) {
      sum += result;
    }
    return sum;
  }

  @Benchmark
  public int jdk() throws InterruptedException {
    return checked(jdk(DEPTH));
  }

  private static int jdk(int depth) throws InterruptedException {
    if (depth == 0) {
      return 1;
    }
    try (var scope = StructuredTaskScope.<Integer>open()) {
      var subtasks = new ArrayList<Subtask<Integer>>(WIDTH);
      for (int i = 0; i < WIDTH; i++) {
        subtasks.add(scope.fork(() -> jdk(depth - 1)));
      }
      scope.join();
      int sum = 0;
      for (Subtask<Integer> subtask : subtasks) {
        sum += subtask.get();
      }
      return sum;
    }
  }

  @Benchmark
  public int selvedge() throws InterruptedException {
    return checked(selvedge(DEPTH));
  }

  private static int selvedge(int depth) throws InterruptedException {
    if (depth == 0) {
      return 1;
    }
    try (TaskScope<InterruptedException> scope = TaskScope.open()) {
      var tasks = new ArrayList<Task<Integer, InterruptedException>>(WIDTH);
      Body<Integer, InterruptedException> body = () -> selvedge(depth - 1);
      for (int i = 0; i < WIDTH; i++) {
        tasks.add(scope.fork(body));
      }
      scope.join();
      int sum = 0;
      for (Task<Integer, InterruptedException> task : tasks) {
        sum += task.result();
      }
      return sum;
    }
  }

  @Benchmark
  public int executor() throws Exception {
    return checked(executor(DEPTH));
  }

  private int executor(int depth) throws Exception {
    if (depth == 0) {
      return 1;
    }
    Callable<Integer> body = () -> executor(depth - 1);
    int sum = 0;
    for (Future<Integer> future : executor.invokeAll(Collections.nCopies(WIDTH, body))) {
      sum += future.get();
    }
    return sum;
  }

  @Benchmark
  public int jox() throws InterruptedException {
    return checked(jox(DEPTH));
  }

  private static int jox(int depth) throws InterruptedException {
    if (depth == 0) {
      return 1;
    }
    return Scopes.supervised(scope -> {
      var tasks = new ArrayList<Fork<Integer>>(WIDTH);
      for (int i = 0; i < WIDTH; i++) {
        tasks.add(scope.fork(() -> jox(depth - 1)));
      }
      int sum = 0;
      for (Fork<Integer> task : tasks) {
        sum += task.join();
      }
      return sum;
    });
  }

  @Benchmark
  public int kotlin() {
    return checked(KotlinPeers.nested(WIDTH, DEPTH));
  }

  private static int checked(int leaves) {
    if (leaves != LEAVES) {
      throw new AssertionError(leaves + " leaves");
    }
    return leaves;
  }

  /** Ends what the peers keep. */
  @TearDown
  public void close() {
    executor.close();
  }
}
