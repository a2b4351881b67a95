package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A cancel scope in a task that is itself cancelled: the outside wins and is never lost. */
@ExtendWith(Oracle.class)
class CancelScopeOutsideTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final CancelScope scope = CancelScope.create();
  private final AtomicReference<Throwable> outOfScope = new AtomicReference<>();

  private static Task<?, ?> self() {
    return Task.current().orElseThrow();
  }

  private void assertOutsideWins(boolean outsideFirst) {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            try {
              scope.run(() -> {
                if (outsideFirst) {
                  self().cancel("outside");
                }
                scope.cancel("scope");
                if (!outsideFirst) {
                  self().cancel("outside");
                }
                Thread.sleep(60_000);
              });
            } catch (InterruptedException | RuntimeException e) {
              outOfScope.set(e);
              throw e;
            }
          });

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("outside");
      assertThat(task.isCancelled()).isTrue();
    }
    assertThat(outOfScope.get()).isInstanceOf(InterruptedException.class);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("an outside cancellation before that of the scope wins")
  void outsideFirst() {
    assertOutsideWins(true);
  }

  @Test
  @DisplayName("an outside cancellation after that of the scope wins")
  void outsideSecond() {
    assertOutsideWins(false);
  }

  @Test
  @DisplayName("the value comes out, and the outside cancellation is re-asserted as the flag")
  void theFlagIsReassertedWithAValue() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            String value =
                scope.<String, RuntimeException>call(() -> {
                  scope.cancel("scope");
                  self().cancel("outside");
                  return "value";
                });
            return value + ", interrupted: " + Thread.interrupted();
          });

      assertThat(task.await()).isEqualTo("value, interrupted: true");
    }
  }

  @Test
  @DisplayName("a different exception comes out, and the outside cancellation is re-asserted")
  void theFlagIsReassertedWithAFailure() throws Exception {
    var failure = new IOException("different");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Boolean, RuntimeException> task =
          loop.createTask(() -> {
            assertThatThrownBy(() ->
                    scope.run(() -> {
                      scope.cancel("scope");
                      self().cancel("outside");
                      throw failure;
                    }))
                .isSameAs(failure);
            return Thread.interrupted();
          });

      assertThat(task.await()).isTrue();
    }
  }

  @Test
  @DisplayName("a cancellation that is pending at entry is outside, and wins")
  void pendingAtEntry() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            self().cancel("outside");
            try {
              scope.run(() -> {
                scope.cancel("scope");
                Thread.sleep(60_000);
              });
            } catch (InterruptedException | RuntimeException e) {
              outOfScope.set(e);
              throw e;
            }
          });

      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(outOfScope.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("a cancellation that was handled before the scope does not count as outside")
  void handledBeforeEntry() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            self().cancel("handled");
            assertThatThrownBy(Task::checkCancelled).isInstanceOf(InterruptedException.class);
            assertThatThrownBy(() ->
                    scope.run(() -> {
                      scope.cancel("scope");
                      Thread.sleep(60_000);
                    }))
                .isInstanceOf(TaskCancelledException.class);
            Thread.sleep(1);
            return "went on";
          });

      assertThat(task.await()).isEqualTo("went on");
    }
  }

  @Test
  @DisplayName(
      "a scope's cancellation that escapes the task is a failure, not a cancellation of it")
  void anEscapingScopeCancellationIsAFailure() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() ->
              scope.run(() -> {
                scope.cancel("scope");
                Thread.sleep(60_000);
              }));

      assertThatThrownBy(task::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("scope");
      assertThat(task.isCancelled()).isFalse();
      assertThat(task.cancelRequests()).isZero();
    }
    assertThat(reported.contexts).isEmpty();
  }
}
