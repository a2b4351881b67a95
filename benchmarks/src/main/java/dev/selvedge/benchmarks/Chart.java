package dev.selvedge.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * The first measure of a workload at its greatest size, a bar for each peer, as SVG: with a text
 * for those who do not see it, and colours that follow the reader's light or dark theme.
 */
final class Chart {
  private static final int WIDTH = 640;
  private static final int NAMES = 150;
  private static final int VALUES = 80;
  private static final int LINE = 24;
  private static final int TOP = 36;

  private Chart() {}

  static String draw(Results results) {
    int size = results.workload().sizes().getLast();
    String measure = results.measures().getFirst();
    List<Results.Row> rows = results.rows().stream().filter(row -> row.size() == size).toList();
    double greatest = rows.stream().mapToDouble(row -> row.median(measure)).max().orElseThrow();
    int height = TOP + rows.size() * LINE + 8;

    var svg = new StringBuilder();
    svg.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">
        <title id="title">%s</title>
        <desc id="desc">%s</desc>
        <style>
        text { font: 13px sans-serif; fill: #1f2328; }
        .name, .value { dominant-baseline: middle; }
        .name { text-anchor: end; }
        .ours { fill: #0969da; }
        .peer { fill: #8c959f; }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; }
        .ours { fill: #4493f8; }
        .peer { fill: #6e7681; }
        }
        </style>
        """
            .formatted(WIDTH, height, title(results, size), description(rows, measure)));
    svg.append("<text x=\"8\" y=\"20\">%s</text>\n".formatted(title(results, size)));
    for (int i = 0; i < rows.size(); i++) {
      Results.Row row = rows.get(i);
      double value = row.median(measure);
      double length = Math.max(1, value / greatest * (WIDTH - NAMES - VALUES));
      int y = TOP + i * LINE;
      svg.append(
          String.format(
              Locale.ROOT,
              """
              <text class="name" x="%d" y="%d">%s</text>
              <rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>
              <text class="value" x="%.1f" y="%d">%s</text>
              """,
              NAMES - 8,
              y + LINE / 2,
              escaped(row.peer()),
              Workload.isOurs(row.peer()) ? "ours" : "peer",
              NAMES,
              y + 3,
              length,
              LINE - 6,
              NAMES + length + 6,
              y + LINE / 2,
              Results.number(value)));
    }
    return svg.append("</svg>\n").toString();
  }

  private static String title(Results results, int size) {
    return escaped(
        "%s, size %d: %s, shorter is better"
            .formatted(results.workload().name(), size, results.measures().getFirst()));
  }

  private static String description(List<Results.Row> rows, String measure) {
    var text = new StringBuilder();
    for (Results.Row row : rows) {
      text.append(text.isEmpty() ? "" : ", ")
          .append(row.peer())
          .append(' ')
          .append(Results.number(row.median(measure)));
    }
    return escaped(text.toString());
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
