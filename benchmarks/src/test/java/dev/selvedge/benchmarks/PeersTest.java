package dev.selvedge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PeersTest {
  static List<String> forkJoin() {
    return Suite.peers(ForkJoinBenchmark.class);
  }

  static List<String> gather() {
    return Suite.peers(GatherBenchmark.class);
  }

  static List<String> timeout() {
    return Suite.peers(TimeoutBenchmark.class);
  }

  @ParameterizedTest
  @MethodSource
  void forkJoin(String peer) throws Exception {
    var benchmark = new ForkJoinBenchmark();
    benchmark.forks = 100;

    Object sum = ForkJoinBenchmark.class.getMethod(peer).invoke(benchmark);

    assertThat(sum).isEqualTo(5050);
  }

  @ParameterizedTest
  @MethodSource
  void gather(String peer) throws Exception {
    var benchmark = new GatherBenchmark();
    benchmark.forks = 3;

    Object values = GatherBenchmark.class.getMethod(peer).invoke(benchmark);

    assertThat(values).isEqualTo(List.of(0, 1, 2));
  }

  @ParameterizedTest
  @MethodSource
  void timeout(String peer) throws Exception {
    var benchmark = new TimeoutBenchmark();

    Object value = TimeoutBenchmark.class.getMethod(peer).invoke(benchmark);

    assertThat(value).isEqualTo(TimeoutBenchmark.VALUE);
  }
}
