package dev.selvedge.stress.programs;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.TaskScope;
import java.util.concurrent.CountDownLatch;

/** Parks many threads at once, in three ways, and says how much memory they take. */
public final class ParkedTasks {
  private static final int WARM_UPS = 20;
  private static final int WARM_UP = 2_000;

  private ParkedTasks() {}

  public static void main(String[] arguments) throws InterruptedException {
    // So that the frames which are kept for each thread are compiled ones.
    for (int i = 0; i < WARM_UPS; i++) {
      park(arguments[0], WARM_UP);
    }
    System.out.println(park(arguments[0], Integer.parseInt(arguments[1])) + " bytes each");
  }

  private static long park(String how, int count) throws InterruptedException {
    var parked = new CountDownLatch(count);
    var gate = new CountDownLatch(1);
    var ended = new CountDownLatch(count);
    Body<Integer, RuntimeException> body =
        () -> {
          parked.countDown();
          gate.await();
          ended.countDown();
          return 1;
        };
    long before = used();
    return switch (how) {
      case "threads" -> {
        for (int i = 0; i < count; i++) {
          Thread.startVirtualThread(() -> {
            try {
              body.call();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          });
        }
        yield measure(before, count, parked, gate, ended);
      }
      case "loop" -> {
        try (Loop loop = Loop.create()) {
          for (int i = 0; i < count; i++) {
            loop.createTask(body);
          }
          yield measure(before, count, parked, gate, ended);
        }
      }
      case "scope" -> {
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          for (int i = 0; i < count; i++) {
            scope.fork(body);
          }
          yield measure(before, count, parked, gate, ended);
        }
      }
      default -> throw new IllegalArgumentException(how);
    };
  }

  private static long measure(
      long before, int count, CountDownLatch parked, CountDownLatch gate, CountDownLatch ended)
      throws InterruptedException {
    parked.await();
    long bytes = (used() - before) / count;
    gate.countDown();
    ended.await();
    return bytes;
  }

  private static long used() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
