package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.ManualClock;
import dev.selvedge.Oracle;
import dev.selvedge.Threads;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A loop on a clock that stands still, whose handler a test sets, and what a test reports to it.
 */
@ExtendWith(Oracle.class)
abstract class HandlerFixture {
  final ManualClock clock = new ManualClock();
  final Threads.Reported reported = new Threads.Reported();
  final Loop loop = Threads.builder().name("orders").clock(clock).build();

  @AfterEach
  void closeLoop() {
    loop.close();
    assertThat(clock.armed()).as("alarms that are left").isZero();
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
