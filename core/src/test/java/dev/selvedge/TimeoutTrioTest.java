package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Where Trio's rules for cancel scopes hold here, and where this library decided otherwise. */
@ExtendWith(Oracle.class)
class TimeoutTrioTest {
  private static final Duration LONG = Duration.ofDays(1);
  private final Threads.Reported reported = new Threads.Reported();

  private static void block() throws InterruptedException {
    Thread.sleep(60_000);
  }

  // ---- TRIO-02

  @Test
  @DisplayName(
      "TRIO-02: differs: cancelling is edge-triggered, so a caught one does not come again")
  void aCaughtCancellationDoesNotComeAgain() throws Exception {
    String value =
        Timeout.within(
            Duration.ZERO,
            timeout -> {
              assertThatThrownBy(Task::checkCancelled).isInstanceOf(InterruptedException.class);
              Task.checkCancelled();
              Thread.sleep(1);
              assertThat(timeout.expired()).as("what the body can ask instead").isTrue();
              return "cleaned";
            });

    assertThat(value).isEqualTo("cleaned");
  }

  @Test
  @DisplayName("TRIO-02: a scope opened in the clean-up of an expired body works")
  void aScopeInTheCleanUp() throws Exception {
    assertThatThrownBy(() ->
            Timeout.within(
                Duration.ZERO,
                () -> {
                  try {
                    block();
                  } finally {
                    try (var scope = TaskScope.<RuntimeException>open()) {
                      Task<String, RuntimeException> child = scope.fork(() -> "cleaned");
                      scope.join();
                      assertThat(child.result()).isEqualTo("cleaned");
                    }
                  }
                }))
        .isInstanceOf(TimeoutException.class);
  }

  // ---- TRIO-03

  @Test
  @DisplayName("TRIO-03: a fork into a scope that the limit has cancelled never runs, visibly")
  void aForkIntoACancelledScope() throws Exception {
    var ran = new AtomicBoolean();
    var late = new CompletableFuture<Task<Void, Exception>>();
    assertThatThrownBy(() ->
            Timeout.<Object, Exception>within(
                LONG,
                timeout -> {
                  try (var scope = TaskScope.<Exception>open()) {
                    timeout.reschedule(Instant.MIN);
                    late.complete(scope.fork(() -> ran.set(true)));
                    scope.join();
                  }
                  return null;
                }))
        .isInstanceOf(TimeoutException.class);

    assertThat(late.join().isCancelled()).isTrue();
    assertThat(late.join().cancelReason().orElseThrow().source())
        .isEqualTo(CancelReason.Source.PARENT);
    assertThat(ran).isFalse();
  }

  // ---- TRIO-06

