package dev.selvedge.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.handlers.Handlers;
import dev.selvedge.handlers.Health;
import dev.selvedge.handlers.Journal;
import dev.selvedge.handlers.Queued;
import dev.selvedge.handlers.RateLimited;
import dev.selvedge.handlers.Watchdog;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.helpers.NOPLogger;

/** The samples of handlers.md. */
@Timeout(30)
class HandlerSamplesTest {
  private final Logger log = NOPLogger.NOP_LOGGER;
  private final Logger prices = log;
  private final Logger warnings = log;
  private final List<String> lines = new CopyOnWriteArrayList<>();

  @TempDir private Path directory;

  /** What was reported. */
  private final class Reports {
    void add(Loop unused, ExceptionContext context) {
      lines.add(context.message());
    }
  }

  private final Reports reports = new Reports();

  private void page(Loop unused, ExceptionContext context) {
    lines.add("paged: " + context.message());
  }

  private static void failOnce(Loop loop) throws InterruptedException {
    var begun = new CountDownLatch(1);
    loop.launch(
        "price poller",
        () -> {
          begun.countDown();
          throw new IOException("no prices");
        });
    begun.await();
  }

  private static void failManyTimes(Loop loop) throws InterruptedException {
    for (int i = 0; i < 42; i++) {
      failOnce(loop);
    }
  }

  private void serve(Health health) throws InterruptedException {
    failOnce(Loop.current());
    while (health.isUp()) {
      Thread.onSpinWait();
    }
    lines.add("down");
  }

  @Test
  void aServer() throws Exception {
    // @start region="server"
    try (Journal journal = Journal.builder(directory.resolve("failures.jsonl")).open();
        RateLimited logged = RateLimited.create(Duration.ofMinutes(1), Handlers.slf4j(log))) {
      Health health = Health.create(Duration.ofMinutes(5));
      Watchdog watchdog = Watchdog.builder().failures(1_000, Duration.ofMinutes(1)).build();
      var handler = Handlers.all(journal, logged, health, watchdog);
      try (Loop loop = Loop.builder().exceptionHandler(handler).build()) {
        loop.runUntilComplete(() -> serve(health));
      }
    }
    // @end
    assertThat(lines).containsExactly("down");
    read(directory.resolve("failures.jsonl"));
    assertThat(lines).containsExactly("down", "price poller: no prices");
  }

  private void read(Path path) throws IOException {
    // @start region="read"
    try (Stream<Journal.Entry> entries = Journal.read(path)) {
      entries
          .filter(entry -> entry.exception() != null)
          .forEach(entry -> lines.add(entry.task().name() + ": " + entry.exception().message()));
    }
    // @end
  }

  @Test
  void ownHandler() throws Exception {
    var bytes = new ByteArrayOutputStream();
    var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    try (Loop loop = Loop.create()) {
      // @start region="own"
      loop.setExceptionHandler((of, context) -> {
        out.println("selvedge: " + context.message());
        if (context.exception() != null) { // a warning has none
          context.exception().printStackTrace(out);
        }
      });
      // @end
      loop.runUntilComplete(() -> failOnce(loop));
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .startsWith("selvedge: Task exception was never retrieved")
        .contains("java.io.IOException: no prices\n\tat ");
  }

  @Test
  void route() {
    // @start region="route"
    LoopExceptionHandler handler =
        Handlers.route()
            .exception(EOFException.class, (of, context) -> {}) // clients go away
            .task("price poller", Handlers.slf4j(prices))
            .when(context -> context.exception() == null, Handlers.slf4j(warnings))
            .otherwise(Handlers.stderr());
    // @end
    try (Loop loop = Loop.builder().exceptionHandler(handler).build()) {
      assertThat(loop.getExceptionHandler()).contains(handler);
    }
  }

  @Test
  void aStorm() throws Exception {
    // @start region="storm"
    try (RateLimited limited = RateLimited.create(Duration.ofMinutes(1), reports::add);
        Loop loop = Loop.builder().exceptionHandler(limited::handle).build()) {
      loop.runUntilComplete(() -> failManyTimes(loop));
    }
    // @end
    assertThat(lines).hasSize(2);
    assertThat(lines.getLast()).startsWith("41 times more: java.io.IOException at ");
  }

  @Test
  void aQueue() throws Exception {
    // @start region="queued"
    try (Queued queued = Queued.create(1_000, this::page, Handlers.stderr());
        Loop loop = Loop.builder().exceptionHandler(queued).build()) {
      loop.runUntilComplete(() -> failOnce(loop));
    }
    // @end
    assertThat(lines).containsExactly("paged: Task exception was never retrieved");
  }

  @Test
  void health() throws Exception {
    try (Loop loop = Loop.create()) {
      // @start region="health"
      Health health = Health.create(3, Duration.ofMinutes(1), Duration.ofMinutes(5));
      loop.setExceptionHandler(Handlers.all(Handlers.slf4j(log), health));
      // @end
      loop.runUntilComplete(() -> failOnce(loop));
      assertThat(health.isUp()).isTrue();
    }
  }

  @Test
  void watchdog() {
    // @start region="watchdog"
    Watchdog watchdog =
        Watchdog.builder()
            .failures(100, Duration.ofMinutes(1))
            .fatal(OutOfMemoryError.class, LinkageError.class)
            .grace(Duration.ofSeconds(10))
            .exitCode(70)
            .build();
    // @end
    assertThat(watchdog).isNotNull();
  }
}
