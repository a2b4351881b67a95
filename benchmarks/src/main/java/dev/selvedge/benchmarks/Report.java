package dev.selvedge.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** A run as a page, as JSON, and as charts. */
final class Report {
  private static final String BEGIN = "<!-- figures: written by benchmarks/run --write -->\n";
  private static final String END = "<!-- end of figures -->\n";

  private final Plan plan;
  private final int rounds;
  private final String machine;
  private final List<Results> all;

  Report(Plan plan, int rounds, String machine, List<Results> all) {
    this.plan = plan;
    this.rounds = rounds;
    this.machine = machine;
    this.all = all;
  }

  String markdown() {
    var text = new StringBuilder(machine + "; rounds: " + rounds + "\n");
    for (Results results : all) {
      text.append("\n### ").append(results.workload().name()).append("\n\n");
      text.append(results.table());
      text.append(growth(results));
      results.workload().bound().ifPresent(bound -> text.append(greatest(results, bound)));
    }
    return text.toString();
  }

  private static String greatest(Results results, Workload.Bound bound) {
    return results.workload().peers().stream()
        .map(peer -> peer + " " + results.greatest(peer, bound))
        .collect(
            Collectors.joining(
                ", ",
                "\nGreatest size with a %s of at most %s: "
                    .formatted(bound.measure(), Results.number(bound.most())),
                ".\n"));
  }

  private static String growth(Results results) {
    if (results.workload().sizes().size() < 3) {
      return "";
    }
    var text = new StringBuilder();
    for (String peer : results.workload().peers()) {
      Optional<Double> exponent = results.exponent(peer);
      text.append(text.isEmpty() ? "\nGrows with the size to the power of: " : ", ")
          .append(peer)
          .append(String.format(Locale.ROOT, " %.2f", exponent.orElseThrow()));
    }
    return text.append(".\n").toString();
  }

  /** Writes page, JSON and charts into a directory; the page has to exist. */
  void write(Path directory) throws IOException {
    Path page = directory.resolve(plan.name() + ".md");
    var text = new StringBuilder(markdown());
    for (Results results : all) {
      String file = chartFile(results);
      Files.writeString(directory.resolve(file), Chart.draw(results));
      String heading = "\n### " + results.workload().name() + "\n\n";
      int at = text.indexOf(heading) + heading.length();
      text.insert(at, "![%s](%s)\n\n".formatted(results.workload().name(), file));
    }
    Files.writeString(page, replace(Files.readString(page), text.toString()));
    Files.writeString(directory.resolve(plan.name() + ".json"), json());
  }

  /** Writes the table for those who decide into a page, which has to exist. */
  void writeSummary(Path page) throws IOException {
    Files.writeString(page, replace(Files.readString(page), summary()));
  }

  private String summary() {
    var text = new StringBuilder(machine + "; rounds: " + rounds + "\n\n");
    text.append("| workload | Selvedge | / threads | / JDK's scope | / best of the others |\n");
    text.append("|---|--:|--:|--:|--:|\n");
    all.forEach(results -> text.append(results.summary()));
    return text.toString();
  }

  private String chartFile(Results results) {
    String words = results.workload().name().toLowerCase(Locale.ROOT).replace("µ", "u");
    return plan.name() + "-" + words.replaceAll("[^a-z0-9]+", "-") + ".svg";
  }

  private String json() {
    var workloads = new ArrayList<Object>();
    for (Results results : all) {
      var rows = new ArrayList<Object>();
      for (Results.Row row : results.rows()) {
        rows.add(Map.of("size", row.size(), "peer", row.peer(), "rounds", row.rounds()));
      }
      workloads.add(Map.of("workload", results.workload().name(), "rows", rows));
    }
    var run = new LinkedHashMap<String, Object>();
    run.put("machine", machine);
    run.put("rounds", rounds);
    run.put("workloads", workloads);
    return JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .build()
            .writeValueAsString(run)
        + "\n";
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
