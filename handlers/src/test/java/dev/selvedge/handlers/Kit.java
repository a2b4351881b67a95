package dev.selvedge.handlers;

import dev.selvedge.Loop;
import dev.selvedge.Threads;
import dev.selvedge.testkit.SelvedgeExtension;
import java.time.Duration;
import org.awaitility.Awaitility;

/** The settings of the test kit that all tests here share. */
public final class Kit {
  static {
    // For every await() of the suite: the defaults wait a tenth of a second each time.
    Awaitility.setDefaultPollDelay(Duration.ZERO);
    Awaitility.setDefaultPollInterval(Duration.ofMillis(2));
  }

  private Kit() {}

  /** Nothing is left in the whole process. */
  static SelvedgeExtension.Builder builder() {
    return SelvedgeExtension.builder().loop(Kit::onThreads).current(false).wholeProcess();
  }

  public static SelvedgeExtension extension() {
    return builder().build();
  }

  /** Platform threads in the second run. */
  static Loop.Builder onThreads(Loop.Builder loop) {
    return Threads.PLATFORM ? loop.threadFactory(Thread.ofPlatform().daemon().factory()) : loop;
  }
}
