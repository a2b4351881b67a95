package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a handler may do, and in which order handlers are called. */
@ExtendWith(Oracle.class)
class HandlerTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final IOException failure = new IOException("body");

  @Test
  @DisplayName(
      "HND-01: no handler at first; the very object that was set; null restores the default")
  void settingAndRestoringTheHandler() {
    try (Loop loop = Threads.builder().build()) {
      assertThat(loop.getExceptionHandler()).isEmpty();

      loop.setExceptionHandler(reported);
      assertThat(loop.getExceptionHandler()).containsSame(reported);

      loop.setExceptionHandler(null);
      assertThat(loop.getExceptionHandler()).isEmpty();
      assertThatThrownBy(() -> Loop.builder().exceptionHandler(null))
          .isInstanceOf(NullPointerException.class);
    }
  }

  @Test
  @DisplayName("HND-02: the handler gets the loop and one context, in which keys may be absent")
  void theHandlerGetsTheLoopAndAContext() {
    var loops = new CopyOnWriteArrayList<Loop>();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              loops.add(from);
              reported.handle(from, context);
            })
            .build()) {
      loop.callExceptionHandler(new ExceptionContext("bare", null, null, Map.of()));

      assertThat(loops).containsExactly(loop);
      ExceptionContext context = reported.contexts.element();
      assertThat(context.message()).isEqualTo("bare");
      assertThat(context.exception()).isNull();
      assertThat(context.future()).isNull();
      assertThat(context.asMap()).containsExactly(Map.entry("message", "bare"));
    }
  }

  @Test
  @DisplayName("MP-12: the default loop's handler is the process's, for every loop without its own")
  void theDefaultLoopsHandlerServesEveryLoop() throws Exception {
    Loop.defaultLoop().setExceptionHandler(reported);
    try {
      for (int i = 0; i < 2; i++) {
        Loop.run(loop -> {
          Task<Object, IOException> unread = loop.createTask(() -> fail());
          await().until(unread::isDone);
          return null;
        });
      }
      try (Loop loop = Threads.builder().build()) {
        Task<Object, IOException> unread = loop.createTask(() -> fail());
        await().until(unread::isDone);
      }
      assertThat(reported.exceptions()).containsExactly(failure, failure, failure);

      var own = new Threads.Reported();
      try (Loop loop = Threads.builder().exceptionHandler(own).build()) {
        Task<Object, IOException> unread = loop.createTask(() -> fail());
        await().until(unread::isDone);
      }
      assertThat(own.exceptions()).containsExactly(failure);
      assertThat(reported.contexts).hasSize(3);
    } finally {
      Loop.defaultLoop().setExceptionHandler(null);
    }
  }

  @Test
  @DisplayName("HND-13: handler calls of one loop are serialised, however many tasks fail at once")
  void handlerCallsAreSerialised() {
    var inside = new AtomicInteger();
    var overlaps = new AtomicInteger();
    var calls = new AtomicInteger();
    int tasks = 50;
    var go = new CountDownLatch(1);
    var running = new CountDownLatch(tasks);
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              if (inside.incrementAndGet() > 1) {
                overlaps.incrementAndGet();
              }
              Thread.yield();
              calls.incrementAndGet();
              inside.decrementAndGet();
            })
            .build()) {
      for (int i = 0; i < tasks; i++) {
        loop.launch(() ->
            Task.shielded(() -> {
              running.countDown();
              go.await();
              throw new IOException("one of many");
            }));
      }
      await().until(() -> running.getCount() == 0);
      go.countDown();
    }

    assertThat(calls).hasValue(tasks);
    assertThat(overlaps).hasValue(0);
  }

  @Test
  @DisplayName(
      "HND-11: a handler that starts a failing task causes one new report, not a nested one")
  void aHandlerThatStartsAFailingTaskCausesOneNewReport() {
    var second = new IOException("from the handler");
    var inside = new AtomicInteger();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              assertThat(inside.incrementAndGet()).isEqualTo(1);
              reported.handle(from, context);
              if (context.exception() == failure) {
                from.launch(() -> {
                  throw second;
                });
              }
              inside.decrementAndGet();
            })
            .build()) {
      loop.launch(() -> fail());

      await().until(() -> reported.contexts.size() == 2);
    }
    assertThat(reported.exceptions()).containsExactly(failure, second);
  }

  @Test
  @DisplayName("HND-11: a handler may create and await tasks, and report, without a deadlock")
  void aHandlerMayCreateAndAwaitTasks() {
    var values = new ConcurrentLinkedQueue<String>();
    var extra = new ExceptionContext("from the handler", null, null, Map.of());
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              reported.handle(from, context);
              if (context.exception() == failure) {
                from.callExceptionHandler(extra);
                Task<String, RuntimeException> task =
                    from.createTask(() -> {
                      from.callExceptionHandler(extra);
                      return "created by the handler";
                    });
                values.add(value(task));
              }
            })
            .build()) {
      loop.callExceptionHandler(new ExceptionContext("body", failure, null, Map.of()));

      assertThat(values).containsExactly("created by the handler");
      await().until(() -> reported.contexts.size() == 3);
    }
    assertThat(reported.messages()).containsExactly("body", "from the handler", "from the handler");
  }

  @Test
  @DisplayName("HND-13: a handler that awaits the reporting task closes no circle")
  void aHandlerMayAwaitTheReportingTask() throws Exception {
    var seen = new CopyOnWriteArrayList<Object>();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              try {
                seen.add(context.future().await());
              } catch (Exception e) {
                seen.add(e);
              }
            })
            .build()) {
      Task<String, RuntimeException> reporter =
          loop.createTask(() -> {
            loop.callExceptionHandler(
                new ExceptionContext("about myself", null, Task.current().orElseThrow(), Map.of()));
            return "went on";
          });

      assertThat(reporter.await()).isEqualTo("went on");
    }
    assertThat(seen).isEqualTo(List.of("went on"));
  }

  @Test
  @DisplayName("HND-13: a handler that awaits the owner of a closing scope closes no circle")
  void aHandlerMayAwaitTheTaskWhoseScopeReports() throws Exception {
    var seen = new CopyOnWriteArrayList<Object>();
    var owner = new AtomicReference<Task<?, ?>>();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              reported.handle(from, context);
              try {
                seen.add(owner.get().await());
              } catch (Exception e) {
                seen.add(e);
              }
            })
            .build()) {
      Task<String, IOException> task =
          loop.createTask(() -> {
            owner.set(Task.current().orElseThrow());
            try (TaskScope<IOException> scope = TaskScope.open()) {
              Task<Object, IOException> child = scope.fork(() -> fail());
              await().until(child::isDone);
            }
            return "closed";
          });

      assertThat(task.await()).isEqualTo("closed");
    }
    assertThat(seen).isEqualTo(List.of("closed"));
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("HND-13: handlers of two loops that await each other's reporters close no circle")
  void handlersOfTwoLoopsMayAwaitEachOthersReporters() throws Exception {
    var reporters = new ConcurrentHashMap<String, Task<?, ?>>();
    var entered = new CountDownLatch(2);
    var seen = new ConcurrentLinkedQueue<Object>();
    try (Loop one = awaitingHandler("two", reporters, entered, seen);
        Loop two = awaitingHandler("one", reporters, entered, seen)) {
      reporters.put("one", one.createTask(() -> reportAndReturn(one)));
      reporters.put("two", two.createTask(() -> reportAndReturn(two)));

      for (Task<?, ?> reporter : reporters.values()) {
        assertThat(reporter.await()).isEqualTo("went on");
      }
      await().until(() -> seen.size() == 2);
    }
    assertThat(seen).containsExactly("went on", "went on");
  }

  private static Loop awaitingHandler(
      String awaited,
      Map<String, Task<?, ?>> reporters,
      CountDownLatch entered,
      Collection<Object> seen) {
    return Threads.builder()
        .exceptionHandler((from, context) -> {
          entered.countDown();
          pass(entered);
          await().until(() -> reporters.containsKey(awaited));
          try {
            seen.add(reporters.get(awaited).await());
          } catch (Exception e) {
            seen.add(e);
          }
        })
        .build();
  }

  private static String reportAndReturn(Loop loop) {
    loop.callExceptionHandler(new ExceptionContext("about myself", null, null, Map.of()));
    return "went on";
  }

  @Test
  @DisplayName("HND-13: who reports goes on when the handler has returned, also if interrupted")
  void theReporterWaitsForTheHandler() {
    var entered = new CountDownLatch(1);
    var leave = new CountDownLatch(1);
    var handled = new AtomicInteger();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              entered.countDown();
              pass(leave);
              handled.incrementAndGet();
            })
            .build()) {
      Task<Boolean, RuntimeException> reporter =
          loop.createTask(() -> {
            loop.callExceptionHandler(new ExceptionContext("slow", null, null, Map.of()));
            assertThat(handled).hasValue(1);
            return Thread.interrupted();
          });
      pass(entered);
      assertThat(reporter.cancel("hurry")).isTrue();
      leave.countDown();

      await().until(reporter::isDone);
      assertThat(reporter.outcome()).isEqualTo(new Outcome.Success<>(true));
    }
  }

  @Test
  @DisplayName("HND-11: a handler that creates a task while its loop closes gets a cancelled one")
  void whileTheLoopClosesAHandlerGetsACancelledTask() {
    var created = new CopyOnWriteArrayList<Task<?, ?>>();
    var closed = new CopyOnWriteArrayList<Boolean>();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              closed.add(from.isClosed());
              created.add(from.createTask(() -> "never runs"));
              reported.handle(from, context);
            })
            .build()) {
      Task<Object, IOException> unread = loop.createTask(() -> fail());
      await().until(unread::isDone);
    }

    assertThat(reported.exceptions()).containsExactly(failure);
    assertThat(created).singleElement().matches(Task::isCancelled);
    assertThat(closed).containsExactly(false);
  }

  private Object fail() throws IOException {
    throw failure;
  }

  private static void pass(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static <T> T value(Task<T, RuntimeException> task) {
    try {
      return task.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
