package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Limits inside of limits, and inside of shields. */
@ExtendWith(Oracle.class)
class TimeoutNestedTest {
  private static final Duration SHORT = Duration.ofMillis(10);
  private static final Duration LONG = Duration.ofDays(1);
  private static final int SWEEPS = Threads.times(Threads.PLATFORM ? 200 : 500);
  private final AtomicReference<Throwable> outOfInner = new AtomicReference<>();
  private final AtomicReference<Timeout> outer = new AtomicReference<>();
  private final AtomicReference<Timeout> inner = new AtomicReference<>();
  private final ConcurrentLinkedQueue<String> trace = new ConcurrentLinkedQueue<>();

  @AfterEach
  void noInterruptIsLeftBehind() {
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  private static void block() throws InterruptedException {
    Thread.sleep(60_000);
  }

  /** Runs a body in two limits and notes what comes out of the inner one. */
  private void nest(Duration outerLimit, Duration innerLimit, Action<Exception> body)
      throws Exception {
    Timeout.<Object, Exception>within(
        outerLimit,
        around -> {
          outer.set(around);
          try {
            return Timeout.<Object, Exception>within(
                innerLimit,
                within -> {
                  inner.set(within);
                  body.run();
                  return null;
                });
          } catch (Exception e) {
            outOfInner.set(e);
            throw e;
          }
        });
  }

  @Test
  @DisplayName("the inner limit is shorter: it throws, and the outer one knows nothing of it")
  void theInnerIsShorter() throws Exception {
    String value =
        Timeout.within(
            LONG,
            around -> {
              outer.set(around);
              assertThatThrownBy(() -> Timeout.within(SHORT, () -> block()))
                  .isInstanceOf(TimeoutException.class)
                  .hasMessageContaining("PT0.01S");
              Thread.sleep(1);
              return "went on";
            });

    assertThat(value).isEqualTo("went on");
    assertThat(outer.get().expired()).isFalse();
  }

  @Test
  @DisplayName("the inner limit's TimeoutException passes the outer one unchanged")
  void theInnerPassesTheOuter() {
    assertThatThrownBy(() -> nest(LONG, SHORT, () -> block()))
        .isSameAs(outOfInner.get())
        .hasMessageContaining("PT0.01S")
        .hasNoSuppressedExceptions();
    assertThat(inner.get().expired()).isTrue();
    assertThat(outer.get().expired()).isFalse();
  }

  @Test
  @DisplayName("the outer limit is shorter: a cancellation passes the inner one")
  void theOuterIsShorter() {
    assertThatThrownBy(() -> nest(SHORT, LONG, () -> block()))
        .isInstanceOf(TimeoutException.class)
        .hasMessageContaining("PT0.01S")
        .cause()
        .isSameAs(outOfInner.get());
    assertThat(outOfInner.get()).isExactlyInstanceOf(InterruptedException.class);
    assertThat(inner.get().expired()).isFalse();
    assertThat(outer.get().expired()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("TMO-14: both are due: a cancellation passes the inner one, the outer one throws")
  void bothAreDue(boolean innerFirst) {
    assertThatThrownBy(() ->
            nest(
                LONG,
                LONG.plusDays(1),
                () -> {
                  (innerFirst ? inner : outer).get().reschedule(Instant.MIN);
                  (innerFirst ? outer : inner).get().reschedule(Instant.MIN);
                  block();
                }))
        .isInstanceOf(TimeoutException.class)
        .cause()
        .isSameAs(outOfInner.get());
    assertThat(outOfInner.get()).isExactlyInstanceOf(InterruptedException.class);
    assertThat(inner.get().expired()).isTrue();
    assertThat(outer.get().expired()).isTrue();
  }

  @Test
  @DisplayName("TMO-14: limits that are past at entry: the outermost throws")
  void bothArePastAtEntry() {
    assertThatThrownBy(() -> nest(Duration.ZERO, Duration.ofSeconds(-1), Task::checkCancelled))
        .isInstanceOf(TimeoutException.class)
        .hasMessageContaining("PT0S")
        .cause()
        .isSameAs(outOfInner.get());
    assertThat(outOfInner.get()).isExactlyInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("TMO-14: of three that are due the outermost throws; nothing is left on the task")
  void threeAreDue() throws Exception {
    Threads.run(
        new Threads.Reported(),
        loop -> {
          assertThatThrownBy(() ->
                  Timeout.within(
                      LONG,
                      outermost -> {
                        nest(
                            LONG,
                            LONG,
                            () -> {
                              inner.get().reschedule(Instant.MIN);
                              outermost.reschedule(Instant.MIN);
                              outer.get().reschedule(Instant.MIN);
                              block();
                            });
                        return null;
                      }))
              .isInstanceOf(TimeoutException.class)
              .cause()
              .isSameAs(outOfInner.get());
          assertThat(outOfInner.get()).isExactlyInstanceOf(InterruptedException.class);
          assertThat(Task.current().orElseThrow().cancelRequests()).isZero();
          Thread.sleep(1);
          return null;
        });
  }

  @Test
  @Tag("race")
  @DisplayName("TMO-14: due at the same instant: whichever comes first, the outer one throws")
  void dueAtTheSameInstant() {
    for (int i = 0; i < SWEEPS; i++) {
      Instant due = Instant.now().plusNanos(200_000 + 1000L * (i % 100));
      boolean innerFirst = i % 2 == 0;
      assertThatThrownBy(() ->
              Timeout.<Object, InterruptedException>within(
                  LONG,
                  around -> {
                    try {
                      Timeout.<Object, InterruptedException>within(
                          LONG,
                          within -> {
                            inner.set(within);
                            (innerFirst ? within : around).reschedule(due);
                            (innerFirst ? around : within).reschedule(due);
                            block();
                            return null;
                          });
                    } catch (TimeoutException e) {
                      // It ended before the outer one was due; that one is due now.
                      assertThat(inner.get().expired()).isTrue();
                    }
                    block();
                    return null;
                  }))
          .isInstanceOf(TimeoutException.class)
          .hasMessageContaining("not done by " + due);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }
  }

  @Test
  @DisplayName("a different exception out of two expired limits takes one timeout along")
  void aDifferentExceptionThroughBoth() {
    var failure = new IOException("different");

    assertThatThrownBy(() ->
            nest(
                Duration.ZERO,
                Duration.ZERO,
                () -> {
                  throw failure;
                }))
        .isSameAs(failure);
    assertThat(Suppressed.in(failure)).singleElement().isInstanceOf(TimeoutException.class);
  }

  @Test
  @DisplayName("TMO-15: a limit inside of the clean-up of an expired one works on its own")
  void aLimitInsideOfTheCleanUp() {
    assertThatThrownBy(() ->
            Timeout.within(
                SHORT,
                () -> {
                  try {
                    block();
                  } finally {
                    assertThatThrownBy(() -> Timeout.within(Duration.ofMillis(5), () -> block()))
                        .isInstanceOf(TimeoutException.class)
                        .hasMessageContaining("PT0.005S");
                    trace.add("cleaned");
                  }
                }))
        .isInstanceOf(TimeoutException.class)
        .hasMessageContaining("PT0.01S");
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("TMO-15: a limit that is not reached inside of the clean-up leaves no trace")
  void aLimitThatIsNotReachedInsideOfTheCleanUp() {
    assertThatThrownBy(() ->
            Timeout.within(
                SHORT,
                () -> {
                  try {
                    block();
                  } finally {
                    Timeout.within(LONG, () -> Thread.sleep(1));
                    trace.add("cleaned");
                  }
                }))
        .isInstanceOf(TimeoutException.class)
        .hasMessageContaining("PT0.01S");
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("a limit around a shield is seen after the shield")
  void aroundAShield() {
    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                around -> {
                  Task.shielded(() -> {
                    around.reschedule(Instant.MIN);
                    assertThat(around.expired()).isTrue();
                    assertThat(Thread.currentThread().isInterrupted()).isFalse();
                    Thread.sleep(1);
                    trace.add("cleaned");
                  });
                  assertThat(Thread.currentThread().isInterrupted()).isTrue();
                  Task.checkCancelled();
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class);
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("a limit that is reached in a shield at the end of the body leaves no interrupt")
  void aShieldAtTheEnd() throws Exception {
    String value =
        Timeout.within(
            LONG,
            around ->
                Task.shielded(() -> {
                  around.reschedule(Instant.MIN);
                  return "value";
                }));

    assertThat(value).isEqualTo("value");
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  @DisplayName("TRIO-05: shielded clean-up with a limit of its own, after a limit: both throw")
  void shieldedCleanUpWithALimit() {
    assertThatThrownBy(() ->
            Timeout.within(
                SHORT,
                () -> {
                  try {
                    block();
                  } finally {
                    Task.shielded(() ->
                        assertThatThrownBy(
                                () -> Timeout.within(Duration.ofMillis(5), () -> block()))
                            .isInstanceOf(TimeoutException.class)
                            .hasMessageContaining("PT0.005S"));
                    trace.add("cleaned");
                  }
                }))
        .isInstanceOf(TimeoutException.class)
        .hasMessageContaining("PT0.01S");
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("TRIO-05: a limit in a shield is not disturbed by the one around that comes first")
  void aLimitInAShieldIsItsOwn() {
    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                around -> {
                  Task.shielded(() ->
                      assertThatThrownBy(() ->
                              Timeout.within(
                                  LONG,
                                  within -> {
                                    around.reschedule(Instant.MIN);
                                    assertThat(Thread.currentThread().isInterrupted()).isFalse();
                                    within.reschedule(Instant.now().plus(SHORT));
                                    block();
                                    return "never";
                                  }))
                          .as("the limit around is beyond the shield, so the one within throws")
                          .isInstanceOf(TimeoutException.class));
                  trace.add("cleaned");
                  block();
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class);
    assertThat(trace).containsExactly("cleaned");
  }

  @Test
  @DisplayName("TRIO-05: a cancelled task cleans up in a shield with a limit, then ends cancelled")
  void aCancelledTaskCleansUp() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      Task<Void, Exception> task =
          loop.createTask(() -> {
            try {
              block();
            } finally {
              Task.shielded(() -> {
                Timeout.within(LONG, () -> Thread.sleep(1));
                trace.add("flushed");
                assertThatThrownBy(() -> Timeout.within(SHORT, () -> block()))
                    .isInstanceOf(TimeoutException.class);
                trace.add("gave up");
              });
            }
          });
      Gate.awaitBlocked(task);
      task.cancel("outside");

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outside");
    }
    assertThat(trace).containsExactly("flushed", "gave up");
  }
}
