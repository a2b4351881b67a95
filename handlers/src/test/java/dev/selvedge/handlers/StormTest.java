package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Threads;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many threads fail at once, in as many loops as share a handler; every failure is accounted for.
 */
@Tag("race")
class StormTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private static final int THREADS = 64;
  private static final int LOOPS = 4;
  private static final int EACH = Threads.PLATFORM ? 3 : 20;
  private static final int FAILURES = THREADS * EACH;
  private static final Duration HOUR = Duration.ofHours(1);

  private final AtomicInteger seen = new AtomicInteger();
  private final LoopExceptionHandler counting = (_, _) -> seen.incrementAndGet();

  /** Reports from all threads at once; to a handler of one's own each loop calls one at a time. */
  private static void storm(LoopExceptionHandler handler) throws InterruptedException {
    var loops = new ArrayList<Loop>();
    for (int i = 0; i < LOOPS; i++) {
      loops.add(Threads.builder().exceptionHandler(handler).build());
    }
    var ready = new CountDownLatch(THREADS);
    var ended = new CountDownLatch(THREADS * EACH);
    for (int i = 0; i < THREADS; i++) {
      Loop loop = loops.get(i % LOOPS);
      loop.launch(
          "storm",
          () -> {
            ready.countDown();
            ready.await();
            for (int n = 0; n < EACH; n++) {
              loop.launch(
                  "failing",
                  () -> {
                    ended.countDown();
                    throw new IOException("one of many");
                  });
            }
          });
    }
    ended.await();
    loops.forEach(Loop::close);
  }

  @Test
  @DisplayName("all and route: each handler gets each failure")
  void composed() throws Exception {
    storm(
        Handlers.all(
            counting,
            Handlers.route().exception(IOException.class, counting).otherwise(counting),
            Handlers.ignoring(IOException.class, counting)));
    assertThat(seen).hasValue(2 * FAILURES);
  }

  @Test
  @DisplayName("slf4j: an event for each failure")
  void slf4j() throws Exception {
    var logging = new LoggerContext();
    var appender =
        new AppenderBase<ILoggingEvent>() {
          @Override
          protected void append(ILoggingEvent event) {
            seen.incrementAndGet();
          }
        };
    Logger logger = logging.getLogger("failures");
    logger.addAppender(appender);
    appender.start();
    storm(Handlers.slf4j(logger));
    assertThat(seen).hasValue(FAILURES);
  }

  @Test
  @DisplayName("RateLimited: the first, and a count of the others")
  void rateLimited() throws Exception {
    var counts = new ArrayList<ExceptionContext>();
    try (RateLimited limited = RateLimited.create(HOUR, (_, context) -> counts.add(context))) {
      storm(limited);
    }
    assertThat(counts).hasSize(2);
    assertThat(counts.getLast().details()).containsEntry("count", FAILURES - 1);
  }

  @Test
  @DisplayName("RateLimited with windows that end all the time: nothing is silently gone")
  void shortWindows() throws Exception {
    var total = new AtomicInteger();
    LoopExceptionHandler adding =
        (_, context) -> total.addAndGet((int) context.details().getOrDefault("count", 1));
    try (RateLimited limited = RateLimited.create(Duration.ofNanos(50_000), adding)) {
      storm(limited);
    }
    assertThat(total).hasValue(FAILURES);
  }

  @Test
  @DisplayName("Queued: what finds no room falls back")
  void queued() throws Exception {
    var fallen = new AtomicInteger();
    try (Queued queued = Queued.create(16, counting, (_, _) -> fallen.incrementAndGet())) {
      storm(queued);
    }
    assertThat(seen.get() + fallen.get()).isEqualTo(FAILURES);
  }

  @Test
  @DisplayName("Journal: a line for each failure")
  void journal(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("journal");
    try (Journal journal =
        Journal.builder(path).maxSize(100_000).keep(1_000).forceEvery(HOUR).open()) {
      storm(journal);
    }
    try (Stream<Journal.Entry> entries = Journal.read(path)) {
      assertThat(entries).hasSize(FAILURES);
    }
  }

  @Test
  @DisplayName("Health counts each; Watchdog ends the process once")
  void watchers() throws Exception {
    Health health = Health.create(FAILURES, HOUR, HOUR);
    var exits = new CountDownLatch(1);
    var exitCodes = new ArrayList<Integer>();
    var watchdog =
        new Watchdog(
            Watchdog.builder().failures(FAILURES, HOUR).grace(Duration.ofMillis(1)),
            code -> {
              exitCodes.add(code);
              exits.countDown();
            },
            _ -> {});
    storm(Handlers.all(health, watchdog));
    exits.await();
    assertThat(health.status().failures()).isEqualTo(FAILURES);
    assertThat(health.isUp()).isFalse();
    assertThat(exitCodes).containsExactly(70);
  }

  @Test
  @DisplayName("handlers that throw are each called nevertheless, for each failure")
  void throwing() throws Exception {
    var fallen = new AtomicInteger();
    LoopExceptionHandler broken =
        (_, _) -> {
          seen.incrementAndGet();
          throw new IllegalStateException("broken");
        };
    LoopExceptionHandler all = Handlers.all(broken, broken, broken);
    try (Queued queued = Queued.create(FAILURES, all, (_, _) -> fallen.incrementAndGet())) {
      storm(queued);
    }
    assertThat(seen).hasValue(3 * FAILURES);
    assertThat(fallen).as("each report, and what was thrown").hasValue(2 * FAILURES);
  }

  @Test
  @DisplayName("nothing is lost if all handlers are put together")
  void together(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("journal");
    List<String> messages = new ArrayList<>();
    try (Journal journal = Journal.builder(path).forceEvery(HOUR).open();
        RateLimited limited =
            RateLimited.create(HOUR, (_, context) -> messages.add(context.message()));
        Queued queued = Queued.create(FAILURES, limited, Handlers.stderr())) {
      Health health = Health.create(HOUR);
      storm(Handlers.all(journal, health, queued));
      assertThat(health.status().failures()).isEqualTo(FAILURES);
    }
    assertThat(messages).hasSize(2);
    try (Stream<Journal.Entry> entries = Journal.read(path)) {
      assertThat(entries).hasSize(FAILURES);
    }
  }
}
