package dev.selvedge.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ExceptionContext;
import dev.selvedge.handlers.micrometer.LoopMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The table of handlers.md against the code. */
class ReportsTest {
  private static final Pattern IN_CODE =
      Pattern.compile(
          "(?:new ExceptionContext|warn)\\(\\s*\"([A-Z][^\"]+)\"(.*?)\\);", Pattern.DOTALL);
  private static final Pattern KEY_IN_CODE = Pattern.compile("\"(\\w+)\",");
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `([A-Z][^`]+)` \\|[^|]*\\|([^|]*)\\|[^|]*\\|$");
  private static final Pattern KEY_IN_ROW = Pattern.compile("`(\\w+)`");

  private static Set<String> keys(Pattern pattern, String text) {
    var keys = new TreeSet<String>();
    pattern.matcher(text).results().map(match -> match.group(1)).forEach(keys::add);
    return keys;
  }

  private static Map<String, Set<String>> inCode() throws IOException {
    var reports = new TreeMap<String, Set<String>>();
    for (Path file : Repository.mainSources()) {
      for (MatchResult report : IN_CODE.matcher(Repository.read(file)).results().toList()) {
        reports
            .computeIfAbsent(report.group(1), message -> new TreeSet<>())
            .addAll(keys(KEY_IN_CODE, report.group(2)));
      }
    }
    return reports;
  }

  @Test
  @DisplayName("every report that the code makes is in the table, with its details, and no other")
  void messagesAndDetails() throws IOException {
    var table = new TreeMap<String, Set<String>>();
    String page = Repository.read(Repository.ROOT.resolve("docs/guide/handlers.md"));
    for (MatchResult row : ROW.matcher(page).results().toList()) {
      table.put(row.group(1), keys(KEY_IN_ROW, row.group(2)));
    }

    assertThat(table).isEqualTo(inCode()).hasSizeGreaterThan(15);
  }

  @Test
  @DisplayName("every report that a listener hears of has a count of its own in the meters")
  void meters() throws IOException {
    Set<String> heard = new TreeSet<>();
    for (Path file : Repository.mainSources()) {
      if (!file.startsWith(Repository.ROOT.resolve("handlers"))) {
        heard.addAll(keys(IN_CODE, Repository.read(file)));
      }
    }
    heard.removeAll(List.of("Exception in a listener", "Exception in the exception handler"));

    var registry = new SimpleMeterRegistry();
    LoopMetrics metrics = LoopMetrics.create("reports");
    metrics.bindTo(registry);
    for (String message : heard) {
      metrics.reported(new ExceptionContext(message, null, null, Map.of()));
    }
    assertThat(registry.find("selvedge.reports").meters())
        .extracting(meter -> meter.getId().getTag("message"))
        .containsExactlyInAnyOrderElementsOf(heard)
        .hasSizeGreaterThan(10);
  }
}
