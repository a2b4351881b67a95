package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A limit around an await ends the waiting, never what is awaited: every await is a shield. */
@ExtendWith(Oracle.class)
class TimeoutAwaitTest {
  private static final Duration SHORT = Duration.ofMillis(10);
  private static final Duration LONG = Duration.ofDays(1);
  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch gate = new CountDownLatch(1);

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  private Task<String, IOException> succeeding(Loop loop) {
    return loop.createTask(() -> {
      gate.await();
      return "inner";
    });
  }

  private Task<String, IOException> failing(Loop loop, IOException failure) {
    return loop.createTask(() -> {
      gate.await();
      throw failure;
    });
  }

  @Test
  @DisplayName("SHIELD-01: a limit ends an await, and the awaited task does not notice")
  void aLimitAroundAnAwait() throws Exception {
    try (Loop loop = open()) {
      Task<String, IOException> inner = succeeding(loop);

      assertThatThrownBy(() -> Timeout.within(SHORT, () -> inner.await()))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(inner.isDone()).isFalse();
      assertThat(inner.cancelRequests()).isZero();
      gate.countDown();

      assertThat(inner.await()).isEqualTo("inner");
    }
  }

  @Test
  @DisplayName("SHIELD-01: the limit of await itself ends the waiting alone, too")
  void theLimitOfAwait() throws Exception {
    try (Loop loop = open()) {
      Task<String, IOException> inner = succeeding(loop);

      assertThatThrownBy(() -> inner.await(SHORT)).isInstanceOf(TimeoutException.class);
      assertThat(inner.cancelRequests()).isZero();
      gate.countDown();

      assertThat(inner.await(LONG)).isEqualTo("inner");
    }
  }

  @Test
  @DisplayName("SHIELD-01: a task that is limited as a body is awaited, so it goes on")
  void aTaskAsABody() throws Exception {
    try (Loop loop = open()) {
      Task<String, IOException> inner = succeeding(loop);

      assertThatThrownBy(() -> Timeout.within(SHORT, inner)).isInstanceOf(TimeoutException.class);
      gate.countDown();

      assertThat(Timeout.within(LONG, inner)).isEqualTo("inner");
    }
  }

  @Test
  @DisplayName("SHIELD-01: the waiter is cancelled at once, and the awaited task does not notice")
  void theWaiterIsCancelled() throws Exception {
    try (Loop loop = open()) {
      Task<String, IOException> inner = succeeding(loop);
      Task<String, IOException> waiter = loop.createTask(() -> inner.await());
      Gate.awaitBlocked(waiter);
      waiter.cancel("outside");

      assertThatThrownBy(waiter::await).isInstanceOf(TaskCancelledException.class);
      assertThat(inner.isDone()).isFalse();
      assertThat(inner.cancelRequests()).isZero();
      gate.countDown();

      assertThat(inner.await()).isEqualTo("inner");
    }
  }

  @Test
  @DisplayName("SHIELD-04: the waiter is gone and the inner task fails later: reported, once")
  void itFailsLater() throws Exception {
    var failure = new IOException("later");
    try (Loop loop = open()) {
      Task<String, IOException> inner = failing(loop, failure);

      assertThatThrownBy(() -> Timeout.within(SHORT, () -> inner.await()))
          .isInstanceOf(TimeoutException.class)
          .hasNoSuppressedExceptions();
      gate.countDown();
      await().until(inner::isDone);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("SHIELD-04: the waiter is gone, but another awaits the inner task: not reported")
  void itFailsLaterAndAnotherAwaits() throws Exception {
    var failure = new IOException("later");
    try (Loop loop = open()) {
      Task<String, IOException> inner = failing(loop, failure);
      Task<String, IOException> another = loop.createTask(() -> inner.await());

      assertThatThrownBy(() -> Timeout.within(SHORT, () -> inner.await()))
          .isInstanceOf(TimeoutException.class);
      gate.countDown();

      assertThatThrownBy(another::await).isSameAs(failure);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "SHIELD-06: a task whose waiter and handle are gone is the loop's, whose close ends it")
  void itStaysOwned() throws Exception {
    var started = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    try (Loop loop = open()) {
      assertThatThrownBy(() ->
              Timeout.within(
                  SHORT,
                  () ->
                      loop.createTask(
                              "kept",
                              () -> {
                                started.countDown();
                                try {
                                  gate.await();
                                } finally {
                                  ended.countDown();
                                }
                              })
                          .await()))
          .isInstanceOf(TimeoutException.class);
      started.await();
      System.gc();

      assertThat(loop.allTasks())
          .singleElement()
          .satisfies(task -> assertThat(task.name()).isEqualTo("kept"));
      assertThat(ended.getCount()).isOne();
    }
    assertThat(ended.getCount()).isZero();
    assertThat(reported.contexts).isEmpty();
  }
}
