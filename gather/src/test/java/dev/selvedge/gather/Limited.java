package dev.selvedge.gather;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** Calls with a limit in time that is long enough for their bodies to begin. */
final class Limited {
  /** What is tried. */
  @FunctionalInterface
  interface Attempt<T> {
    T call(Duration limit, CountDownLatch begun) throws Exception;
  }

  private Limited() {}

  /** Doubles the limit until so many bodies have begun; what that attempt returned. */
  static <T> T until(int bodies, Attempt<T> attempt) throws Exception {
    Duration limit = Duration.ofMillis(5);
    while (true) {
      var begun = new CountDownLatch(bodies);
      T result = attempt.call(limit, begun);
      if (begun.getCount() == 0) {
        return result;
      }
      limit = limit.multipliedBy(2);
    }
  }
}
