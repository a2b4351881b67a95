package dev.selvedge.benchmarks;

/** Bodies that do next to nothing. */
public class ForkJoinBenchmark extends FanOut {
  @Override
  long pauseMillis() {
    return 0;
  }

  @Override
  int work(int index) {
    return index + 1;
  }
}
