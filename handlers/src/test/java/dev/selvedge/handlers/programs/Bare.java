package dev.selvedge.handlers.programs;

import dev.selvedge.Action;
import dev.selvedge.ContextCarrier;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.handlers.Handlers;
import dev.selvedge.handlers.Health;
import dev.selvedge.handlers.Journal;
import dev.selvedge.handlers.Queued;
import dev.selvedge.handlers.RateLimited;
import dev.selvedge.handlers.Watchdog;
import dev.selvedge.handlers.micrometer.LoopMetrics;
import dev.selvedge.handlers.micrometer.MdcCarrier;
import dev.selvedge.handlers.micrometer.ObservationCarrier;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Uses everything, and returns which parts miss something. */
public final class Bare implements Callable<List<String>> {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  @Override
  public List<String> call() throws Exception {
    Health health = Health.create(MINUTE);
    LoopExceptionHandler ignoring = Handlers.ignoring(IOException.class);
    Watchdog watchdog = Watchdog.builder().build();
    try (Queued queued = Queued.create(1, ignoring, Handlers.stderr());
        RateLimited limited = RateLimited.create(MINUTE, Handlers.all(watchdog, queued, health));
        Loop loop =
            Loop.builder()
                .handleSignals(false)
                .exceptionHandler(Handlers.route().otherwise(limited))
                .build()) {
      loop.callExceptionHandler(
          new ExceptionContext("Something happened", new IOException("lost"), null, Map.of()));
    }
    if (health.status().failures() != 1) {
      throw new AssertionError(health);
    }
    var missing = new ArrayList<String>();
    need("slf4j", missing, () -> Slf4jPart.slf4j());
    need("journal", missing, () -> JournalPart.journal());
    need("metrics", missing, () -> MetricsPart.metrics());
    need("observation", missing, () -> ObservationPart.observation());
    need("mdc", missing, () -> MdcPart.mdc());
    return missing;
  }

  private static void need(String part, List<String> missing, Action<Exception> use)
      throws Exception {
    try {
      use.run();
    } catch (NoClassDefFoundError e) {
      if (part.equals("journal")
          && !e.getMessage().contains("needs tools.jackson.core:jackson-databind")) {
        throw e;
      }
      missing.add(part);
    }
  }

  /** Apart, as the others are, so that each is linked only when it is used. */
  private static final class Slf4jPart {
    static void slf4j() {
      Loop loop = Loop.builder().handleSignals(false).build();
      try (loop) {
        Handlers.slf4j(LoggerFactory.getLogger("bare"))
            .handle(loop, new ExceptionContext("Something happened", null, null, Map.of()));
      }
    }
  }

  private static final class JournalPart {
    static void journal() throws IOException {
      Path directory = Files.createTempDirectory("bare");
      Path path = directory.resolve("journal");
      Loop loop = Loop.builder().handleSignals(false).build();
      try (loop;
          Journal journal = Journal.builder(path).open()) {
        journal.handle(loop, new ExceptionContext("m", new IOException("lost"), null, Map.of()));
      } finally {
        Files.deleteIfExists(path);
        Files.deleteIfExists(directory.resolve("journal.lock"));
        Files.delete(directory);
      }
    }
  }

  private static final class MetricsPart {
    static void metrics() throws InterruptedException {
      LoopMetrics metrics = LoopMetrics.create("bare");
      metrics.bindTo(new SimpleMeterRegistry());
      try (Loop loop = Loop.builder().handleSignals(false).listener(metrics).build()) {
        loop.createTask(() -> 1).await();
      }
    }
  }

  private static final class ObservationPart {
    static void observation() throws InterruptedException {
      carry(ObservationCarrier.create());
    }
  }

  private static final class MdcPart {
    static void mdc() throws InterruptedException {
      MDC.put("request", "17");
      carry(MdcCarrier.create());
      MDC.clear();
    }
  }

  private static void carry(ContextCarrier carrier) throws InterruptedException {
    try (Loop loop = Loop.builder().handleSignals(false).carry(carrier).build()) {
      loop.createTask(() -> 1).await();
    }
  }
}
