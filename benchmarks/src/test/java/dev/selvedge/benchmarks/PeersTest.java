package dev.selvedge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every peer gives the answer that it is measured for. */
class PeersTest {
  /** What each benchmark returns, at its default size. */
  private static final Map<Class<?>, Object> ANSWERS =
      Map.of(
          ForkJoinBenchmark.class,
          5050,
          BlockingBenchmark.class,
          5050,
          CpuBenchmark.class,
          5050,
          NestedBenchmark.class,
          NestedBenchmark.LEAVES,
          GatherBenchmark.class,
          List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
          CollectAllBenchmark.class,
          CollectAllBenchmark.FORKS / 2L,
          TimeoutBenchmark.class,
          TimeoutBenchmark.VALUE,
          RethrowBenchmark.class,
          RethrowBenchmark.MESSAGE,
          WatchingBenchmark.class,
          5050);

  /** Those that are quick at a small size; all check what they measure. */
  private static final Map<Class<?>, Integer> PROBES =
      Map.of(
          FailFastProbe.class, 3,
          BoundedMapProbe.class, 500,
          LimitsProbe.class, 10,
          CancelProbe.class, 10,
          OrphanProbe.class, 10,
          PunctualityProbe.class, 0);

  static Stream<Arguments> benchmarks() {
    return workloads(false);
  }

  static Stream<Arguments> probes() {
    return workloads(true).filter(arguments -> PROBES.containsKey((Class<?>) arguments.get()[0]));
  }

  private static Stream<Arguments> workloads(boolean probes) {
    Set<List<Object>> all = new LinkedHashSet<>();
    for (String plan : List.of("full", "watching", "server")) {
      for (Workload workload : Plan.of(plan).workloads()) {
        if (workload.isProbe() == probes) {
          workload.peers().forEach(peer -> all.add(List.of(workload.program(), peer)));
        }
      }
    }
    return new ArrayList<>(all).stream().map(pair -> Arguments.of(pair.toArray()));
  }

  @ParameterizedTest
  @MethodSource
  void benchmarks(Class<?> program, String peer) throws Exception {
    Object benchmark = program.getConstructor().newInstance();
    try {
      Object answer = program.getMethod(peer).invoke(benchmark);

      assertThat(answer).isEqualTo(ANSWERS.get(program));
    } finally {
      close(benchmark);
    }
  }

  private static void close(Object benchmark) throws Exception {
    benchmark.getClass().getMethod("close").invoke(benchmark);
  }

  @ParameterizedTest
  @MethodSource
  void probes(Class<?> program, String peer) throws Exception {
    Object probe = program.getConstructor().newInstance();

    Object measures = program.getMethod(peer, int.class).invoke(probe, PROBES.get(program));

    assertThat((Map<?, ?>) measures).isNotEmpty();
  }
}
