package dev.selvedge.handlers.programs;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.handlers.Handlers;
import dev.selvedge.handlers.Health;
import dev.selvedge.handlers.Journal;
import dev.selvedge.handlers.Queued;
import dev.selvedge.handlers.RateLimited;
import dev.selvedge.handlers.Watchdog;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;

/** Uses what needs neither SLF4J nor Jackson, and then what does. Returns what went wrong there. */
public final class Bare implements Callable<String> {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  @Override
  public String call() {
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
    return health.status().failures() + " failure, " + missing();
  }

  private static String missing() {
    try {
      return String.valueOf(Journal.builder(Path.of("none", "journal")));
    } catch (NoClassDefFoundError e) {
      return e.getMessage();
    }
  }
}
