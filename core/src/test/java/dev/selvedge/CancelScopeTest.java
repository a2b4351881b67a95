package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The cancel scope alone, in a thread that is no task. */
@ExtendWith(Oracle.class)
class CancelScopeTest {
  private final CancelScope scope = CancelScope.create();

  @AfterEach
  void noInterruptIsLeftBehind() {
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  @DisplayName("a scope cancelled before entry starts its body with the interrupt flag set")
  void cancelBeforeEntry() {
    var seen = new AtomicReference<Boolean>();
    assertThat(scope.cancel("early")).isTrue();

    assertThatThrownBy(() ->
            scope.run(() -> {
              seen.set(Thread.currentThread().isInterrupted());
              Thread.sleep(60_000);
            }))
        .isInstanceOfSatisfying(
            TaskCancelledException.class, e -> assertThat(e.reason().message()).isEqualTo("early"))
        .hasCauseInstanceOf(InterruptedException.class);
    assertThat(seen).hasValue(true);
  }

  @Test
  @DisplayName("a scope is cancelled from another thread")
  void cancelFromAnotherThread() throws Exception {
    var inside = new CountDownLatch(1);
    Thread other =
        Thread.ofVirtual()
            .start(() -> {
              try {
                inside.await();
                scope.cancel("elsewhere");
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });

    assertThatThrownBy(() ->
            scope.run(() -> {
              inside.countDown();
              Thread.sleep(60_000);
            }))
        .isInstanceOf(TaskCancelledException.class)
        .hasMessageContaining("elsewhere");
    other.join();
  }

  @Test
  @DisplayName("cancelling the inner scope leaves the outer one untouched")
  void cancelTheInner() throws Exception {
    var inner = CancelScope.create();

    String value =
        scope.<String, RuntimeException>call(() -> {
          assertThatThrownBy(() ->
                  inner.run(() -> {
                    inner.cancel("inner");
                    Thread.sleep(60_000);
                  }))
              .isInstanceOf(TaskCancelledException.class);
          Thread.sleep(1);
          return "outer went on";
        });

    assertThat(value).isEqualTo("outer went on");
    assertThat(scope.cancelReason()).isEmpty();
  }

  @Test
  @DisplayName("cancelling the outer scope ends the inner body, and comes out of the outer scope")
  void cancelTheOuter() {
    var inner = CancelScope.create();
    var outOfInner = new AtomicReference<Throwable>();

    assertThatThrownBy(() ->
            scope.run(() -> {
              try {
                inner.run(() -> {
                  scope.cancel("outer");
                  Thread.sleep(60_000);
                });
              } catch (InterruptedException | RuntimeException e) {
                outOfInner.set(e);
                throw e;
              }
            }))
        .isInstanceOf(TaskCancelledException.class)
        .hasMessageContaining("outer");
    assertThat(outOfInner.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("when both are cancelled the outer one wins")
  void cancelBoth() {
    var inner = CancelScope.create();
    var outOfInner = new AtomicReference<Throwable>();

    assertThatThrownBy(() ->
            scope.run(() -> {
              try {
                inner.run(() -> {
                  inner.cancel("inner");
                  scope.cancel("outer");
                  Thread.sleep(60_000);
                });
              } catch (InterruptedException | RuntimeException e) {
                outOfInner.set(e);
                throw e;
              }
            }))
        .isInstanceOf(TaskCancelledException.class)
        .hasMessageContaining("outer");
    assertThat(outOfInner.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("the value of a body that ended before it noticed comes out, without an interrupt")
  void theValueComesOut() throws Exception {
    String value =
        scope.<String, RuntimeException>call(() -> {
          scope.cancel("too late");
          return "value";
        });

    assertThat(value).isEqualTo("value");
  }

  @Test
  @DisplayName("a different exception comes out as it is, without an interrupt")
  void aDifferentExceptionComesOut() {
    var failure = new IOException("different");

    assertThatThrownBy(() ->
            scope.run(() -> {
              scope.cancel("cancelled");
              throw failure;
            }))
        .isSameAs(failure);
  }

  @Test
  @DisplayName(
      "the InterruptedException of a body whose scope was not cancelled comes out as it is")
  void aForeignInterruptComesOut() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> scope.run(() -> Thread.sleep(60_000)))
        .isInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("a second cancellation and one after the end are refused; the first reason stays")
  void cancelTwice() {
    assertThatThrownBy(() ->
            scope.run(() -> {
              assertThat(scope.cancel("first")).isTrue();
              assertThat(scope.cancel("second")).isFalse();
              Thread.sleep(60_000);
            }))
        .isInstanceOf(TaskCancelledException.class);

    assertThat(scope.cancel("third")).isFalse();
    assertThat(scope.cancelReason()).map(CancelReason::message).contains("first");
  }

  @Test
  @DisplayName("a cancellation after the end has no effect")
  void cancelAfterTheEnd() throws Exception {
    assertThat(scope.<String, RuntimeException>call(() -> "value")).isEqualTo("value");

    assertThat(scope.cancel("late")).isFalse();

    assertThat(scope.cancelReason()).isEmpty();
  }

  @Test
  @DisplayName("a scope is refused for a second body, also for one inside of the first")
  void reuseIsRefused() throws Exception {
    scope.run(() ->
        assertThatThrownBy(() -> scope.run(() -> {})).isInstanceOf(IllegalStateException.class));

    assertThatThrownBy(() -> scope.run(() -> {})).isInstanceOf(IllegalStateException.class);
  }

  @Test
  @DisplayName("the cancellation reaches the children of a task scope inside, with its reason")
  void theChildrenOfATaskScopeInside() {
    var child = new AtomicReference<Task<?, ?>>();
    assertThatThrownBy(() ->
            scope.run(() -> {
              try (var tasks = TaskScope.<RuntimeException>open()) {
                child.set(tasks.fork(() -> Thread.sleep(60_000)));
                scope.cancel("all of it");
                tasks.join();
              }
            }))
        .isInstanceOf(TaskCancelledException.class);

    assertThat(child.get().isCancelled()).isTrue();
    assertThat(child.get().cancelReason())
        .contains(new CancelReason(CancelReason.Source.PARENT, "all of it", null));
  }

  @Test
  @DisplayName("cancel reaches the children of a scope inside, also while the body does not wait")
  void cancelReachesTheChildrenOfAScopeInside() throws Exception {
    assertThatThrownBy(() ->
            scope.run(() -> {
              try (TaskScope<Exception> inside = TaskScope.open()) {
                Task<?, Exception> child = inside.fork(() -> Thread.sleep(60_000));
                scope.cancel("enough");
                assertThat(Thread.interrupted()).isTrue();
                assertThat(child.awaitDone(Duration.ofSeconds(20))).isTrue();
                throw new InterruptedException("as it would have");
              }
            }))
        .isInstanceOf(TaskCancelledException.class);
  }

  @Test
  @DisplayName("a scope that the body leaves open is closed when the call ends")
  @SuppressWarnings("resource") // left open on purpose
  void aScopeLeftOpenInside() throws Exception {
    TaskScope<Exception> left = scope.call(() -> TaskScope.<Exception>open());

    assertThat(left.isClosed()).isTrue();
  }
}
