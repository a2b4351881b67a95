package dev.selvedge;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a run makes of Ctrl-C, told to it directly; {@link KeyboardInterruptTest} sends signals. */
@Tag("virtual-only")
@ExtendWith(Oracle.class)
class KeyboardRunTest {
  private static final Duration EVER = Duration.ofDays(1);

  private final IOException failure = new IOException("failed");

  private static void pressCtrlC(Loop loop) {
    requireNonNull(loop.activeRun()).interruptFromKeyboard();
  }

  /** Starts a task that is told to stop when main has ended, and gets Ctrl-C then. */
  private static void pressCtrlCAtTheEnd(Loop loop) {
    Task<Void, RuntimeException> last =
        loop.createTask(() -> {
          try {
            Thread.sleep(EVER);
          } finally {
            pressCtrlC(loop);
          }
        });
    Gate.awaitBlocked(last);
  }

  private void fail() throws IOException {
    throw failure;
  }

  @Test
  @DisplayName("KBI-01: main is cancelled, and run throws with the cancellation as its cause")
  void runThrows() {
    assertThatThrownBy(() ->
            Loop.run(loop -> {
              loop.createTask(() -> pressCtrlC(loop));
              Thread.sleep(EVER);
              return "never";
            }))
        .isInstanceOf(KeyboardInterruptException.class)
        .cause()
        .isInstanceOfSatisfying(
            TaskCancelledException.class,
            cancelled ->
                assertThat(cancelled.reason().source())
                    .isEqualTo(CancelReason.Source.KEYBOARD_INTERRUPT));
  }

  @Test
  @DisplayName("a main that is interrupted before it is known is cancelled then")
  void beforeMain() {
    var run = new Run();
    run.interruptFromKeyboard();
    try (Loop loop = Threads.builder().build()) {
      Task<Void, RuntimeException> main = loop.createTask(() -> Thread.sleep(EVER));

      run.main((TaskImpl<?, ?>) main);

      assertThatThrownBy(main::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(run.takeKeyboardInterrupt()).isTrue();
    assertThat(run.takeKeyboardInterrupt()).isFalse();
  }

  @Test
  @DisplayName("KBI-03: main may catch its cancellation and return a value")
  void mainMayReturnAValue() throws Exception {
    String value =
        Loop.run(loop -> {
          loop.createTask(() -> pressCtrlC(loop));
          try {
            Thread.sleep(EVER);
            return "never";
          } catch (InterruptedException e) {
            return "saved";
          }
        });

    assertThat(value).isEqualTo("saved");
  }

  @Test
  @DisplayName("KBI-04: a failure in main's clean-up comes out, the interrupt suppressed in it")
  void aFailureComesOut() {
    Throwable thrown =
        catchThrowable(() ->
            Loop.run(loop -> {
              loop.createTask(() -> pressCtrlC(loop));
              try {
                Thread.sleep(EVER);
              } finally {
                fail();
              }
              return "never";
            }));

    assertThat(thrown).isSameAs(failure);
    assertThat(thrown.getSuppressed()).hasAtLeastOneElementOfType(KeyboardInterruptException.class);
  }

  @Test
  @DisplayName("after main has returned it comes out of run, without a cause")
  void afterMainHasReturned() {
    assertThatThrownBy(() ->
            Loop.run(loop -> {
              pressCtrlCAtTheEnd(loop);
              return "lost";
            }))
        .isInstanceOf(KeyboardInterruptException.class)
        .hasNoCause();
  }

  @Test
  @DisplayName("after main has failed it is suppressed in the failure")
  void afterMainHasFailed() {
    Throwable thrown =
        catchThrowable(() ->
            Loop.run(loop -> {
              pressCtrlCAtTheEnd(loop);
              fail();
              return "never";
            }));

    assertThat(thrown).isSameAs(failure);
    assertThat(thrown.getSuppressed()).hasAtLeastOneElementOfType(KeyboardInterruptException.class);
  }

  @Test
  @DisplayName("once during main and once more at the end, it comes out once")
  void twice() {
    Throwable thrown =
        catchThrowable(() ->
            Loop.run(loop -> {
              pressCtrlCAtTheEnd(loop);
              pressCtrlC(loop);
              Thread.sleep(EVER);
              return "never";
            }));

    assertThat(thrown).isInstanceOf(KeyboardInterruptException.class).hasNoSuppressedExceptions();
    assertThat(thrown.getCause()).isInstanceOf(TaskCancelledException.class);
  }
}
