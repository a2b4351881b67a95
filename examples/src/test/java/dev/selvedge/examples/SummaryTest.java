package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.examples.Progress.Failure;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SummaryTest {
  @Test
  void namesFilesBytesSpeedAndFailures() {
    var figures = new Figures(7, true, 4, 1, 0, 0, 12_500_000, Duration.ofMillis(2500));
    var summary =
        new Summary(
            Summary.End.COMPLETE, figures, List.of(new Failure("org/a.jar", "no such file")));

    assertThat(lines(summary))
        .containsExactly(
            "FAILED org/a.jar: no such file",
            "5 files checked, 12500000 bytes in 2.5 s (5.0 MB/s), 1 failure");
  }

  @Test
  void saysWhatWasCancelled() {
    var figures = new Figures(70, false, 1, 0, 3, 0, 10, Duration.ofSeconds(1));

    assertThat(new Summary(Summary.End.INTERRUPTED, figures, List.of()).total())
        .isEqualTo(
            "interrupted: 1 file checked, 10 bytes in 1.0 s (0.0 MB/s), 0 failures,"
                + " 3 cancelled half-way");
  }

  @Test
  void namesAreEscaped() {
    var figures = new Figures(1, true, 0, 1, 0, 0, 0, Duration.ZERO);
    var failure = new Failure("\u001b]0;title\u0007.jar", "line\nbreak");

    assertThat(lines(new Summary(Summary.End.COMPLETE, figures, List.of(failure))))
        .first()
        .isEqualTo("FAILED \\u001b]0;title\\u0007.jar: line\\nbreak");
  }

  @Test
  void listsFailuresByNameAndCountsThoseThatAreNotKept() {
    var progress = new Progress();
    Stream.of("b", "a").forEach(name -> progress.failed(name, new NoSuchFileException(name)));
    for (int i = 0; i < Progress.KEPT_FAILURES; i++) {
      progress.failed("c" + i, new NoSuchFileException("c"));
    }

    assertThat(lines(Summary.of(Summary.End.COMPLETE, progress)))
        .hasSize(Progress.KEPT_FAILURES + 2)
        .startsWith("FAILED a: a: no such file", "FAILED b: b: no such file")
        .contains("FAILED 2 more");
  }

  private static List<String> lines(Summary summary) {
    var text = new StringWriter();
    summary.print(new PrintWriter(text));
    return text.toString().lines().toList();
  }
}
