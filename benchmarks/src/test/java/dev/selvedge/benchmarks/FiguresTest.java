package dev.selvedge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.selvedge.benchmarks.Figures.Sample;
import java.util.List;
import org.junit.jupiter.api.Test;

class FiguresTest {
  @Test
  void peersAreComparedWithinTheirRound() {
    var figures = new Figures(List.of("threads"));

    double[] drift = {1, 10, 4};
    double[] factor = {2, 3, 2.5};
    for (int round = 0; round < drift.length; round++) {
      figures.add("Join 10", "threads", new Sample(drift[round], 100));
      figures.add("Join 10", "selvedge", new Sample(drift[round] * factor[round], 200 + round));
    }

    assertThat(figures.table())
        .isEqualTo(
            """
            | case | peer | µs | time / threads | bytes |
            |---|---|--:|--:|--:|
            | Join 10 | threads | 4.00 | – | 100 |
            | Join 10 | selvedge | 10.0 | 2.50 (2.00–3.00) | 201 |
            """);
  }

  @Test
  void onlyTheTextBetweenTheMarkersIsReplaced() {
    String page =
        """
        before
        <!-- figures: written by benchmarks/run --write -->
        old
        <!-- end of figures -->
        after
        """;

    String written = Figures.replace(page, "new\n");

    assertThat(written).isEqualTo(page.replace("old", "new"));
  }

  @Test
  void aPageWithoutMarkersIsLeftAlone() {
    assertThatIllegalArgumentException().isThrownBy(() -> Figures.replace("page", "new"));
  }
}
