package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Loop;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The examples of the Javadoc. */
class SamplesTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private static final Logger LOG = LoggerFactory.getLogger("samples");

  @TempDir Path directory;

  private static void work() {}

  @Test
  @DisplayName("Handlers")
  void handlers() {
    // @start region="handlers"
    var handler =
        Handlers.route()
            .exception(CancellationException.class, (loop, context) -> {}) // not worth a line
            .task("price poller", Handlers.slf4j(LoggerFactory.getLogger("prices")))
            .otherwise(Handlers.all(Handlers.slf4j(LOG), Handlers.stderr()));
    try (Loop loop = Loop.builder().exceptionHandler(handler).build()) {
      loop.launch(() -> work());
    }
    // @end
  }

  @Test
  @DisplayName("Health")
  void health() {
    // @start region="health"
    // Down after three failures within a minute, up again when a minute has had none.
    Health health = Health.create(3, Duration.ofMinutes(1), Duration.ofMinutes(1));
    var handler = Handlers.all(Handlers.slf4j(LOG), health);
    // ... and where the probe asks:
    int status = health.isUp() ? 200 : 503;
    // @end
    assertThat(handler).isNotNull();
    assertThat(status).isEqualTo(200);
  }

  @Test
  @DisplayName("Queued")
  void queued() {
    // @start region="queued"
    try (Queued handler =
            Queued.create(1_000, (loop, context) -> page(context), Handlers.stderr());
        Loop loop = Loop.builder().exceptionHandler(handler).build()) {
      loop.launch(() -> work());
    } // first the loop ends, then the queue is drained
    // @end
  }

  private static void page(Object unused) {}

  @Test
  @DisplayName("RateLimited")
  void rateLimited() {
    // @start region="rate-limited"
    try (RateLimited handler = RateLimited.create(Duration.ofMinutes(1), Handlers.slf4j(LOG));
        Loop loop = Loop.builder().exceptionHandler(handler).build()) {
      loop.launch(() -> work());
    } // reports what it has counted
    // @end
  }

  @Test
  @DisplayName("Watchdog")
  void watchdog() {
    // @start region="watchdog"
    Watchdog watchdog =
        Watchdog.builder()
            .failures(100, Duration.ofMinutes(1)) // besides an OutOfMemoryError
            .grace(Duration.ofSeconds(10))
            .exitCode(70)
            .build();
    var handler = Handlers.all(Handlers.slf4j(LOG), watchdog);
    // @end
    assertThat(handler).isNotNull();
  }

  @Test
  @DisplayName("Journal")
  void journal() throws IOException {
    Path path = directory.resolve("failures.jsonl");
    // @start region="journal"
    try (Journal journal = Journal.builder(path).maxSize(1 << 20).keep(9).open();
        Loop loop = Loop.builder().exceptionHandler(journal).build()) {
      loop.launch(() -> work());
    }
    try (Stream<Journal.Entry> entries = Journal.read(path)) {
      entries.forEach(entry -> System.out.println(entry.time() + " " + entry.message()));
    }
    // @end
    assertThat(path).exists();
  }
}
