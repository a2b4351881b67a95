package dev.selvedge.handlers;

import static org.awaitility.Awaitility.await;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.testkit.ManualClock;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A loop on a clock that stands still, whose handler a test sets, and what a test reports to it.
 */
abstract class HandlerFixture {
  @RegisterExtension
  final SelvedgeExtension selvedge =
      Kit.builder()
          .loop(loop -> Kit.onThreads(loop).name("orders"))
          .clock(ManualClock::new)
          .build();

  final RecordingHandler reported = new RecordingHandler();
  ManualClock clock;
  Loop loop;

  @BeforeEach
  final void take(Loop loop, ManualClock clock) {
    this.loop = loop;
    this.clock = clock;
    loop.setExceptionHandler(null);
  }

  /** Lets a task fail whose failure nobody awaits; returns when the handler has returned. */
  final void fail(String task, Exception failure) {
    fail(loop, task, failure);
  }

  static void fail(Loop loop, String task, Exception failure) {
    loop.launch(
        task,
        () -> {
          throw failure;
        });
    await().until(() -> loop.snapshot().roots().getFirst().children().isEmpty());
  }

  static ExceptionContext context(@Nullable Throwable exception) {
    return new ExceptionContext("Something happened", exception, null, Map.of());
  }

  static ExceptionContext failure(String message) {
    return context(new IOException(message));
  }

  /** Throws the same at each call. */
  static LoopExceptionHandler throwing(RuntimeException thrown) {
    return (_, _) -> {
      throw thrown;
    };
  }
}
