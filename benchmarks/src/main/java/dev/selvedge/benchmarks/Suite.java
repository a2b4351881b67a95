package dev.selvedge.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs a plan in rounds and prints how the peers compare: {@code Suite PLAN ROUNDS print|write
 * DOCS}.
 *
 * <p>A machine's speed drifts, and more so one that others use. So the peers of a workload run
 * right after one another, in a JVM each and in turns of who comes first, and are compared within
 * their round only; what is reported is the median of the rounds.
 */
public final class Suite {
  private Suite() {}

  /** Runs all of it. */
  public static void main(String[] args) throws Exception {
    Plan plan = Plan.of(args[0]);
    int rounds = Integer.parseInt(args[1]);
    boolean write = args[2].equals("write");

    List<Results> all = plan.workloads().stream().map(Results::new).toList();
    for (int round = 1; round <= rounds; round++) {
      for (Results results : all) {
        run(results, round, rounds);
      }
    }
    var report = new Report(plan, rounds, Machine.describe() + ", " + Machine.libraries(), all);
    System.out.print(report.markdown());
    if (write) {
      Path docs = Path.of(args[3]);
      report.write(docs.resolve("benchmarks"));
      if (plan.name().equals("full")) {
        report.writeSummary(docs.resolve("guide/costs.md"));
      }
    }
  }

  private static void run(Results results, int round, int rounds) throws Exception {
    Workload workload = results.workload();
    for (int size : workload.sizes()) {
      var peers = new ArrayList<>(workload.peers());
      Collections.rotate(peers, round - 1);
      for (String peer : peers) {
        Map<String, Double> measures =
            workload.isProbe() ? probe(workload, size, peer) : benchmark(workload, size, peer);
        results.add(size, peer, measures);
        System.err.printf(
            Locale.ROOT,
            "round %d of %d: %s %d, %s: %s%n",
            round,
            rounds,
            workload.name(),
            size,
            peer,
            measures);
      }
    }
  }

  /** What every JVM that measures is started with. */
  private static List<String> flags(Workload workload) {
    return List.of(
        "--enable-preview",
        "--sun-misc-unsafe-memory-access=allow",
        "-Xms" + workload.heap(),
        "-Xmx" + workload.heap(),
        // Else the operating system hands out the heap while peers are measured.
        "-XX:+AlwaysPreTouch");
  }

  private static Map<String, Double> probe(Workload workload, int size, String peer)
      throws IOException, InterruptedException {
    Path errors = Files.createTempFile("selvedge-probe", ".log");
    try {
      var command = new ArrayList<String>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(flags(workload));
      command.add("-Dstdout.encoding=UTF-8");
      command.addAll(List.of("-cp", System.getProperty("java.class.path")));
      command.add(Probes.class.getName());
      command.addAll(List.of(workload.program().getName(), peer, Integer.toString(size)));
      Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException(
            workload.name() + ", " + peer + " failed:\n" + Files.readString(errors));
      }
      return Probes.parse(output);
    } finally {
      Files.delete(errors);
    }
  }

  private static Map<String, Double> benchmark(Workload workload, int size, String peer)
      throws IOException, RunnerException {
    Path log = Files.createTempFile("selvedge-benchmark", ".log");
    var flags = new ArrayList<>(flags(workload));
    // A platform thread would pay the operating system for each wait, whoever the peer.
    flags.add("-Djmh.executor=VIRTUAL");
    var options =
        new OptionsBuilder()
            .include("^" + workload.program().getName() + "\\." + peer + "$")
            .param("forks", Integer.toString(size))
            .forks(1)
            .warmupIterations(3)
            .warmupTime(TimeValue.milliseconds(500))
            .measurementIterations(2)
            .measurementTime(TimeValue.milliseconds(300))
            .addProfiler(GCProfiler.class)
            .jvmArgs(flags.toArray(new String[0]))
            .shouldFailOnError(true)
            .output(log.toString());
    try {
      RunResult result = new Runner(options.build()).runSingle();
      var bytes = requireNonNull(result.getSecondaryResults().get("gc.alloc.rate.norm"), "bytes");
      return Probes.measures("µs", result.getPrimaryResult().getScore(), "bytes", bytes.getScore());
    } catch (RunnerException e) {
      System.err.print(Files.readString(log));
      throw e;
    } finally {
      Files.delete(log);
    }
  }
}
