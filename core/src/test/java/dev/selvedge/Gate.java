package dev.selvedge;

import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;

/**
 * Holds threads back: those of a factory before their task starts, or a body that ignores
 * interrupts.
 */
public final class Gate {
  private final CountDownLatch latch = new CountDownLatch(1);

  public void open() {
    latch.countDown();
  }

  /** Waits until the gate opens, whatever interrupts; the flag is restored. */
  public void pass() {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Threads that come to their task when the gate opens. */
  public ThreadFactory factory() {
    return task -> {
      Runnable held =
          () -> {
            pass();
            task.run();
          };
      return Threads.PLATFORM
          ? Thread.ofPlatform().daemon().unstarted(held)
          : Thread.ofVirtual().unstarted(held);
    };
  }

  /** Waits until a thread is in one of these states. */
  static void awaitState(Thread thread, Thread.State... states) {
    await().until(() -> List.of(states).contains(thread.getState()));
  }

  /** Waits until the thread of a task is parked or asleep. */
  public static void awaitBlocked(Task<?, ?> task) {
    await()
        .until(() -> {
          Thread thread = ((TaskImpl<?, ?>) task).thread();
          return thread != null
              && switch (thread.getState()) {
                case WAITING, TIMED_WAITING, BLOCKED -> true;
                default -> false;
              };
        });
  }
}
