package dev.selvedge.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.infra.Blackhole;

/** Bodies that keep a core busy for about 50 microseconds: the same work whoever runs them. */
public class CpuBenchmark extends FanOut {
  private static final long TARGET_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

  private long tokens = 10_000;

  /** Finds out how much work that is on this machine. */
  @Setup
  public void calibrate() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 2_000; i++) {
      long start = System.nanoTime();
      Blackhole.consumeCPU(10_000);
      least = Math.min(least, System.nanoTime() - start);
    }
    tokens = 10_000 * TARGET_NANOS / least;
  }

  @Override
  long pauseMillis() {
    return 0;
  }

  @Override
  int work(int index) {
    Blackhole.consumeCPU(tokens);
    return index + 1;
  }
}
