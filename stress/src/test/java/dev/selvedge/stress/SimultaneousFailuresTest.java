package dev.selvedge.stress;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Oracle;
import dev.selvedge.Suppressed;
import dev.selvedge.Threads;
import dev.selvedge.gather.Gather;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Failures that happen at the same instant. */
@ExtendWith(Oracle.class)
class SimultaneousFailuresTest {
  private static final int PAIRS = (Threads.PLATFORM ? 1_000 : 100_000) * Threads.EFFORT;

  /** Throws as soon as all have begun. */
  private static Body<String, IOException> failingWith(AtomicInteger others, IOException failure) {
    return () -> {
      others.decrementAndGet();
      while (others.get() > 0) {
        Thread.onSpinWait();
        Thread.yield();
      }
      throw failure;
    };
  }

  @Test
  @DisplayName(
      "two children of a gather fail at once: one is thrown, the other suppressed in it [L3,"
          + " GATHER-04]")
  void twoFailAtOnce() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      loop.<Exception>runUntilComplete(() -> {
        for (int i = 0; i < PAIRS; i++) {
          twoFail(i);
        }
      });
    }
  }

  private static void twoFail(int pair) throws InterruptedException {
    var a = new IOException("a");
    var b = new IOException("b");
    var others = new AtomicInteger(2);
    Throwable thrown = null;
    try {
      Gather.gather(failingWith(others, a), failingWith(others, b));
    } catch (IOException e) {
      thrown = e;
    }

    IOException other = thrown == a ? b : a;
    // A sibling that was cancelled before it began never runs, and so never fails.
    boolean both = others.get() == 0;
    if (thrown != a && thrown != b
        || both && !Suppressed.in(thrown).equals(List.of(other))
        || Thread.currentThread().isInterrupted()) {
      throw new AssertionError("pair " + pair, thrown);
    }
  }
}
