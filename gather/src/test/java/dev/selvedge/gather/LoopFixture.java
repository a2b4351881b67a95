package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Oracle;
import dev.selvedge.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;

/** A loop for each test, whose handler remembers what it is told, and a gate that opens at last. */
@ExtendWith(Oracle.class)
abstract class LoopFixture {
  final Threads.Reported reported = new Threads.Reported();
  final Loop loop;
  final Gate gate = new Gate();
  private final boolean mayReport;

  /** For tests in which nothing reaches the handler. */
  LoopFixture() {
    this(false);
  }

  LoopFixture(boolean mayReport) {
    this(mayReport, LoopClock.system());
  }

  LoopFixture(boolean mayReport, LoopClock clock) {
    this.mayReport = mayReport;
    loop = Threads.builder().exceptionHandler(reported).clock(clock).build();
  }

  @AfterEach
  void close() {
    gate.open();
    loop.close();
    if (!mayReport) {
      assertThat(reported.contexts).isEmpty();
    }
  }

  final void inTask(Action<Exception> body) throws Exception {
    loop.<Exception>runUntilComplete(body);
  }

  /** Blocks until it is interrupted; then throws. */
  static Body<String, IOException> failingInCleanUp(CountDownLatch begun, IOException failure) {
    return () -> {
      begun.countDown();
      try {
        Thread.sleep(Duration.ofDays(1));
        return "never";
      } catch (InterruptedException cancelled) {
        throw failure;
      }
    };
  }
}
