package dev.selvedge.handlers.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StemsTest {
  @ParameterizedTest
  @CsvSource({
    "fetch, fetch",
    "fetch-17, fetch",
    "fetch 18, fetch",
    "page:4/12, page:4",
    "order #4711, order",
    "http2 client, http2 client",
    "poller3, poller",
    "ends-, ends-",
    "'', task",
    "4711, task",
    "-1, task",
    "größe_9, größe"
  })
  @DisplayName("the stem of a name has no number at its end")
  void stems(String name, String stem) {
    assertThat(Stems.stem(name)).isEqualTo(stem);
  }
}
