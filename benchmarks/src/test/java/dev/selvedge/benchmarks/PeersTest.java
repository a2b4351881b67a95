package dev.selvedge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.benchmarks.Suite.Plan;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PeersTest {
  static List<String> forkJoin() {
    return Suite.peers(Plan.PEERS, ForkJoinBenchmark.class);
  }

  static List<String> gather() {
    return Suite.peers(Plan.PEERS, GatherBenchmark.class);
  }

  static List<String> timeout() {
    return Suite.peers(Plan.PEERS, TimeoutBenchmark.class);
  }

  static List<String> watching() {
    return Suite.peers(Plan.WATCHING, WatchingBenchmark.class);
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

  @ParameterizedTest
  @MethodSource
  void watching(String peer) throws Exception {
    var benchmark = new WatchingBenchmark();
    benchmark.forks = 100;
    try {
      Object sum = WatchingBenchmark.class.getMethod(peer).invoke(benchmark);

      assertThat(sum).isEqualTo(5050);
    } finally {
      benchmark.close();
    }
  }
}