  @Test
  @DisplayName("TRIO-06: a scope is refused to a second task, while the first is in it and after")
  void aScopeIsEnteredByOneTask() throws Exception {
    var scope = CancelScope.create();
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          var inside = new CountDownLatch(1);
          var gate = new CountDownLatch(1);
          Task<Void, RuntimeException> first =
              loop.createTask(() ->
                  scope.run(() -> {
                    inside.countDown();
                    gate.await();
                  }));
          inside.await();
          Task<Void, RuntimeException> second = loop.createTask(() -> scope.run(() -> {}));

          assertThatThrownBy(second::await)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("create another");
          gate.countDown();
          first.await();
          assertThatIllegalStateException().isThrownBy(() -> scope.run(() -> {}));
          return null;
        });
  }

  @Test
  @DisplayName("TRIO-06: a scope cancelled before entry ends its body at the first wait")
  void aScopeCancelledBeforeEntry() {
    var scope = CancelScope.create();
    scope.cancel("early");

    assertThatThrownBy(() -> scope.run(() -> Task.checkCancelled()))
        .isInstanceOf(TaskCancelledException.class)
        .hasMessageContaining("early");
  }

  // ---- TRIO-10

  @Test
  @DisplayName("TRIO-10: every wait is a checkpoint, also one that need not wait")
  void everyWaitIsACheckpoint() throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          Task<String, RuntimeException> done = loop.createTask(() -> "done");
          done.await();
          try (var empty = TaskScope.<Exception>open()) {
            for (Action<Exception> wait :
                List.<Action<Exception>>of(
                    () -> Task.checkCancelled(),
                    () -> done.await(),
                    () -> done.await(LONG),
                    () -> Timeout.waitFor(done, LONG))) {
              assertThatThrownBy(() -> Timeout.within(Duration.ZERO, wait))
                  .isInstanceOf(TimeoutException.class);
            }
            assertThatThrownBy(() -> Timeout.within(Duration.ZERO, () -> empty.join()))
                .isInstanceOf(TimeoutException.class);
          }
          return null;
        });
  }

  // ---- TRIO-11: nursery.start, as a recipe

  @FunctionalInterface
  private interface Service<T, X extends Exception> {
    void run(CompletableFuture<T> ready) throws X, InterruptedException;
  }

  /**
   * Forks a service and waits until it says that it is ready. What ends it before that is thrown
   * here, and is no failure of the scope; what ends it later is the scope's.
   */
  private static <T, X extends Exception> T start(TaskScope<X> scope, Service<T, X> service)
      throws X, InterruptedException {
    var ready = new CompletableFuture<T>();
    Task<Void, X> task =
        scope.fork(() -> {
          try {
            service.run(ready);
          } catch (Throwable t) {
            if (t instanceof InterruptedException || !ready.completeExceptionally(t)) {
              throw t;
            }
          }
        });
    task.onDone(ended -> {
      var why = ended.cancelReason().map(CancelReason::message).orElse("it never said so");
      ready.completeExceptionally(
          new IllegalStateException(ended.name() + " ended before it was ready: " + why));
    });
    try {
      return ready.get();
    } catch (InterruptedException e) {
      task.cancel("nobody waits until it is ready");
      throw e;
    } catch (ExecutionException e) {
      throw Failures.<RuntimeException>sneak(e.getCause());
    }
  }

  @Test
  @DisplayName("TRIO-11: the parent waits until the child says that it is ready, and goes on")
  void startWaitsUntilReady() throws Exception {
    var ended = new CountDownLatch(1);
    try (var scope = TaskScope.<IOException>open()) {
      String address =
          TimeoutTrioTest.<String, IOException>start(
              scope,
              ready -> {
                try {
                  ready.complete("localhost:80");
                  block();
                } finally {
                  ended.countDown();
                }
              });
      assertThat(address).isEqualTo("localhost:80");
      assertThat(ended.getCount()).isOne();
    }
    assertThat(ended.getCount()).isZero();
  }

  @Test
  @DisplayName("TRIO-11: a failure before that is thrown bare at the parent; the scope goes on")
  void startFailsBeforeReady() throws Exception {
    var failure = new IOException("port taken");
    try (var scope = TaskScope.<IOException>open()) {
      assertThatThrownBy(() ->
              TimeoutTrioTest.<String, IOException>start(
                  scope,
                  ready -> {
                    throw failure;
                  }))
          .isSameAs(failure);

      Task<String, IOException> next = scope.fork(() -> "next");
      scope.join();
      assertThat(next.result()).isEqualTo("next");
    }
    assertThat(Suppressed.in(failure)).isEmpty();
  }

  @Test
  @DisplayName("TRIO-11: a failure after that is the scope's")
  void startFailsAfterReady() throws Exception {
    var failure = new IOException("connection lost");
    var gate = new CountDownLatch(1);
    try (var scope = TaskScope.<IOException>open()) {
      Integer port =
          TimeoutTrioTest.<Integer, IOException>start(
              scope,
              ready -> {
                ready.complete(80);
                gate.await();
                throw failure;
              });
      assertThat(port).isEqualTo(80);
      gate.countDown();

      assertThatThrownBy(scope::join).isSameAs(failure);
    }
  }

  @Test
  @DisplayName("TRIO-11: a child that ends without ever being ready is an error at the parent")
  void startNeverReady() {
    try (var scope = TaskScope.<IOException>open()) {
      assertThatIllegalStateException()
          .isThrownBy(() -> TimeoutTrioTest.<String, IOException>start(scope, ready -> {}))
          .withMessageContaining("it never said so");
    }
  }

  @Test
  @DisplayName("TRIO-11: the scope is cancelled: so is the child, and the parent hears of it")
  void startInACancelledScope() {
    try (var scope = TaskScope.<IOException>open()) {
      assertThatIllegalStateException()
          .isThrownBy(() ->
              TimeoutTrioTest.<String, IOException>start(
                  scope,
                  ready -> {
                    scope.cancel("shutting down");
                    block();
                  }))
          .withMessageContaining("shutting down");
      assertThatIllegalStateException()
          .isThrownBy(() -> TimeoutTrioTest.<String, IOException>start(scope, ready -> block()))
          .withMessageContaining("shutting down");
    }
  }

  @Test
  @DisplayName("TRIO-11: a limit around the start cancels the child that is not ready in time")
  void startWithALimit() throws Exception {
    var ended = new CountDownLatch(1);
    try (var scope = TaskScope.<IOException>open()) {
      assertThatThrownBy(() ->
              Timeout.<String, Exception>within(
                  LONG,
                  timeout ->
                      TimeoutTrioTest.<String, IOException>start(
                          scope,
                          ready -> {
                            try {
                              timeout.reschedule(Instant.MIN);
                              block();
                            } finally {
                              ended.countDown();
                            }
                          })))
          .isInstanceOf(TimeoutException.class);
      ended.await();
      scope.join();
    }
  }
}
