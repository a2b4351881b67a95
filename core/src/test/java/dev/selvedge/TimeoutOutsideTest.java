package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A limit in a task that is cancelled from outside: the outside wins and is never lost. */
@ExtendWith(Oracle.class)
class TimeoutOutsideTest {
  private static final Duration LONG = Duration.ofDays(1);
  private final Threads.Reported reported = new Threads.Reported();
  private final AtomicReference<Throwable> outOfLimit = new AtomicReference<>();
  private final AtomicReference<Timeout> limit = new AtomicReference<>();

  @AfterEach
  void nothingIsReported() {
    assertThat(reported.contexts).isEmpty();
  }

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  private static Task<?, ?> self() {
    return Task.current().orElseThrow();
  }

  private static void expire(Timeout timeout) {
    timeout.reschedule(Instant.MIN);
  }

  private static void block() throws InterruptedException {
    Thread.sleep(60_000);
  }

  /** Runs a body with a limit in a task, which is to end as cancelled from outside. */
  private Task<?, ?> assertCancelled(TimeoutBody<?, Exception> body) {
    try (Loop loop = open()) {
      Task<Object, Exception> task =
          loop.createTask(() -> {
            try {
              return Timeout.<Object, Exception>within(
                  LONG,
                  timeout -> {
                    limit.set(timeout);
                    return body.call(timeout);
                  });
            } catch (Throwable t) {
              outOfLimit.set(t);
              throw t;
            }
          });

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outside");
      assertThat(task.isCancelled()).isTrue();
      assertThat(outOfLimit.get()).isExactlyInstanceOf(InterruptedException.class);
      return task;
    }
  }

  /** Runs a body in a task, which is to end with a value. */
  private <T> T inATask(Body<T, Exception> body) throws Exception {
    try (Loop loop = open()) {
      return loop.createTask(body).await();
    }
  }

  @Test
  @DisplayName("TMO-06: an outside cancellation alone leaves the block, which has not expired")
  void anOutsideCancellationAlone() {
    Task<?, ?> task =
        assertCancelled(timeout -> {
          self().cancel("outside");
          block();
          return null;
        });

    assertThat(limit.get().expired()).isFalse();
    assertThat(task.cancelRequests()).isOne();
  }

  @Test
  @DisplayName("TMO-06: the same from another thread, to a body that waits")
  void anOutsideCancellationByAnotherThread() throws Exception {
    var inside = new CountDownLatch(1);
    try (Loop loop = open()) {
      Task<Void, Exception> task =
          loop.createTask(() ->
              Timeout.within(
                  LONG,
                  () -> {
                    inside.countDown();
                    block();
                  }));
      inside.await();
      task.cancel("outside");

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasCauseInstanceOf(InterruptedException.class);
    }
  }

  @Test
  @DisplayName("an outside cancellation before the expiry wins")
  void beforeTheExpiry() {
    assertCancelled(timeout -> {
      self().cancel("outside");
      expire(timeout);
      block();
      return null;
    });

    assertThat(limit.get().expired()).isTrue();
  }

  @Test
  @DisplayName("an outside cancellation after the expiry wins")
  void afterTheExpiry() {
    assertCancelled(timeout -> {
      expire(timeout);
      self().cancel("outside");
      block();
      return null;
    });
  }

  @Test
  @DisplayName("an outside cancellation in the clean-up of an expired body wins")
  void inTheCleanUp() {
    assertCancelled(timeout -> {
      expire(timeout);
      try {
        block();
      } finally {
        self().cancel("outside");
      }
      return null;
    });
  }

  @Test
  @DisplayName("an outside cancellation that ends the clean-up of an expired body wins")
  void endingTheCleanUp() {
    assertCancelled(timeout -> {
      expire(timeout);
      try {
        block();
      } catch (InterruptedException e) {
        self().cancel("outside");
        block();
      }
      return null;
    });
  }

