package dev.selvedge.examples;

import io.github.bucket4j.BlockingBucket;
import io.github.bucket4j.Bucket;
import java.time.Duration;

/** How many bytes may be read each second by all tasks together. */
interface RateLimit {
  /** The highest limit, in MB/s: Bucket4j refuses more than a token a nanosecond. */
  double MAX = 50_000;

  /**
   * Waits until some bytes may be read.
   *
   * @param wanted how many, at least 1
   * @return how many may be read now: at least 1, at most {@code wanted}
   * @throws InterruptedException if the task is cancelled while it waits
   */
  int take(int wanted) throws InterruptedException;

  /** No limit. */
  static RateLimit none() {
    return wanted -> wanted;
  }

  /** A limit in MB/s, where a MB is a million bytes. */
  static RateLimit megabytesPerSecond(double rate) {
    // A token stands for some bytes, so that MAX stays within what Bucket4j accepts. What may be
    // read at once is a tenth of a second's worth: enough to waste no time, and still smooth.
    int bytesPerToken = 64;
    long tokensPerSecond = Math.max(1, Math.round(rate * 1e6 / bytesPerToken));
    long burst = Math.max(1, tokensPerSecond / 10);
    BlockingBucket bucket =
        Bucket.builder()
            .withNanosecondPrecision()
            .addLimit(limit ->
                limit
                    .capacity(burst)
                    .refillGreedy(tokensPerSecond, Duration.ofSeconds(1))
                    .initialTokens(burst))
            .build()
            .asBlocking();
    return wanted -> {
      long tokens = Math.min(burst, Math.ceilDiv(wanted, bytesPerToken));
      bucket.consume(tokens);
      return (int) Math.min(wanted, tokens * bytesPerToken);
    };
  }
}
