package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RateLimitTest {
  /** A limit under which nothing is ever read. */
  static RateLimit never() {
    return wanted -> {
      new CountDownLatch(1).await();
      return wanted;
    };
  }

  @AfterEach
  void leaveNoInterrupt() {
    assertThat(Thread.interrupted()).isFalse();
  }

  @Test
  void noLimitGivesWhatIsWanted() throws Exception {
    assertThat(RateLimit.none().take(1 << 16)).isEqualTo(1 << 16);
  }

  @Test
  void aLimitGivesATenthOfASecondAtOnceAndNoMoreThanIsWanted() throws Exception {
    RateLimit limit = RateLimit.megabytesPerSecond(0.64);

    assertThat(limit.take(1_000_000)).isEqualTo(64_000);
    assertThat(limit.take(1)).isEqualTo(1);
  }

  @Test
  void whatIsTakenBeyondTheRateIsWaitedFor() throws Exception {
    RateLimit limit = RateLimit.megabytesPerSecond(1);
    long start = System.nanoTime();

    for (int taken = 0; taken < 300_000; ) {
      taken += limit.take(1_000_000);
    }

    assertThat(System.nanoTime() - start).isBetween(150_000_000L, 5_000_000_000L);
  }

  @Test
  void theSmallestAndTheLargestRateAreAccepted() throws Exception {
    assertThat(RateLimit.megabytesPerSecond(Double.MIN_VALUE).take(1000)).isPositive();
    assertThat(RateLimit.megabytesPerSecond(RateLimit.MAX).take(1000)).isEqualTo(1000);
  }

  @Test
  void theWaitIsInterruptible() throws Exception {
    RateLimit limit = RateLimit.megabytesPerSecond(Double.MIN_VALUE);
    limit.take(64);

    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> limit.take(64)).isInstanceOf(InterruptedException.class);
  }
}
