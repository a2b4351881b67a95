package dev.selvedge.gather;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A loop for each test, whose handler remembers what it is told, and a gate that opens at last. */
abstract class LoopFixture {
  @RegisterExtension final SelvedgeExtension selvedge;

  final Gate gate = new Gate();
  Loop loop;
  RecordingHandler reported;

  /** For tests in which nothing reaches the handler. */
  LoopFixture() {
    this(Kit.extension());
  }

  LoopFixture(SelvedgeExtension selvedge) {
    this.selvedge = selvedge;
  }

  @BeforeEach
  final void take(Loop loop, RecordingHandler reported) {
    this.loop = loop;
    this.reported = reported;
  }

  @AfterEach
  void open() {
    gate.open();
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
