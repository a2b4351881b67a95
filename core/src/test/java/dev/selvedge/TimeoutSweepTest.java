package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@link Sweep}s of limits in time: a manual clock rings in a thread that is a side. */
@Tag("race")
@ExtendWith(Oracle.class)
class TimeoutSweepTest {
  private static final Duration LIMIT = Duration.ofSeconds(1);

  private final Threads.Reported reported = new Threads.Reported();
  private final ManualClock clock = new ManualClock();

  private Loop loop() {
    return Threads.builder().exceptionHandler(reported).clock(clock).build();
  }

  private FutureTask<?> startTimer(Sweep sweep) {
    return sweep.start(
        "timer",
        () -> {
          clock.advance(LIMIT);
          return null;
        });
  }

  /** What a body does, by the number of the round: returns, looks, waits, fails. */
  private static String body(Sweep sweep) throws IOException, InterruptedException {
    Points.reach("body");
    switch ((int) (sweep.number() % 4)) {
      case 0 -> {}
      case 1 -> Task.checkCancelled();
      case 2 -> new CountDownLatch(1).await();
      default -> throw new IOException("body");
    }
    return "value";
  }

  @Test
  @DisplayName("sweep, TMO-02: timeout against completion: the result agrees, no interrupt is left")
  void timeoutAgainstCompletion() throws Exception {
    try (Loop loop = loop()) {
      Sweep.play(
          List.of("body", "timer"),
          sweep -> {
            var timer = new AtomicReference<@Nullable FutureTask<?>>();
            var timeout = new AtomicReference<@Nullable Timeout>();
            Task<@Nullable Throwable, Exception> body =
                loop.createTask(
                    "body",
                    () -> {
                      Throwable thrown =
                          catchThrowable(() ->
                              Timeout.<String, Exception>within(
                                  LIMIT,
                                  around -> {
                                    timeout.set(around);
                                    timer.set(startTimer(sweep));
                                    return body(sweep);
                                  }));
                      Points.reach("next");
                      Points.reach("after");
                      assertThat(Thread.interrupted()).as("interrupt after the end").isFalse();
                      return thrown;
                    });
            Throwable thrown = body.await();
            timer.get().get();

            boolean expired = timeout.get().expired();
            switch ((int) (sweep.number() % 4)) {
              case 0 -> assertThat(thrown).isNull();
              case 1 -> {
                if (thrown != null) {
                  assertThat(thrown).isInstanceOf(TimeoutException.class);
                  assertThat(expired).isTrue();
                }
              }
              case 2 -> assertThat(thrown).isInstanceOf(TimeoutException.class);
              default -> {
                assertThat(thrown).isInstanceOf(IOException.class);
                assertThat(Suppressed.in(thrown)).hasSize(expired ? 1 : 0);
              }
            }
            assertThat(clock.armed()).isZero();
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep: timeout against outside cancellation: that comes once and is never lost")
  void timeoutAgainstOutsideCancellation() throws Exception {
    try (Loop loop = loop()) {
      Sweep.play(
          List.of("body", "timer", "canceller"),
          sweep -> {
            var timer = new AtomicReference<@Nullable FutureTask<?>>();
            var canceller = new AtomicReference<@Nullable FutureTask<Boolean>>();
            var task = new AtomicReference<@Nullable Task<?, ?>>();
            var known = new CountDownLatch(1);
            Task<Void, Exception> body =
                loop.createTask(
                    "body",
                    () -> {
                      known.await();
                      Throwable thrown =
                          catchThrowable(() ->
                              Timeout.<String, Exception>within(
                                  LIMIT,
                                  () -> {
                                    timer.set(startTimer(sweep));
                                    canceller.set(
                                        sweep.start("canceller", () -> task.get().cancel()));
                                    return body(sweep);
                                  }));
                      boolean came = thrown instanceof InterruptedException;
                      boolean pending = isSeenWhen(canceller.get());
                      assertThat(came ^ pending)
                          .as("thrown %s, pending afterwards %s", thrown, pending)
                          .isTrue();
                      assertThat(Task.current().orElseThrow().uncancel()).isZero();
                      boolean mayTimeOut = sweep.number() % 4 == 1 || sweep.number() % 4 == 2;
                      assertThat(thrown instanceof TimeoutException && !mayTimeOut).isFalse();
                    });
            task.set(body);
            known.countDown();
            body.await();
            assertThat(canceller.get().get()).isTrue();
            timer.get().get();
            assertThat(clock.armed()).isZero();
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  /** Whether an interrupt is or becomes pending before the side has ended. */
  private static boolean isSeenWhen(FutureTask<?> side) {
    boolean interrupted = false;
    while (!side.isDone()) {
      // Blocked, so that the turn of this side goes to others.
      LockSupport.parkNanos(10_000);
      interrupted |= Thread.interrupted();
    }
    return interrupted | Thread.interrupted();
  }

  @Test
  @DisplayName("sweep: waitFor's limit against the end of its task: the value is never lost")
  void waitForAgainstCompletion() throws Exception {
    try (Loop loop = loop()) {
      Sweep.play(
          List.of("waiter", "timer", "task"),
          sweep -> {
            Task<String, RuntimeException> task =
                loop.createTask(
                    "task",
                    () -> {
                      Points.reach("body");
                      return "value";
                    });
            Task<@Nullable Throwable, RuntimeException> waiter =
                loop.createTask("waiter", () -> catchThrowable(() -> Timeout.waitFor(task, LIMIT)));
            FutureTask<?> timer = startTimer(sweep);
            Throwable thrown = waiter.await();
            timer.get();

            assertThat(task.isDone()).isTrue();
            assertThat(thrown != null).isEqualTo(task.isCancelled());
            if (thrown != null) {
              assertThat(thrown).isInstanceOf(TimeoutException.class);
            }
            // The watch over a cancelled task ends with its thread.
            clock.awaitArmed(0);
          });
    }
    assertThat(reported.contexts).isEmpty();
  }
}
