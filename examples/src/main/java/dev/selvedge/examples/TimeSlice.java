package dev.selvedge.examples;

import dev.selvedge.Task;
import java.time.Duration;

/**
 * Makes a task that computes without blocking take turns with the others.
 *
 * <p>Virtual threads are not preempted, and reading a file does not unmount them. A few that
 * compute for minutes keep all processors, and then a task that only wants to print a line each
 * second does not get its turn. {@link Thread#yield} would not help: it puts the thread into its
 * processor's own queue, which is served before the threads that a timer wakes. So a thread that
 * has used up its slice sleeps for a moment, and is woken by a timer like the others.
 */
final class TimeSlice {
  private static final long SLICE = Duration.ofMillis(2).toNanos();
  private static final Duration PAUSE = Duration.ofNanos(100_000);

  private long begin = System.nanoTime();

  /**
   * To be called often; pauses when the slice is used up.
   *
   * @throws InterruptedException if the task is cancelled
   */
  void pace() throws InterruptedException {
    Task.checkCancelled();
    if (System.nanoTime() - begin > SLICE) {
      Thread.sleep(PAUSE);
      begin = System.nanoTime();
    }
  }
}
