package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import dev.selvedge.testkit.ManualClock;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Failures of children in a loop that reports what stays unread too long. */
class OrphanAfterTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration HOUR = Duration.ofHours(1);

  private final ManualClock clock = new ManualClock();
  private final RecordingHandler reported = new RecordingHandler();
  private final IOException failure = new IOException("first");

  /** Hands its end out, so that others know when it is over. */
  private Body<String, IOException> failing(CountDownLatch done) {
    return () -> {
      Task.current().orElseThrow().onDone(_ -> done.countDown());
      throw failure;
    };
  }

  private Loop.Builder builder() {
    return Threads.builder().clock(clock).orphanAfter(SECOND);
  }

  private static void awaitUninterruptibly(CountDownLatch done) {
    Task.shielded(() -> done.await());
  }

  @Test
  @DisplayName("if the caller is cancelled, what settle would have listed is suppressed")
  void cancelled() throws Exception {
    try (Loop loop = builder().exceptionHandler(reported).build()) {
      var done = new CountDownLatch(1);
      var begun = new CountDownLatch(1);
      Task<List<Outcome<String>>, RuntimeException> caller =
          loop.createTask(() ->
              Gather.<String>settle(
                  failing(done),
                  () -> {
                    begun.countDown();
                    new CountDownLatch(1).await();
                    return "never";
                  }));
      done.await();
      begun.await();

      caller.cancel();

      caller.awaitDone();
      assertThat(caller.outcome())
          .isInstanceOfSatisfying(
              Outcome.Cancelled.class,
              outcome -> assertThat(outcome.exception().failures()).containsExactly(failure));
    }
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("a supervisor reports each failure once, also if it was busy for long")
  void supervisors() throws Exception {
    var second = new IOException("second");
    var go = new CountDownLatch(1);
    var done = new CountDownLatch(1);
    var told = new CountDownLatch(2);
    Supervisor supervisor =
        Supervisor.builder()
            .backoff(Backoff.exponential(HOUR.multipliedBy(9), HOUR.multipliedBy(9)))
            .build()
            .add(
                "a",
                () -> {
                  throw failure;
                })
            .add(
                "b",
                () -> {
                  go.await();
                  Task.current().orElseThrow().onDone(_ -> done.countDown());
                  throw second;
                });
    try (Loop loop =
        builder()
            .exceptionHandler((l, context) -> {
              reported.handle(l, context);
              if (context.exception() == failure) {
                go.countDown();
                awaitUninterruptibly(done);
                clock.advance(HOUR);
              }
              told.countDown();
            })
            .build()) {
      loop.<Exception>runUntilComplete(() -> {
        Task<Void, RestartLimitException> running = loop.createTask(supervisor);
        told.await();
        supervisor.stop();
        running.await();
      });
    }
    assertThat(reported.messages())
        .containsExactly("Supervised task failed", "Supervised task failed");
    assertThat(reported.exceptions()).containsExactly(failure, second);
  }
}
