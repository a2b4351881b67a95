package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The timeout that its body is handed: asking it, and moving it. */
@ExtendWith(Oracle.class)
class TimeoutRescheduleTest {
  private static final Duration SHORT = Duration.ofMillis(20);
  private static final Duration LONG = Duration.ofDays(1);
  private final AtomicReference<Timeout> handle = new AtomicReference<>();

  @AfterEach
  void noInterruptIsLeftBehind() {
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  private static Instant past() {
    return Instant.now().minusSeconds(1);
  }

  @Test
  @DisplayName("when() is the moment at which the limit is reached")
  void when() throws Exception {
    Instant before = Instant.now();
    Instant when = Timeout.<Instant, RuntimeException>within(LONG, Timeout::when);

    assertThat(when).isBetween(before.plus(LONG), Instant.now().plus(LONG));
  }

  @Test
  @DisplayName("moved to later, it does not expire when it would have")
  void toLater() throws Exception {
    var passed = new CountDownLatch(1);
    Instant later = Instant.now().plus(LONG);

    String value =
        Timeout.within(
            SHORT,
            timeout -> {
              handle.set(timeout);
              timeout.reschedule(later);
              // The same timer thread comes to it after what it had to do at the first limit.
              var unused = Timers.schedule(passed::countDown, SHORT.plusMillis(1));
              passed.await();
              assertThat(timeout.when()).isEqualTo(later);
              return "value";
            });

    assertThat(value).isEqualTo("value");
    assertThat(handle.get().expired()).isFalse();
    assertThat(Timers.armed()).isZero();
  }

  @Test
  @DisplayName("moved to earlier, it expires earlier, and says so")
  void toEarlier() {
    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                timeout -> {
                  handle.set(timeout);
                  timeout.reschedule(Instant.now().plus(SHORT));
                  Thread.sleep(60_000);
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class)
        .hasMessageContaining(handle.get().when().toString());
    assertThat(handle.get().expired()).isTrue();
  }

  @Test
  @DisplayName("moved into the past, it expires at once")
  void intoThePast() {
    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                timeout -> {
                  handle.set(timeout);
                  timeout.reschedule(past());
                  assertThat(timeout.expired()).isTrue();
                  assertThat(Thread.currentThread().isInterrupted()).isTrue();
                  Task.checkCancelled();
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class);
    assertThat(Timers.armed()).isZero();
  }

  @Test
  @DisplayName("moved into the past by another thread, it expires at once")
  void intoThePastByAnotherThread() throws Exception {
    var inside = new CountDownLatch(1);
    Thread other =
        Thread.ofVirtual()
            .start(() -> {
              try {
                inside.await();
                handle.get().reschedule(past());
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });

    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                timeout -> {
                  handle.set(timeout);
                  inside.countDown();
                  Thread.sleep(60_000);
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class);
    other.join();
  }

  @Test
  @DisplayName("moved to the end of time and back, it expires as if never moved")
  void toTheEndOfTimeAndBack() {
    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                timeout -> {
                  timeout.reschedule(Instant.MAX);
                  assertThat(timeout.when()).isEqualTo(Instant.MAX);
                  timeout.reschedule(Instant.now().plus(SHORT));
                  Thread.sleep(60_000);
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class);
  }

  @Test
  @DisplayName("moved to the beginning of time, it expires at once")
  void toTheBeginningOfTime() {
    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                timeout -> {
                  timeout.reschedule(Instant.MIN);
                  Thread.sleep(60_000);
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class);
  }

  @Test
  @DisplayName("however often it is moved, one timer is armed, and none after the body")
  void movedOften() throws Exception {
    Timeout.within(
        LONG,
        timeout -> {
          for (int i = 0; i < 1000; i++) {
            timeout.reschedule(Instant.now().plus(LONG).plusSeconds(i));
            assertThat(Timers.armed()).isOne();
          }
          return null;
        });

    assertThat(Timers.armed()).isZero();
  }

  @Test
  @DisplayName("a child of the body may move the limit")
  void movedByAChild() throws Exception {
    String value =
        Timeout.within(
            Duration.ofMinutes(1),
            timeout -> {
              handle.set(timeout);
              try (var scope = TaskScope.<RuntimeException>open()) {
                var unused = scope.fork(() -> timeout.reschedule(Instant.MAX));
                scope.join();
              }
              return "value";
            });

    assertThat(value).isEqualTo("value");
    assertThat(handle.get().when()).isEqualTo(Instant.MAX);
  }

  @Test
  @DisplayName("TMO-17: after the end of the body it cannot be moved")
  void movedAfterTheEnd() throws Exception {
    Timeout.within(
        LONG,
        timeout -> {
          handle.set(timeout);
          return null;
        });
    Instant when = handle.get().when();

    assertThatIllegalStateException()
        .isThrownBy(() -> handle.get().reschedule(Instant.MAX))
        .withMessageContaining("ended");
    assertThatIllegalStateException().isThrownBy(() -> handle.get().reschedule(past()));

    assertThat(handle.get().when()).isEqualTo(when);
    assertThat(handle.get().expired()).isFalse();
    assertThat(handle.get()).asString().contains("ended");
    assertThat(Timers.armed()).isZero();
  }

  @Test
  @DisplayName("TMO-17: after it has expired it cannot be moved, neither in the body nor later")
  void movedAfterExpiry() {
    assertThatThrownBy(() ->
            Timeout.within(
                Duration.ZERO,
                timeout -> {
                  handle.set(timeout);
                  assertThatIllegalStateException()
                      .isThrownBy(() -> timeout.reschedule(Instant.MAX))
                      .withMessageContaining("expired");
                  assertThatIllegalStateException().isThrownBy(() -> timeout.reschedule(past()));
                  Task.checkCancelled();
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class);

    assertThatIllegalStateException()
        .isThrownBy(() -> handle.get().reschedule(Instant.MAX))
        .withMessageContaining("ended");
    assertThat(handle.get()).asString().contains("expired");
    assertThat(Timers.armed()).isZero();
  }

  @Test
  @DisplayName("TMO-17: while a computing body does not notice that it has expired: not either")
  void movedWhileExpiring() throws Exception {
    String value =
        Timeout.within(
            Duration.ofNanos(1),
            timeout -> {
              while (!timeout.expired()) {
                Thread.onSpinWait();
              }
              assertThatIllegalStateException()
                  .isThrownBy(() -> timeout.reschedule(Instant.MAX))
                  .withMessageContaining("expired");
              return "value";
            });

    assertThat(value).isEqualTo("value");
  }

  @Test
  @DisplayName("a null deadline is named, and moves nothing")
  void aNullDeadline() throws Exception {
    Timeout.within(
        LONG,
        timeout -> {
          Instant when = timeout.when();
          assertThatNullPointerException()
              .isThrownBy(() -> timeout.reschedule(null))
              .withMessage("deadline");
          assertThat(timeout.when()).isEqualTo(when);
          return null;
        });
  }

  @Test
  @DisplayName("deadline() follows when it is moved")
  void deadlineFollows() throws Exception {
    Instant later = Instant.now().plus(LONG);
    var seen = new CompletableFuture<Instant>();
    Timeout.within(
        Duration.ofHours(1),
        timeout -> {
          assertThat(Timeout.deadline()).contains(timeout.when());
          timeout.reschedule(later);
          return seen.complete(Timeout.deadline().orElseThrow());
        });

    assertThat(seen).isCompletedWithValue(later);
    assertThat(Timeout.deadline()).isEmpty();
  }
}
