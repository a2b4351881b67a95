package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the close of a loop does to its tasks and their failures. */
@ExtendWith(Oracle.class)
class ShutdownTest {
  private static final Duration EVER = Duration.ofDays(1);

  private final Threads.Reported reported = new Threads.Reported();
  private final Queue<String> events = new ConcurrentLinkedQueue<>();

  @Test
  @DisplayName(
      "SHUT-02: every unfinished task is cancelled once: of the loop, of scopes, and awaited ones")
  void everyUnfinishedTaskIsCancelledOnce() throws Exception {
    var begun = new CountDownLatch(3);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      var plain = loop.createTask("plain", () -> sleep(begun));
      loop.launch(
          "parent",
          () -> {
            try (TaskScope<RuntimeException> scope = TaskScope.open()) {
              scope.fork("child", () -> sleep(begun));
              scope.join();
            } finally {
              record();
            }
          });
      loop.launch(
          "awaiting",
          () -> {
            begun.countDown();
            try {
              plain.await();
            } catch (InterruptedException | TaskCancelledException e) {
              record();
            }
          });
      begun.await();
    }

    assertThat(events)
        .containsExactlyInAnyOrder(
            "plain SHUTDOWN x1", "child PARENT x1", "parent SHUTDOWN x1", "awaiting SHUTDOWN x1");
    assertThat(events).containsSubsequence("child PARENT x1", "parent SHUTDOWN x1");
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "SHUT-05: a task that ignores the cancel is waited for, and named again and again until it"
          + " ends")
  void aStragglerIsNamedUntilItEnds() throws Exception {
    var named = new CountDownLatch(2);
    var ended = new AtomicBoolean();
    LoopExceptionHandler handler =
        (loop, context) -> {
          reported.handle(loop, context);
          named.countDown();
        };
    try (Loop loop =
        Threads.builder()
            .exceptionHandler(handler)
            .stragglerWarning(Duration.ofMillis(5))
            .build()) {
      var begun = new CountDownLatch(1);
      loop.launch(
          "stubborn",
          () -> {
            begun.countDown();
            while (named.getCount() > 0) {
              try {
                named.await();
              } catch (InterruptedException ignored) {
                events.add("ignored");
              }
            }
            ended.set(true);
          });
      begun.await();
    }

    assertThat(ended).isTrue();
    assertThat(events).containsExactly("ignored");
    assertThat(reported.contexts)
        .hasSizeGreaterThanOrEqualTo(2)
        .allSatisfy(context -> {
          assertThat(context.message()).isEqualTo("Task ignores its cancellation");
          assertThat(context.exception()).isNull();
          assertThat(context.future()).isNotNull();
          assertThat(context.future().name()).isEqualTo("stubborn");
          assertThat(context.details()).containsKeys("reason", "stack");
        });
  }

  @Test
  @DisplayName("SHUT-08: finally parts of sleeping background tasks run before the close returns")
  void finallyPartsRunBeforeTheCloseReturns() throws Exception {
    var begun = new CountDownLatch(20);
    try (Loop loop = Threads.builder().build()) {
      String value =
          loop.runUntilComplete(() -> {
            for (int i = 0; i < 20; i++) {
              loop.launch("background " + i, () -> sleep(begun));
            }
            begun.await();
            return "value";
          });
      assertThat(value).isEqualTo("value");
      assertThat(events).isEmpty();
    }

    assertThat(events).hasSize(20).allMatch(event -> event.endsWith("SHUTDOWN x1"));
  }

  @Test
  @DisplayName(
      "SHUT-09: work in the loop's executor is interrupted at the shutdown, and waited for")
  void executorWorkIsInterruptedAndWaitedFor() throws Exception {
    var begun = new CountDownLatch(2);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      var executor = loop.asExecutor();
      var submitted =
          executor.submit(() -> {
            sleep(begun);
            return "never";
          });
      executor.execute(() -> {
        begun.countDown();
        try {
          Thread.sleep(EVER);
        } catch (InterruptedException e) {
          record();
        }
      });
      begun.await();
      assertThat(submitted.isDone()).isFalse();
    }

    assertThat(events).hasSize(2).allMatch(event -> event.endsWith("SHUTDOWN x1"));
    assertThat(reported.contexts).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName(
      "SHUT-10: a handler that throws, be it an Error, falls back to the default; the rest goes on")
  void aBrokenHandlerStopsNothing(boolean error) throws Exception {
    var calls = new AtomicInteger();
    LoopExceptionHandler broken =
        (loop, context) -> {
          calls.incrementAndGet();
          if (error) {
            throw new StackOverflowError("handler broke");
          }
          throw new IllegalStateException("handler broke");
        };
    var printed = new ByteArrayOutputStream();
    PrintStream before = System.err;
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    Loop loop = Threads.builder().exceptionHandler(broken).build();
    try (loop) {
      var failed = new CountDownLatch(2);
      var held = List.of(fail(loop, "first"), fail(loop, "second"));
      held.forEach(task -> task.onDone(done -> failed.countDown()));
      failed.await();
      assertThat(held).allMatch(Task::isDone);
    } finally {
      System.setErr(before);
    }

    assertThat(calls).hasValue(2);
    assertThat(printed.toString(StandardCharsets.UTF_8))
        .containsOnlyOnce("\njava.io.IOException: first")
        .containsOnlyOnce("\njava.io.IOException: second")
        .contains("Exception in the exception handler", "handler broke");
    assertThat(loop.isClosed()).isTrue();
  }

  @Test
  @DisplayName("A clean-up that fails while the loop closes is reported before close returns")
  void aFailingCleanUpIsReported() throws Exception {
    var failure = new IOException("clean-up");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      var begun = new CountDownLatch(1);
      loop.createTask(() -> {
        begun.countDown();
        try {
          Thread.sleep(EVER);
        } catch (InterruptedException e) {
          throw failure;
        }
      });
      begun.await();
    }

    assertThat(reported.exceptions()).containsExactly(failure);
  }

  private static Task<?, ?> fail(Loop loop, String message) {
    return loop.createTask(() -> {
      throw new IOException(message);
    });
  }

  private void sleep(CountDownLatch begun) throws InterruptedException {
    begun.countDown();
    try {
      Thread.sleep(EVER);
    } finally {
      record();
    }
  }

  private void record() {
    Task<?, ?> task = Task.current().orElseThrow();
    String name = task.name();
    events.add(
        name + " " + task.cancelReason().orElseThrow().source() + " x" + task.cancelRequests());
  }
}
