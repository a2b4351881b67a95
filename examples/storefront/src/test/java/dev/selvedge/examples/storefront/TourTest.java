package dev.selvedge.examples.storefront;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@code examples/storefront/run --tour} says. */
class TourTest {
  private final ByteArrayOutputStream text = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8);

  private String said() {
    return text.toString(StandardCharsets.UTF_8);
  }

  @Test
  void everythingReachesSomebody() throws Exception {
    assertThat(Tour.walk(out, List.of(), Tour.ALL)).as(this::said).isZero();
    assertThat(said())
        .contains(
            "A page",
            "The price backend fails",
            "The stock backend hangs",
            "The recommendations fail",
            "One mirror",
            "The price list",
            "Work in the background",
            "goes away",
            "SIGTERM");
  }

  @Test
  void aDeliveryThatDoesNotHappenIsMissed() throws Exception {
    // So that one failure does not make the service unhealthy.
    List<String> arguments = List.of("--selvedge.health.failures=1000");
    assertThat(Tour.walk(out, arguments, List.of(Tour::workInTheBackground))).isEqualTo(1);
    assertThat(said()).contains("  MISSING  health is down", "1 missing");
  }
}
