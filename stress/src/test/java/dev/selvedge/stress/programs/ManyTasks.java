package dev.selvedge.stress.programs;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.function.Function;

/**
 * Sends many short tasks through one loop and through one open scope, one after another and a
 * thousand at a time, also with every hundredth failing. Its memory is what the test limits.
 */
public final class ManyTasks {
  /** The combinations that main goes through. */
  public static final int WAYS = 8;

  private static final int THOUSAND = 1000;

  private ManyTasks() {}

  public static void main(String[] arguments) throws InterruptedException {
    long count = Long.parseLong(arguments[0]);
    for (int atOnce : new int[] {1, THOUSAND}) {
      for (boolean failing : new boolean[] {false, true}) {
        try (Loop loop = Loop.create()) {
          send(count, atOnce, failing, loop::<byte[], IOException>createTask);
        }
        TaskScope.Policy policy =
            failing ? TaskScope.Policy.SUPERVISE : TaskScope.Policy.CANCEL_ON_FAILURE;
        try (TaskScope<IOException> scope = TaskScope.open(policy)) {
          send(count, atOnce, failing, scope::<byte[]>fork);
        }
      }
    }
    System.out.println("done");
  }

  private static void send(
      long count,
      int atOnce,
      boolean failing,
      Function<Body<byte[], IOException>, Task<byte[], IOException>> owner)
      throws InterruptedException {
    long failed = 0;
    for (long sent = 0; sent < count; sent += atOnce) {
      var tasks = new ArrayList<Task<byte[], IOException>>(atOnce);
      for (long number = sent; number < sent + atOnce; number++) {
        boolean fails = failing && number % 100 == 0;
        tasks.add(owner.apply(() -> work(fails)));
      }
      for (Task<byte[], IOException> task : tasks) {
        try {
          task.await();
        } catch (IOException e) {
          failed++;
        }
      }
    }
    if (failed != (failing ? count / 100 : 0)) {
      throw new AssertionError(failed + " failures");
    }
  }

  /** Large enough that the values of a million tasks do not fit. */
  private static byte[] work(boolean fails) throws IOException {
    if (fails) {
      throw new IOException("every hundredth");
    }
    return new byte[100];
  }
}
