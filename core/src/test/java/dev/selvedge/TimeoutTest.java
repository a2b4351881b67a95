package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.Pipe;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A limit around a body, in a task and in a thread that is none. */
@ExtendWith(Oracle.class)
class TimeoutTest {
  private static final Duration SHORT = Duration.ofMillis(10);
  private static final Duration LONG = Duration.ofDays(1);
  private final Threads.Reported reported = new Threads.Reported();
  private final AtomicReference<Timeout> timeout = new AtomicReference<>();
  private final AtomicReference<Throwable> inBody = new AtomicReference<>();

  @AfterEach
  void noInterruptIsLeftBehind() {
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertThat(reported.contexts).isEmpty();
  }

  private void blockInBody() throws InterruptedException {
    try {
      Thread.sleep(60_000);
    } catch (InterruptedException e) {
      inBody.set(e);
      throw e;
    }
  }

  private static void spinUntilExpired(Timeout timeout) {
    while (!timeout.expired()) {
      Thread.onSpinWait();
    }
  }

  private void assertTimesOut() {
    assertThatThrownBy(() ->
            Timeout.within(
                SHORT,
                limit -> {
                  timeout.set(limit);
                  blockInBody();
                  return "never";
                }))
        .isExactlyInstanceOf(TimeoutException.class)
        .hasMessageContaining("PT0.01S")
        .hasNoSuppressedExceptions()
        .extracting(Throwable::getCause)
        .isSameAs(inBody.get())
        .isExactlyInstanceOf(InterruptedException.class);
    assertThat(timeout.get().expired()).isTrue();
  }

  // ---- the limit is reached

  @Test
  @DisplayName("TMO-01: a waiting body is ended by the limit; its cancellation is the cause")
  void aWaitingBodyIsEnded() throws Exception {
    assertTimesOut();

    Thread.sleep(1);
  }

  @Test
  @DisplayName("TMO-01: the same in a task: no request is left on it, and later waits work")
  void aWaitingBodyInATaskIsEnded() throws Exception {
    Threads.run(
        reported,
        loop -> {
          assertTimesOut();

          Task<?, ?> self = Task.current().orElseThrow();
          assertThat(self.cancelRequests()).isZero();
          assertThat(self.cancelReason()).isEmpty();
          Thread.sleep(1);
          return null;
        });
  }

  @Test
  @DisplayName("TMO-01: what ended the body says that the limit was reached")
  void theInterruptSaysWhy() {
    assertThatThrownBy(() ->
            Timeout.within(
                Duration.ZERO,
                () -> {
                  Task.checkCancelled();
                }))
        .hasRootCauseInstanceOf(InterruptedException.class)
        .rootCause()
        .hasMessageContaining("TIMEOUT")
        .hasMessageContaining("PT0S");
  }

  @Test
  @DisplayName("TMO-01: a body blocked in a channel is ended by the limit too")
  void aBodyInAChannelIsEnded() throws Exception {
    Pipe pipe = Pipe.open();
    try (var sink = pipe.sink();
        var source = pipe.source()) {
      assertThatThrownBy(() -> Timeout.within(SHORT, () -> source.read(ByteBuffer.allocate(1))))
          .isExactlyInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(ClosedByInterruptException.class);
      assertThat(sink.isOpen()).isTrue();
    }
  }

  @Test
  @DisplayName("TMO-03: a body that catches the interrupt and returns has no timeout")
  void aBodyThatSwallows() throws Exception {
    String value =
        Timeout.within(
            SHORT,
            limit -> {
              timeout.set(limit);
              assertThatThrownBy(this::blockInBody).isInstanceOf(InterruptedException.class);
              return "value";
            });

    assertThat(value).isEqualTo("value");
    assertThat(timeout.get().expired()).isTrue();
    Thread.sleep(1);
  }

  @Test
  @DisplayName("TMO-03: in a task that swallows, no request and no interrupt is left")
  void aTaskThatSwallows() throws Exception {
    Threads.run(
        reported,
        loop -> {
          aBodyThatSwallows();
          assertThat(Task.current().orElseThrow().cancelRequests()).isZero();
          return null;
        });
  }

  @Test
  @DisplayName("TMO-04: a different exception comes out as it is, the timeout suppressed in it")
  void aDifferentException() {
    var failure = new IOException("different");

    assertThatThrownBy(() ->
            Timeout.within(
                SHORT,
                () -> {
                  try {
                    blockInBody();
                  } catch (InterruptedException e) {
                    throw failure;
                  }
                }))
        .isSameAs(failure);
    assertThat(Suppressed.in(failure))
        .singleElement()
        .isInstanceOf(TimeoutException.class)
        .asString()
        .contains("PT0.01S");
  }

