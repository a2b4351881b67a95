package dev.selvedge.testkit;

import static dev.selvedge.testkit.SelvedgeAssertions.assertThat;
import static dev.selvedge.testkit.SelvedgeAssertions.expectOrphan;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.CancelReason;
import dev.selvedge.CancelReason.Source;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SelvedgeExtension.class)
class SelvedgeAssertionsTest {
  private final CountDownLatch gate = new CountDownLatch(1);
  private final IOException failure = new FileNotFoundException("no such order");

  private Task<String, RuntimeException> success;
  private Task<String, IOException> failed;
  private Task<Void, RuntimeException> cancelled;
  private Task<Void, RuntimeException> running;

  @BeforeEach
  void tasks(Loop loop) {
    success = loop.createTask("good", () -> "value");
    failed =
        loop.createTask(
            "bad",
            () -> {
              throw failure;
            });
    running = loop.createTask("running", () -> gate.await());
    cancelled = loop.createTask("cancelled", () -> gate.await());
    cancelled.cancel(new CancelReason(Source.NOT_NEEDED, "enough", null));
  }

  private void end() {
    failed.ignoreFailure();
    gate.countDown();
  }

  private static AssertionError refused(ThrowingCallable assertion) {
    Throwable thrown = catchThrowable(assertion);
    assertThat(thrown).isExactlyInstanceOf(AssertionError.class);
    return (AssertionError) thrown;
  }

  @Test
  void howATaskEnds() {
    assertThat(success).succeeded().succeededWith("value").isDone().hasName("good");
    assertThat(success).value().isEqualTo("value");
    assertThat(failed).failedWith(IOException.class).hasMessage("no such order");
    assertThat(failed).failedWith(failure);
    assertThat(failed).failed().isSameAs(failure);
    assertThat(cancelled)
        .isCancelled()
        .wasCancelledBecause(Source.NOT_NEEDED)
        .wasCancelledBecause(Source.NOT_NEEDED, "enough")
        .hasCancelRequests(1);
    assertThat(running).isBlocked().isRunning().hasCancelRequests(0);
    end();
    assertThat(running).endsWithin(Duration.ofSeconds(Long.MAX_VALUE)).succeededWith(null);
  }

  @Test
  void whatIsRefusedShowsTheTask() {
    assertThat(refused(() -> assertThat(success).failedWith(IOException.class)))
        .hasMessageContaining("Task[good, id=")
        .hasMessageContaining("finished, result=")
        .hasMessageContaining("to have ended with\n  a failure of the type java.io.IOException");
    assertThat(refused(() -> assertThat(success).succeededWith("other")))
        .hasMessageContaining("the value other");
    assertThat(refused(() -> assertThat(success).isCancelled()))
        .hasMessageContaining("a cancellation");
    assertThat(refused(() -> assertThat(success).isRunning()))
        .hasMessageContaining("to be running");
    assertThat(refused(() -> assertThat(success).hasName("better")))
        .hasMessageContaining("to have the name\n  better");
    assertThat(refused(() -> assertThat(failed).succeeded()))
        .hasMessageContaining("exception=java.io.FileNotFoundException: no such order")
        .hasCause(failure);
    assertThat(refused(() -> assertThat(failed).failedWith(IllegalStateException.class)))
        .hasCause(failure);
    assertThat(refused(() -> assertThat(failed).failedWith(new IOException("another"))))
        .hasMessageContaining("this very failure: java.io.IOException: another");
    assertThat(refused(() -> assertThat(failed).isCancelled())).hasCause(failure);
    assertThat(refused(() -> assertThat(cancelled).succeeded())).hasMessageContaining("a success");
    assertThat(refused(() -> assertThat(cancelled).failed()))
        .hasMessageContaining("a failure of the type java.lang.Throwable");
    assertThat(refused(() -> assertThat(cancelled).wasCancelledBecause(Source.TIMEOUT)))
        .hasMessageContaining("a cancellation because of TIMEOUT, but the reason is")
        .hasMessageContaining("NOT_NEEDED");
    assertThat(
            refused(() ->
                assertThat(cancelled).wasCancelledBecause(Source.NOT_NEEDED, "something else")))
        .hasMessageContaining("enough");
    assertThat(refused(() -> assertThat(running).isDone())).hasMessageContaining("to be done");
    assertThat(refused(() -> assertThat(running).hasCancelRequests(1)))
        .hasMessageContaining("to have 1 cancel requests, but it has 0");
    assertThat(refused(() -> assertThat(running).endsWithin(Duration.ofMillis(1))))
        .hasMessageContaining("Task[running, id=")
        .hasMessageContaining("but it did not within PT0.001S");
    assertThat(refused(() -> assertThat(running).as("the order").isDone()))
        .hasMessageContaining("[the order]");
    Thread.currentThread().interrupt();
    assertThat(refused(() -> assertThat(running).succeeded()))
        .hasMessageContaining("the waiting was interrupted")
        .hasCauseInstanceOf(InterruptedException.class);
    assertThat(Thread.interrupted()).isTrue();
    end();
  }

  @Test
  void outcomes() {
    assertThat(new Outcome.Success<>(1)).succeeded().succeededWith(1);
    assertThat(new Outcome.Failure<Integer>(failure)).failedWith(IOException.class);
    assertThat(cancelled).isCancelled();
    assertThat(cancelled.outcome()).isCancelled().wasCancelledBecause(Source.NOT_NEEDED);
    assertThat(refused(() -> assertThat((Outcome<Integer>) null).succeeded()))
        .hasMessageContaining("not to be null");
    end();
  }

  @Test
  void anOrphanThatDoesNotComeIsSaid(Loop loop, RecordingHandler handler) throws Exception {
    loop.launch(() -> {
      throw new IllegalStateException("something else");
    });
    handler.patience = Duration.ofMillis(100);
    assertThat(refused(() -> expectOrphan(IllegalArgumentException.class)))
        .hasMessageContaining(
            "java.lang.IllegalArgumentException did not reach the exception handler within PT0.1S,"
                + " but:\n  Task exception was never retrieved: java.lang.IllegalStateException:"
                + " something else, of Task[")
        .satisfies(error -> assertThat(error.getSuppressed()).hasSize(1));
    assertThat(expectOrphan(RuntimeException.class)).hasMessage("something else");
    assertThat(handler.unexpected()).isEmpty();
    end();
  }

  @Test
  void expectOrphanNeedsAHandlerThatRecords(Loop loop) throws Exception {
    loop.setExceptionHandler((_, _) -> {});
    assertThatThrownBy(() -> expectOrphan(IOException.class))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is no RecordingHandler");
    end();
  }
}
