package dev.selvedge.benchmarks;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs the benchmarks of a plan in rounds and prints how the peers compare: {@code Suite ROUNDS
 * print|write PLAN PAGE}.
 *
 * <p>A machine's speed drifts, and more so one that others use. So the peers of a case run right
 * after one another, in a JVM each and in turns of who comes first, and are compared within their
 * round only; what is reported is the median of the rounds.
 */
public final class Suite {
  /**
   * What is compared with what.
   *
   * @param baselines what the others are compared to; they come first in the table
   */
  record Plan(List<String> baselines, List<Class<?>> benchmarks) {
    /** Selvedge with what a user would take instead. */
    static final Plan PEERS =
        new Plan(
            List.of("threads", "jdk"),
            List.of(ForkJoinBenchmark.class, GatherBenchmark.class, TimeoutBenchmark.class));

    /** Tasks that are watched, or carry a context, with tasks that are not and do not. */
    static final Plan WATCHING = new Plan(List.of("plain"), List.of(WatchingBenchmark.class));

    static Plan of(String name) {
      return switch (name) {
        case "peers" -> PEERS;
        case "watching" -> WATCHING;
        default -> throw new IllegalArgumentException("no plan " + name);
      };
    }
  }

  /** One question, with the peers that answer it; {@code forks} is empty if it has no parameter. */
  private record Case(Class<?> benchmark, String forks, List<String> peers) {
    String label() {
      String name = benchmark.getSimpleName().replace("Benchmark", "");
      return forks.isEmpty() ? name : name + " " + forks;
    }
  }

  private Suite() {}

  /** Runs all of it. */
  public static void main(String[] args) throws IOException, RunnerException {
    int rounds = Integer.parseInt(args[0]);
    boolean write = args[1].equals("write");
    Plan plan = Plan.of(args[2]);
    Path page = Path.of(args[3]);

    var figures = new Figures(plan.baselines);
    List<Case> cases = cases(plan);
    for (int round = 1; round <= rounds; round++) {
      for (Case question : cases) {
        var peers = new ArrayList<>(question.peers);
        Collections.rotate(peers, round - 1);
        for (String peer : peers) {
          Figures.Sample sample = run(question, peer);
          figures.add(question.label(), peer, sample);
          System.err.printf(
              Locale.ROOT,
              "round %d of %d: %s, %s: %.2f us%n",
              round,
              rounds,
              question.label(),
              peer,
              sample.micros());
        }
      }
    }
    String markdown = Machine.describe() + "; rounds: " + rounds + "\n\n" + figures.table();
    System.out.print(markdown);
    if (write) {
      Files.writeString(page, Figures.replace(Files.readString(page), markdown));
    }
  }

  private static List<Case> cases(Plan plan) {
    var cases = new ArrayList<Case>();
    for (Class<?> benchmark : plan.benchmarks) {
      for (String forks : forks(benchmark)) {
        cases.add(new Case(benchmark, forks, peers(plan, benchmark)));
      }
    }
    return cases;
  }

  private static List<String> forks(Class<?> benchmark) {
    return Arrays.stream(benchmark.getFields())
        .filter(field -> field.isAnnotationPresent(Param.class))
        .findAny()
        .map(field -> List.of(field.getAnnotation(Param.class).value()))
        .orElse(List.of(""));
  }

  /** The methods of a benchmark, in the order of the table. */
  static List<String> peers(Plan plan, Class<?> benchmark) {
    List<String> first = plan.baselines;
    Comparator<String> baselinesFirst =
        Comparator.comparingInt(peer -> first.contains(peer) ? first.indexOf(peer) : first.size());
    return Arrays.stream(benchmark.getMethods())
        .filter(method -> method.isAnnotationPresent(Benchmark.class))
        .map(method -> method.getName())
        .sorted(baselinesFirst.thenComparing(Comparator.naturalOrder()))
        .toList();
  }

  private static Figures.Sample run(Case question, String peer)
      throws IOException, RunnerException {
    Path log = Files.createTempFile("selvedge-benchmark", ".log");
    var options =
        new OptionsBuilder()
            .include("^" + question.benchmark.getName() + "\\." + peer + "$")
            .forks(1)
            .warmupIterations(3)
            .warmupTime(TimeValue.milliseconds(500))
            .measurementIterations(2)
            .measurementTime(TimeValue.milliseconds(300))
            .addProfiler(GCProfiler.class)
            .jvmArgs(
                "--enable-preview",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xms512m",
                "-Xmx512m",
                // Else the operating system hands out the heap while peers are measured.
                "-XX:+AlwaysPreTouch",
                // A platform thread would pay the operating system for each wait, whoever the peer.
                "-Djmh.executor=VIRTUAL")
            .shouldFailOnError(true)
            .output(log.toString());
    if (!question.forks.isEmpty()) {
      options.param("forks", question.forks);
    }
    try {
      RunResult result = new Runner(options.build()).runSingle();
      var bytes = requireNonNull(result.getSecondaryResults().get("gc.alloc.rate.norm"), "bytes");
      return new Figures.Sample(result.getPrimaryResult().getScore(), bytes.getScore());
    } catch (RunnerException e) {
      System.err.print(Files.readString(log));
      throw e;
    } finally {
      Files.delete(log);
    }
  }
}