  @Test
  @DisplayName("TMO-04: an Error comes out as it is, the timeout suppressed in it")
  void anError() {
    var failure = new AssertionError("different");

    assertThatThrownBy(() ->
            Timeout.within(
                Duration.ZERO,
                () -> {
                  throw failure;
                }))
        .isSameAs(failure);
    assertThat(Suppressed.in(failure)).singleElement().isInstanceOf(TimeoutException.class);
  }

  @Test
  @DisplayName("TMO-04: an exception that is thrown again and again takes one timeout along")
  void aSharedException() {
    var failure = new IOException("shared");

    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() ->
              Timeout.within(
                  Duration.ZERO,
                  () -> {
                    throw failure;
                  }))
          .isSameAs(failure);
    }

    assertThat(Suppressed.in(failure)).hasSize(1);
  }

  @Test
  @DisplayName("TMO-04: an exception that refuses suppression comes out all the same")
  void anExceptionWithoutSuppression() {
    var failure = new Exception("stackless", null, false, false) {};

    assertThatThrownBy(() ->
            Timeout.within(
                Duration.ZERO,
                () -> {
                  throw failure;
                }))
        .isSameAs(failure);
  }

  @Test
  @DisplayName("TMO-11: a body that computes past the limit and ends without a wait: its value")
  void aComputingBody() throws Exception {
    String value =
        Timeout.within(
            SHORT,
            limit -> {
              timeout.set(limit);
              spinUntilExpired(limit);
              while (!Thread.currentThread().isInterrupted()) {
                Thread.onSpinWait();
              }
              return "value";
            });

    assertThat(value).isEqualTo("value");
    assertThat(timeout.get().expired()).isTrue();
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  // ---- the body ends first

  @Test
  @DisplayName("TMO-02: a body that ends first withdraws the timer, which never fires")
  void aBodyThatEndsFirst() throws Exception {
    String value =
        Timeout.within(
            LONG,
            limit -> {
              timeout.set(limit);
              assertThat(Timers.armed()).isOne();
              assertThat(limit.expired()).isFalse();
              return "value";
            });

    assertThat(value).isEqualTo("value");
    assertThat(Timers.armed()).isZero();
    assertThat(timeout.get().expired()).isFalse();
  }

  @Test
  @DisplayName("TMO-02: a body that fails first withdraws the timer too")
  void aBodyThatFailsFirst() {
    var failure = new IOException("first");

    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                () -> {
                  throw failure;
                }))
        .isSameAs(failure);
    assertThat(Timers.armed()).isZero();
    assertThat(Suppressed.in(failure)).isEmpty();
  }

  @Test
  @DisplayName("TMO-05: the body's own TimeoutException passes unchanged, and nothing has expired")
  void aTimeoutExceptionOfItsOwn() {
    var own = new TimeoutException("own");

    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                limit -> {
                  timeout.set(limit);
                  throw own;
                }))
        .isSameAs(own)
        .hasNoCause();
    assertThat(timeout.get().expired()).isFalse();
    assertThat(Suppressed.in(own)).isEmpty();
  }

  @Test
  @DisplayName("TMO-05: the body's own InterruptedException passes unchanged before the limit")
  void anInterruptedExceptionOfItsOwn() {
    var own = new InterruptedException("own");

    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                limit -> {
                  timeout.set(limit);
                  throw own;
                }))
        .isSameAs(own);
    assertThat(timeout.get().expired()).isFalse();
  }

  @Test
  @DisplayName("an interrupt by others comes out as it is, and nothing has expired")
  void aForeignInterrupt() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                limit -> {
                  timeout.set(limit);
                  blockInBody();
                  return null;
                }))
        .isSameAs(inBody.get())
        .isInstanceOf(InterruptedException.class);
    assertThat(timeout.get().expired()).isFalse();
  }

  @Test
  @DisplayName("an interrupt by others that nobody noticed is still there after the body")
  void aForeignInterruptThatNobodyNoticed() throws Exception {
    Thread.currentThread().interrupt();

    assertThat(Timeout.<String, RuntimeException>within(LONG, () -> "value")).isEqualTo("value");

    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  @DisplayName("a value may be null, an action has none")
  void nullValues() throws Exception {
    assertThat(Timeout.<Object, RuntimeException>within(LONG, () -> null)).isNull();
    assertThat(Timeout.<Object, RuntimeException>within(LONG, limit -> null)).isNull();
    var ran = new AtomicReference<Boolean>();
    Timeout.within(LONG, () -> ran.set(true));
    assertThat(ran).hasValue(true);
  }

  // ---- unusual limits

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE})
  @DisplayName("TMO-12: a limit that is past interrupts the first wait, also one that need not be")
  void aLimitThatIsPast(long seconds) {
    assertThatThrownBy(() ->
            Timeout.within(
                Duration.ofSeconds(seconds),
                limit -> {
                  timeout.set(limit);
                  assertThat(limit.expired()).isTrue();
                  assertThat(Thread.currentThread().isInterrupted()).isTrue();
                  Task.checkCancelled();
                  return "never";
                }))
        .isInstanceOf(TimeoutException.class);
    assertThat(timeout.get().when()).isBeforeOrEqualTo(Instant.now());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE})
  @DisplayName("TMO-12: a limit that is past leaves a body without a wait untouched")
  void aBodyWithoutAWait(long seconds) throws Exception {
    String value =
        Timeout.<String, RuntimeException>within(Duration.ofSeconds(seconds), () -> "value");

    assertThat(value).isEqualTo("value");
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertThat(Timers.armed()).isZero();
  }

  static Duration[] farAway() {
    return new Duration[] {
      Duration.ofSeconds(Long.MAX_VALUE),
      ChronoUnit.FOREVER.getDuration(),
      Duration.ofNanos(Long.MAX_VALUE),
      Duration.ofNanos(Long.MAX_VALUE / 2),
      Duration.ofDays(365_000_000_000L)
    };
  }

  @ParameterizedTest
  @MethodSource("farAway")
  @DisplayName("a limit that is far away never expires, and delays no other")
  void aLimitThatIsFarAway(Duration farAway) throws Exception {
    String value =
        Timeout.within(
            farAway,
            limit -> {
              timeout.set(limit);
              assertTimesOut();
              assertThat(limit.expired()).isFalse();
              return "value";
            });

    assertThat(value).isEqualTo("value");
    assertThat(Timers.armed()).isZero();
  }

  @Test
  @DisplayName("when() of a limit beyond the last instant is the last instant")
  void whenIsTheLastInstant() throws Exception {
    Instant when =
        Timeout.<Instant, RuntimeException>within(ChronoUnit.FOREVER.getDuration(), Timeout::when);

    assertThat(when).isEqualTo(Instant.MAX);
  }

  @Test
  @DisplayName("a null argument is named")
  void nullArguments() {
    Body<String, RuntimeException> body = () -> "value";
    Action<RuntimeException> action = () -> {};
    TimeoutBody<String, RuntimeException> timeoutBody = limit -> "value";

    assertThatNullPointerException()
        .isThrownBy(() -> Timeout.within(null, body))
        .withMessage("limit");
    assertThatNullPointerException()
        .isThrownBy(() -> Timeout.within(null, action))
        .withMessage("limit");
    assertThatNullPointerException()
        .isThrownBy(() -> Timeout.within(null, timeoutBody))
        .withMessage("limit");
    assertThatNullPointerException()
        .isThrownBy(() -> Timeout.within(LONG, (Body<String, RuntimeException>) null))
        .withMessage("body");
    assertThatNullPointerException()
        .isThrownBy(() -> Timeout.within(LONG, (Action<RuntimeException>) null))
        .withMessage("action");
    assertThatNullPointerException()
        .isThrownBy(() -> Timeout.within(LONG, (TimeoutBody<String, RuntimeException>) null))
        .withMessage("body");
    assertThat(Timers.armed()).isZero();
  }

  // ---- where it runs

  @Test
  @DisplayName("a limit works in a callback of a task")
  void inACallback() throws Exception {
    var called = new AtomicReference<Throwable>();
    Threads.run(
        reported,
        loop -> {
          var gate = new Gate();
          Task<Void, RuntimeException> task = loop.createTask(gate::pass);
          task.onDone(done -> {
            try {
              assertTimesOut();
            } catch (Throwable t) {
              called.set(t);
            }
          });
          gate.open();
          task.await();
          return null;
        });
    assertThat(called).hasValue(null);
    assertThat(timeout.get().expired()).isTrue();
  }

  @Test
  @DisplayName("a limit works in an exception handler")
  void inAHandler() throws Exception {
    var handled = new AtomicReference<Throwable>();
    var called = new CountDownLatch(1);
    LoopExceptionHandler handler =
        (loop, context) -> {
          try {
            assertTimesOut();
          } catch (Throwable t) {
            handled.set(t);
          } finally {
            called.countDown();
          }
        };
    Threads.run(
        handler,
        loop -> {
          loop.launch(() -> {
            throw new IOException("for the handler");
          });
          called.await();
          return null;
        });
    assertThat(handled).hasValue(null);
    assertThat(timeout.get().expired()).isTrue();
  }

  @Test
  @DisplayName("a limit around a run cancels its main")
  void aroundARun() {
    var main = new AtomicReference<Task<?, ?>>();

    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                limit ->
                    Loop.run(() -> {
                      main.set(Task.current().orElseThrow());
                      limit.reschedule(Instant.MIN);
                      blockInBody();
                      return "never";
                    })))
        .isExactlyInstanceOf(TimeoutException.class);

    assertThat(main.get().isCancelled()).isTrue();
    assertThat(inBody.get()).isInstanceOf(InterruptedException.class);
  }
}
