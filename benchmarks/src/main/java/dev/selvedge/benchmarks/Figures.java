package dev.selvedge.benchmarks;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** What the rounds measured, as a Markdown table. */
final class Figures {
  private static final String BEGIN = "<!-- figures: written by benchmarks/run --write -->\n";
  private static final String END = "<!-- end of figures -->\n";

  /** One operation of one peer, averaged over a round. */
  record Sample(double micros, double bytes) {}

  private final List<String> baselines;

  /** By case, then by peer; one sample a round. */
  private final Map<String, Map<String, List<Sample>>> samples = new LinkedHashMap<>();

  Figures(List<String> baselines) {
    this.baselines = baselines;
  }

  void add(String question, String peer, Sample sample) {
    samples
        .computeIfAbsent(question, _ -> new LinkedHashMap<>())
        .computeIfAbsent(peer, _ -> new ArrayList<>())
        .add(sample);
  }

  /** A row for each peer of each case, in the order of the first samples. */
  String table() {
    var table = new StringBuilder("| case | peer | µs |");
    baselines.forEach(baseline -> table.append(" time / ").append(baseline).append(" |"));
    table
        .append(" bytes |\n|---|---|--:|")
        .append("--:|".repeat(baselines.size() + 1))
        .append('\n');
    samples.forEach((question, peers) ->
        peers.keySet().forEach(peer -> table.append(row(question, peer, peers)).append('\n')));
    return table.toString();
  }

  private String row(String question, String peer, Map<String, List<Sample>> peers) {
    List<Sample> rounds = requireNonNull(peers.get(peer));
    var row = new StringBuilder("| " + question + " | " + peer + " | ");
    row.append(number(median(rounds.stream().mapToDouble(Sample::micros)))).append(" | ");
    for (String name : baselines) {
      List<Sample> baseline = peers.get(name);
      row.append(baseline == null || peer.equals(name) ? "–" : ratio(rounds, baseline));
      row.append(" | ");
    }
    long bytes = Math.round(median(rounds.stream().mapToDouble(Sample::bytes)));
    return row.append(bytes).append(" |").toString();
  }

  /** Median, least and greatest of the quotients of each round. */
  private static String ratio(List<Sample> rounds, List<Sample> baseline) {
    double[] ratios =
        IntStream.range(0, rounds.size())
            .mapToDouble(round -> rounds.get(round).micros / baseline.get(round).micros)
            .sorted()
            .toArray();
    return String.format(
        Locale.ROOT,
        "%.2f (%.2f–%.2f)",
        median(DoubleStream.of(ratios)),
        ratios[0],
        ratios[ratios.length - 1]);
  }

  /** Three significant digits. */
  private static String number(double value) {
    int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  private static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** The page with new figures between its two markers. */
  static String replace(String page, String figures) {
    int begin = page.indexOf(BEGIN);
    int end = page.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException("the page lacks the markers of its figures");
    }
    return page.substring(0, begin + BEGIN.length()) + figures + page.substring(end);
  }
}
