package dev.selvedge.benchmarks;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * A question that peers answer, and the sizes at which it is asked.
 *
 * @param name its heading
 * @param program a JMH benchmark or a probe
 * @param sizes what its parameter is set to
 * @param peers who answers, in the order of the table
 * @param heap the most memory that its JVM may use, as {@code -Xmx} has it
 * @param bound up to which size a measure keeps within something, if that is asked
 */
record Workload(
    String name,
    Class<?> program,
    List<Integer> sizes,
    List<String> peers,
    String heap,
    Optional<Bound> bound) {
  /** The most that a measure may be. */
  record Bound(String measure, double most) {}

  /** Those in the first columns of ratios. */
  static final List<String> BASELINES = List.of("plain", "threads", "single", "jdk");

  private static final Comparator<String> BASELINES_FIRST =
      Comparator.<String>comparingInt(peer ->
              BASELINES.contains(peer)
                  ? BASELINES.indexOf(peer)
                  : isOurs(peer) ? BASELINES.size() : BASELINES.size() + 1)
          .thenComparing(Comparator.naturalOrder());

  /** Asks all peers. */
  static Workload of(String name, Class<?> program, Integer... sizes) {
    List<String> peers =
        Arrays.stream(program.getMethods())
            .filter(method ->
                method.isAnnotationPresent(Benchmark.class)
                    || method.isAnnotationPresent(Measured.class))
            .map(method -> method.getName())
            .sorted(BASELINES_FIRST)
            .toList();
    return new Workload(name, program, List.of(sizes), peers, "512m", Optional.empty());
  }

  /** Asks some of the peers, as far as they have an answer. */
  Workload only(String... some) {
    List<String> left = peers.stream().filter(List.of(some)::contains).toList();
    return new Workload(name, program, sizes, left, heap, bound);
  }

  Workload heap(String most) {
    return new Workload(name, program, sizes, peers, most, bound);
  }

  /** Asks as well up to which size the peers keep within a bound. */
  Workload within(String measure, double most) {
    return new Workload(name, program, sizes, peers, heap, Optional.of(new Bound(measure, most)));
  }

  boolean isProbe() {
    return Arrays.stream(program.getMethods())
        .anyMatch(method -> method.isAnnotationPresent(Measured.class));
  }

  static boolean isOurs(String peer) {
    return peer.startsWith("selvedge");
  }

  /** Neither ours nor the floor: what a user would pick instead. */
  static boolean isRival(String peer) {
    return !isOurs(peer) && !peer.equals("plain") && !peer.equals("threads");
  }
}
