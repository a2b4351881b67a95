package dev.selvedge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;
import tools.jackson.databind.json.JsonMapper;

class ReportTest {
  private static final String PAGE =
      """
      before
      <!-- figures: written by benchmarks/run --write -->
      old
      <!-- end of figures -->
      after
      """;

  private final Workload workload =
      new Workload(
          "Join & so on",
          ForkJoinBenchmark.class,
          List.of(1, 10, 100),
          List.of("threads", "jdk", "selvedge", "jox"),
          "1g",
          Optional.of(new Workload.Bound("µs", 400)));

  private Results results() {
    var results = new Results(workload);
    double[] drift = {1, 10, 4};
    for (int round = 0; round < drift.length; round++) {
      for (int size : workload.sizes()) {
        double floor = drift[round] * size;
        results.add(size, "threads", Probes.measures("µs", floor, "bytes", 100));
        results.add(size, "jdk", Probes.measures("µs", floor * 3, "bytes", 200));
        results.add(size, "selvedge", Probes.measures("µs", floor * (2 + round), "bytes", 300));
        results.add(size, "jox", Probes.measures("µs", floor * 2, "bytes", 400 + round));
      }
    }
    return results;
  }

  @Test
  void peersAreComparedWithinTheirRound() {
    assertThat(results().table())
        .startsWith(
            """
            | size | peer | µs | / threads | / jdk | / best | bytes |
            |--:|---|--:|--:|--:|--:|--:|
            | 1 | threads | 4.00 | – | 0.33 (0.33–0.33) | 0.50 (0.50–0.50) | 100 |
            | 1 | jdk | 12.0 | 3.00 (3.00–3.00) | – | 1.50 (1.50–1.50) | 200 |
            | 1 | selvedge | 16.0 | 3.00 (2.00–4.00) | 1.00 (0.67–1.33) | 1.50 (1.00–2.00) | 300 |
            | 1 | jox (best) | 8.00 | 2.00 (2.00–2.00) | 0.67 (0.67–0.67) | – | 401 |
            """);
  }

  @Test
  void aPowerIsFittedToHowAPeerGrows() {
    assertThat(results().exponent("jdk").orElseThrow()).isCloseTo(1, within(1e-9));
    var once = new Results(Workload.of("once", TimeoutBenchmark.class, 1));
    assertThat(once.exponent("jdk")).isEqualTo(Optional.empty());
  }

  @Test
  void aRunIsWrittenAsPageChartsAndJson(@TempDir Path directory) throws Exception {
    Path page = Files.writeString(directory.resolve("small.md"), PAGE);
    var report =
        new Report(new Plan("small", List.of(workload)), 3, "a machine", List.of(results()));

    report.write(directory);

    assertThat(page)
        .content()
        .startsWith("before\n")
        .endsWith("after\n")
        .contains("a machine; rounds: 3", "![Join & so on](small-join-so-on.svg)", "| 100 | jox")
        .contains("power of: threads 1.00, jdk 1.00")
        .contains("a µs of at most 400: threads 100, jdk 10, selvedge 10, jox 10.")
        .doesNotContain("old");
    String svg = Files.readString(directory.resolve("small-join-so-on.svg"));
    var chart =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(svg)));
    assertThat(chart.getElementsByTagName("rect").getLength()).isEqualTo(4);
    assertThat(chart.getElementsByTagName("desc").item(0).getTextContent())
        .isEqualTo("threads 400, jdk 1200, selvedge 1600, jox 800");
    assertThat(svg).contains("prefers-color-scheme: dark");
    var json = JsonMapper.shared().readTree(directory.resolve("small.json"));
    assertThat(json.at("/workloads/0/rows/3/peer").asString()).isEqualTo("jox");
    assertThat(json.at("/workloads/0/rows/3/rounds/2/bytes").asDouble()).isEqualTo(402);
  }

  @Test
  void aSummaryTellsHowSelvedgeDoes(@TempDir Path directory) throws Exception {
    Path page = Files.writeString(directory.resolve("costs.md"), PAGE);
    var report =
        new Report(new Plan("small", List.of(workload)), 3, "a machine", List.of(results()));

    report.writeSummary(page);

    assertThat(page)
        .content()
        .contains("| Join & so on 10 | 160 µs | 3.00 | 1.00 | 1.50, jox |")
        .doesNotContain("jdk |");
  }

  @Test
  void onlyTheTextBetweenTheMarkersIsReplaced() {
    assertThat(Report.replace(PAGE, "new\n")).isEqualTo(PAGE.replace("old", "new"));
  }

  @Test
  void aPageWithoutMarkersIsLeftAlone() {
    assertThatIllegalArgumentException().isThrownBy(() -> Report.replace("page", "new"));
  }
}
