package dev.selvedge.benchmarks;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * What the rounds of one workload measured.
 *
 * <p>Peers are compared within a round only, by the first measure, and what is reported is the
 * median of the rounds: a machine's speed drifts.
 */
final class Results {
  /** What one peer measured at one size: the measures of each round. */
  record Row(int size, String peer, List<Map<String, Double>> rounds) {
    double median(String measure) {
      return Results.median(rounds.stream().mapToDouble(round -> round.get(measure)));
    }
  }

  /** How a peer compares to another: the median of the rounds' quotients, least and greatest. */
  record Ratio(double median, double least, double greatest) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%.2f (%.2f–%.2f)", median, least, greatest);
    }
  }

  private final Workload workload;
  private final List<Row> rows = new ArrayList<>();

  Results(Workload workload) {
    this.workload = workload;
    for (int size : workload.sizes()) {
      for (String peer : workload.peers()) {
        rows.add(new Row(size, peer, new ArrayList<>()));
      }
    }
  }

  Workload workload() {
    return workload;
  }

  List<Row> rows() {
    return rows;
  }

  void add(int size, String peer, Map<String, Double> measures) {
    row(size, peer).orElseThrow().rounds.add(measures);
  }

  /** The names of the measures, the one that peers are compared by first. */
  List<String> measures() {
    return List.copyOf(new LinkedHashMap<>(rows.getFirst().rounds.getFirst()).keySet());
  }

  private Optional<Row> row(int size, String peer) {
    return rows.stream().filter(row -> row.size == size && row.peer.equals(peer)).findAny();
  }

  /** Who is the best at a size among some peers. */
  Optional<Row> best(int size, Predicate<String> peers) {
    String measure = measures().getFirst();
    return rows.stream()
        .filter(row -> row.size == size && peers.test(row.peer))
        .min((a, b) -> Double.compare(a.median(measure), b.median(measure)));
  }

  Ratio ratio(Row row, Row baseline) {
    String measure = measures().getFirst();
    double[] ratios =
        IntStream.range(0, row.rounds.size())
            .mapToDouble(round ->
                requireNonNull(row.rounds.get(round).get(measure))
                    / requireNonNull(baseline.rounds.get(round).get(measure)))
            .sorted()
            .toArray();
    return new Ratio(median(DoubleStream.of(ratios)), ratios[0], ratios[ratios.length - 1]);
  }

  /** A row for each peer at each size. */
  String table() {
    List<String> measures = measures();
    List<String> baselines =
        Workload.BASELINES.stream().filter(workload.peers()::contains).toList();
    boolean rivals = workload.peers().stream().filter(Workload::isRival).count() > 1;
    var table = new StringBuilder("| size | peer | " + measures.getFirst() + " |");
    baselines.forEach(baseline -> table.append(" / ").append(baseline).append(" |"));
    table.append(rivals ? " / best |" : "");
    measures.stream().skip(1).forEach(measure -> table.append(' ').append(measure).append(" |"));
    int numbers = measures.size() + baselines.size() + (rivals ? 1 : 0);
    table.append("\n|--:|---|").append("--:|".repeat(numbers)).append('\n');
    for (Row row : rows) {
      Optional<Row> best = best(row.size, Workload::isRival);
      boolean isBest = rivals && best.filter(row::equals).isPresent();
      table
          .append("| " + row.size + " | " + row.peer + (isBest ? " (best)" : "") + " | ")
          .append(number(row.median(measures.getFirst())))
          .append(" | ");
      for (String baseline : baselines) {
        table.append(against(row, row(row.size, baseline))).append(" | ");
      }
      table.append(rivals ? against(row, best) + " | " : "");
      measures.stream()
          .skip(1)
          .forEach(measure -> table.append(number(row.median(measure))).append(" | "));
      table.setLength(table.length() - 1);
      table.append('\n');
    }
    return table.toString();
  }

  /** How we do at each size: a row of a table with the columns of {@link Report}'s summary. */
  String summary() {
    String measure = measures().getFirst();
    var text = new StringBuilder();
    for (Row row : rows) {
      if (!row.peer.equals("selvedge")) {
        continue;
      }
      Optional<Row> best = best(row.size, Workload::isRival);
      text.append("| ")
          .append(workload.name())
          .append(workload.sizes().size() > 1 ? " " + row.size : "")
          .append(" | ")
          .append(number(row.median(measure)) + " " + measure)
          .append(" | ")
          .append(medianAgainst(row, row(row.size, "threads")))
          .append(" | ")
          .append(medianAgainst(row, row(row.size, "jdk")))
          .append(" | ")
          .append(medianAgainst(row, best))
          .append(best.map(rival -> ", " + rival.peer).orElse(""))
          .append(" |\n");
    }
    return text.toString();
  }

  private String medianAgainst(Row row, Optional<Row> baseline) {
    return baseline
        .map(other -> String.format(Locale.ROOT, "%.2f", ratio(row, other).median))
        .orElse("–");
  }

  private String against(Row row, Optional<Row> baseline) {
    return baseline
        .filter(other -> !other.equals(row))
        .map(other -> ratio(row, other).toString())
        .orElse("–");
  }

  /**
   * How the first measure of a peer grows with the size: the exponent of the power that fits best,
   * by least squares of the logarithms. Empty if there are fewer than three sizes.
   */
  Optional<Double> exponent(String peer) {
    List<Row> own = rows.stream().filter(row -> row.peer.equals(peer)).toList();
    if (own.size() < 3) {
      return Optional.empty();
    }
    String measure = measures().getFirst();
    double[] x = own.stream().mapToDouble(row -> Math.log(row.size)).toArray();
    double[] y = own.stream().mapToDouble(row -> Math.log(row.median(measure))).toArray();
    double meanX = DoubleStream.of(x).average().orElseThrow();
    double meanY = DoubleStream.of(y).average().orElseThrow();
    double covariance = 0;
    double variance = 0;
    for (int i = 0; i < x.length; i++) {
      covariance += (x[i] - meanX) * (y[i] - meanY);
      variance += (x[i] - meanX) * (x[i] - meanX);
    }
    return Optional.of(covariance / variance);
  }

  /** The greatest size up to which a peer keeps within a bound, by the medians; 0 if at none. */
  int greatest(String peer, Workload.Bound bound) {
    return rows.stream()
        .filter(row -> row.peer.equals(peer))
        .takeWhile(row -> row.median(bound.measure()) <= bound.most())
        .mapToInt(Row::size)
        .max()
        .orElse(0);
  }

  /** Three significant digits, or all of them before the point. */
  static String number(double value) {
    double size = Math.abs(value);
    int decimals = size < 10 ? 2 : size < 100 ? 1 : 0;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  private static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
