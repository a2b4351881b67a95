package dev.selvedge.benchmarks;

/** Bodies that wait for a millisecond. */
public class BlockingBenchmark extends FanOut {
  @Override
  long pauseMillis() {
    return 1;
  }

  @Override
  int work(int index) {
    return index + 1;
  }
}
