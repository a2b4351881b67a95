package dev.selvedge.benchmarks;

import java.util.List;

/**
 * What is asked in one run.
 *
 * @param name of the page and the other files that it writes
 */
record Plan(String name, List<Workload> workloads) {
  /**
   * The floor, the JDK's scope, and the peer that was the best of the others in the last full run:
   * Jox for scopes, the executor for gather.
   */
  private static final Plan QUICK =
      new Plan(
          "quick",
          List.of(
              Workload.of("Fork and join", ForkJoinBenchmark.class, 1, 10, 100, 1_000, 10_000)
                  .only("threads", "jdk", "executor", "selvedge"),
              Workload.of("Gather", GatherBenchmark.class, 10)
                  .only("threads", "jdk", "executor", "selvedge"),
              Workload.of("Fail fast", FailFastProbe.class, 100)
                  .only("threads", "jdk", "jox", "selvedge"),
              Workload.of("Limit, not reached", TimeoutBenchmark.class, 1)
                  .only("threads", "jdk", "futures", "selvedge", "selvedgeInPlace")));

  private static final Plan FULL =
      new Plan(
          "full",
          List.of(
              Workload.of("Fork and join", ForkJoinBenchmark.class, 1, 2, 10, 100, 1_000, 10_000),
              Workload.of("Bodies that wait 1 ms", BlockingBenchmark.class, 100),
              Workload.of("Bodies that compute for 50 µs", CpuBenchmark.class, 100),
              Workload.of("Nested three deep", NestedBenchmark.class, 5),
              Workload.of("Gather", GatherBenchmark.class, 2, 10, 100),
              Workload.of("Fail fast", FailFastProbe.class, 100),
              Workload.of("Collect all, half of them failing", CollectAllBenchmark.class, 100),
              Workload.of("The first answer, with a long tail", LongTailProbe.class, 3),
              Workload.of("Bounded map", BoundedMapProbe.class, 1_000_000).heap("1g"),
              Workload.of("Spawn through a loop", SpawnProbe.class, 1, 2, 8),
              Workload.of("Limit, not reached", TimeoutBenchmark.class, 1),
              Workload.of("Limits, many at once", LimitsProbe.class, 100_000).heap("2g"),
              Workload.of("Limit, reached", PunctualityProbe.class, 0, 1),
              Workload.of("Cancel", CancelProbe.class, 10_000),
              Workload.of("Orphan reports", OrphanProbe.class, 100_000).heap("1g"),
              Workload.of("Re-throw", RethrowBenchmark.class, 1),
              Workload.of("Parked tasks", ParkedProbe.class, 10_000, 100_000, 1_000_000)
                  .heap("4g")));

  private static final Plan WATCHING =
      new Plan("watching", List.of(Workload.of("Watching", WatchingBenchmark.class, 100)));

  private static final Plan SERVER =
      new Plan(
          "server",
          List.of(
              Workload.of("Server", ServerProbe.class, 400, 800, 1200, 1600, 2400)
                  .heap("1g")
                  .within("p99 ms", 50)));

  static Plan of(String name) {
    return List.of(QUICK, FULL, WATCHING, SERVER).stream()
        .filter(plan -> plan.name.equals(name))
        .findAny()
        .orElseThrow(() -> new IllegalArgumentException("no plan " + name));
  }
}