  @Test
  @DisplayName("an outside cancellation that is pending at entry wins")
  void pendingAtEntry() {
    try (Loop loop = open()) {
      Task<Void, Exception> task =
          loop.createTask(() -> {
            self().cancel("outside");
            try {
              Timeout.within(Duration.ZERO, () -> block());
            } catch (Throwable t) {
              outOfLimit.set(t);
              throw t;
            }
          });

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(outOfLimit.get()).isExactlyInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("an outside cancellation wins over two limits that are due")
  void overTwoLimits() {
    assertCancelled(timeout ->
        Timeout.<Object, Exception>within(
            LONG,
            within -> {
              expire(within);
              self().cancel("outside");
              expire(timeout);
              block();
              return null;
            }));
  }

  @Test
  @DisplayName("the value comes out, and the outside cancellation is re-asserted as the flag")
  void aValue() throws Exception {
    String value =
        inATask(() -> {
          String within =
              Timeout.within(
                  LONG,
                  timeout -> {
                    expire(timeout);
                    self().cancel("outside");
                    assertThatThrownBy(TimeoutOutsideTest::block)
                        .isInstanceOf(InterruptedException.class);
                    return "value";
                  });
          return within + ", interrupted: " + Thread.interrupted();
        });

    assertThat(value).isEqualTo("value, interrupted: true");
  }

  @Test
  @DisplayName("a different exception comes out, and the outside cancellation is re-asserted")
  void aDifferentException() throws Exception {
    var failure = new IOException("different");

    Boolean flag =
        inATask(() -> {
          assertThatThrownBy(() ->
                  Timeout.within(
                      LONG,
                      timeout -> {
                        self().cancel("outside");
                        expire(timeout);
                        throw failure;
                      }))
              .isSameAs(failure);
          return Thread.interrupted();
        });

    assertThat(flag).isTrue();
    assertThat(Suppressed.in(failure)).singleElement().isInstanceOf(TimeoutException.class);
  }

  @Test
  @DisplayName("an outside cancellation after the end of an expired block is seen as usual")
  void afterTheEnd() {
    try (Loop loop = open()) {
      Task<Void, Exception> task =
          loop.createTask(() -> {
            assertThatThrownBy(() -> Timeout.within(Duration.ZERO, () -> block()))
                .isInstanceOf(TimeoutException.class);
            self().cancel("outside");
            block();
          });

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outside");
    }
  }

  @Test
  @DisplayName("a cancellation that was handled before the block does not count as outside")
  void handledBeforeEntry() throws Exception {
    String value =
        inATask(() -> {
          self().cancel("handled");
          assertThatThrownBy(Task::checkCancelled).isInstanceOf(InterruptedException.class);
          assertThatThrownBy(() -> Timeout.within(Duration.ZERO, () -> block()))
              .isInstanceOf(TimeoutException.class);
          Thread.sleep(1);
          return "went on";
        });

    assertThat(value).isEqualTo("went on");
  }

  @Test
  @DisplayName("a CancelScope around an expired block that is cancelled wins")
  void aCancelScopeAround() {
    var around = CancelScope.create();

    assertThatThrownBy(() ->
            around.run(() -> {
              try {
                Timeout.within(
                    LONG,
                    timeout -> {
                      expire(timeout);
                      around.cancel("around");
                      block();
                      return null;
                    });
              } catch (Throwable t) {
                outOfLimit.set(t);
                throw t;
              }
            }))
        .isInstanceOf(TaskCancelledException.class)
        .hasMessageContaining("around");
    assertThat(outOfLimit.get()).isExactlyInstanceOf(InterruptedException.class);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  @DisplayName("a CancelScope inside of an expired block that is cancelled loses")
  void aCancelScopeInside() {
    var inside = CancelScope.create();

    assertThatThrownBy(() ->
            Timeout.within(
                LONG,
                timeout -> {
                  try {
                    inside.run(() -> {
                      inside.cancel("inside");
                      expire(timeout);
                      block();
                    });
                  } catch (Throwable t) {
                    outOfLimit.set(t);
                    throw t;
                  }
                  return null;
                }))
        .isInstanceOf(TimeoutException.class);
    assertThat(outOfLimit.get()).isExactlyInstanceOf(InterruptedException.class);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  @DisplayName("a TimeoutException that escapes a task is its failure, not a cancellation of it")
  void anEscapingTimeoutIsAFailure() {
    try (Loop loop = open()) {
      Task<Void, Exception> task =
          loop.createTask(() -> Timeout.within(Duration.ZERO, () -> block()));

      assertThatThrownBy(task::await).isExactlyInstanceOf(TimeoutException.class);
      assertThat(task.isCancelled()).isFalse();
      assertThat(task.cancelRequests()).isZero();
    }
  }

  @Test
  @DisplayName("the close of the loop cancels a task in a block, whose limit does not matter then")
  void theCloseOfTheLoop() throws Exception {
    var inside = new CountDownLatch(1);
    Task<Void, Exception> task;
    try (Loop loop = open()) {
      task =
          loop.createTask(() ->
              Timeout.within(
                  LONG,
                  () -> {
                    inside.countDown();
                    block();
                  }));
      inside.await();
    }

    assertThat(task.isCancelled()).isTrue();
    assertThat(Timers.armed()).isZero();
  }
}
