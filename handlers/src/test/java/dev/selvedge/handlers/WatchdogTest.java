package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.CancelReason;
import dev.selvedge.ChildJvm;
import dev.selvedge.Task;
import dev.selvedge.handlers.programs.Watched;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WatchdogTest extends HandlerFixture {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private static final Duration GRACE = Duration.ofMillis(200);

  private final AtomicInteger exit = new AtomicInteger();

  @AfterEach
  void awaitThreads() {
    await()
        .until(() ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("watchdog")));
  }

  private Watchdog watchdog(Watchdog.Builder builder) {
    return new Watchdog(builder, exit::set, exit::set);
  }

  private void awaitExit(int code) {
    await().until(() -> exit.get() == code);
  }

  @Test
  @DisplayName(
      "the last of so many failures within the window is one too many; at its edge it is not")
  void tooMany() {
    Watchdog watchdog = watchdog(Watchdog.builder().failures(3, MINUTE).exitCode(3).grace(GRACE));
    loop.setExceptionHandler(watchdog);
    fail("a", new IOException("1"));
    fail("a", new IOException("2"));
    clock.advance(MINUTE);
    fail("a", new IOException("3"));
    clock.advance(Duration.ofNanos(1));
    fail("a", new IOException("4"));
    assertThat(exit).hasValue(0);
    fail("a", new IOException("5"));
    awaitExit(3);
  }

  @Test
  @DisplayName("every task of the loop is cancelled, and told why")
  void cancels() throws Exception {
    Watchdog watchdog = watchdog(Watchdog.builder().failures(1, MINUTE).grace(GRACE));
    loop.setExceptionHandler(watchdog);
    var begun = new CountDownLatch(1);
    Task<Void, RuntimeException> sleeper =
        loop.createTask(
            "sleeper",
            () -> {
              begun.countDown();
              Thread.sleep(Duration.ofDays(1));
            });
    begun.await();
    loop.launch(
        "poller",
        () -> {
          throw new IOException("lost");
        });
    awaitExit(70);
    CancelReason reason = sleeper.cancelReason().orElseThrow();
    assertThat(sleeper.isCancelled()).isTrue();
    assertThat(reason.source()).isEqualTo(CancelReason.Source.SHUTDOWN);
    assertThat(reason.message())
        .isEqualTo("watchdog: 1 failure within PT1M, the last: java.io.IOException: lost");
  }

  @Test
  @DisplayName("an OutOfMemoryError is fatal by itself, also as a cause; other failures are not")
  void fatalByDefault() {
    Watchdog watchdog = watchdog(Watchdog.builder().grace(GRACE));
    watchdog.handle(loop, failure("a"));
    watchdog.handle(loop, context(new StackOverflowError()));
    watchdog.handle(loop, context(null));
    assertThat(exit).hasValue(0);
    watchdog.handle(
        loop, context(new IllegalStateException(new IOException(new OutOfMemoryError("heap")))));
    awaitExit(70);
  }

  @Test
  @DisplayName("fatal types may be chosen; none for none")
  void fatalTypes() {
    Watchdog none = watchdog(Watchdog.builder().fatal());
    none.handle(loop, context(new OutOfMemoryError()));
    var circle = new IOException("circle");
    circle.initCause(new IllegalStateException(circle));
    Watchdog chosen = watchdog(Watchdog.builder().fatal(InterruptedException.class).grace(GRACE));
    chosen.handle(loop, context(circle));
    chosen.handle(loop, context(new OutOfMemoryError()));
    assertThat(exit).hasValue(0);
    chosen.handle(loop, context(new InterruptedException()));
    awaitExit(70);
  }

  @Test
  @DisplayName("it escalates once")
  void once() {
    var exits = new AtomicInteger();
    var watchdog =
        new Watchdog(
            Watchdog.builder().failures(1, MINUTE).grace(GRACE),
            _ -> exits.incrementAndGet(),
            _ -> {});
    for (int i = 0; i < 10; i++) {
      watchdog.handle(loop, failure("a"));
    }
    await().until(() -> exits.get() == 1);
    watchdog.handle(loop, context(new OutOfMemoryError()));
    assertThat(exits).hasValue(1);
  }

  @ParameterizedTest
  @Tag("virtual-only") // the program's loop makes its threads itself
  @CsvSource({
    "polite, 'cleaned up: SHUTDOWN'",
    "ignores, 'ignored: SHUTDOWN'",
    "hook, 'hook'",
  })
  @DisplayName("in a JVM of its own: it exits with the code, also past a task or a hook that hangs")
  void exits(String how, String line) throws Exception {
    try (ChildJvm child = ChildJvm.start(Watched.class, how)) {
      ChildJvm.Ended ended = child.awaitEnd(Duration.ofSeconds(20));

      assertThat(ended.code()).as(ended.err()).isEqualTo(42);
      assertThat(ended.out()).contains(line);
    }
  }

  @ParameterizedTest
  @Tag("virtual-only") // the program's loop makes its threads itself
  @ValueSource(strings = {"heap", "exiting"})
  @DisplayName(
      "in a JVM of its own: it exits with the code when no memory is left, or while it ends")
  void exitsAnyhow(String how) throws Exception {
    try (ChildJvm child = ChildJvm.start(Watched.class, how)) {
      ChildJvm.Ended ended = child.awaitEnd(Duration.ofSeconds(20));

      assertThat(ended.code()).as(ended.err()).isEqualTo(42);
    }
  }

  @Test
  @DisplayName("numbers, times and codes that make no sense are refused")
  void badInput() {
    Watchdog.Builder builder = Watchdog.builder();
    assertThatThrownBy(() -> builder.failures(0, MINUTE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("failures must be at least 1: 0");
    assertThatThrownBy(() -> builder.failures(1, Duration.ZERO)).hasMessageContaining("window");
    assertThatThrownBy(() -> builder.grace(Duration.ZERO)).hasMessageContaining("grace");
    assertThatThrownBy(() -> builder.exitCode(0)).hasMessage("exitCode must be from 1 to 255: 0");
    assertThatThrownBy(() -> builder.exitCode(256)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> builder.failures(1, null)).hasMessage("window");
    assertThatThrownBy(() -> builder.grace(null)).hasMessage("grace");
    assertThatThrownBy(() -> builder.fatal((Class<? extends Throwable>) null)).hasMessage("types");
    assertThatThrownBy(() -> builder.fatal((Class<? extends Throwable>[]) null))
        .hasMessage("types");
  }
}
