package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@link Sweep}s of a task: its cancellation, its waiters, its thread. */
@Tag("race")
@ExtendWith(Oracle.class)
class SweepTest {
  private final Threads.Reported reported = new Threads.Reported();

  @Test
  @DisplayName("sweep, CAN-01: complete against cancel: who is told false changes nothing")
  void completeAgainstCancel() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Sweep.play(
          List.of("task", "canceller"),
          sweep -> {
            var ran = new AtomicBoolean();
            var leaked = new AtomicBoolean();
            Task<String, RuntimeException> task =
                loop.createTask(
                    "task",
                    () -> {
                      ran.set(true);
                      return "value";
                    });
            FutureTask<Boolean> accepted = sweep.start("canceller", () -> task.cancel());
            task.onDone(done -> leaked.set(Thread.currentThread().isInterrupted()));
            Throwable thrown = catchThrowable(task::await);

            assertThat(task.state())
                .isEqualTo(ran.get() ? Future.State.SUCCESS : Future.State.CANCELLED);
            assertThat(thrown == null).isEqualTo(ran.get());
            assertThat(accepted.get() || ran.get()).isTrue();
            assertThat(task.cancelRequests()).isEqualTo(accepted.get() ? 1 : 0);
            assertThat(leaked).isFalse();
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep, CAN-02: cancel against start: it ends as cancelled, in its body or before")
  void cancelAgainstStart() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Sweep.play(
          List.of("task", "canceller", "second"),
          sweep -> {
            var ran = new AtomicBoolean();
            Task<Void, RuntimeException> task =
                loop.createTask(
                    "task",
                    () -> {
                      ran.set(true);
                      new CountDownLatch(1).await();
                    });
            FutureTask<Boolean> first = sweep.start("canceller", () -> task.cancel());
            FutureTask<Boolean> second = sweep.start("second", () -> task.cancel());
            Throwable thrown = catchThrowable(task::await);

            assertThat(thrown)
                .isInstanceOf(TaskCancelledException.class)
                .satisfies(e -> assertThat(e.getCause() != null).isEqualTo(ran.get()));
            if (sweep.hasPassed("canceller requested", "task start")) {
              assertThat(ran).as("the body of a task that was cancelled before").isFalse();
            }
            int accepted = (first.get() ? 1 : 0) + (second.get() ? 1 : 0);
            assertThat(task.cancelRequests()).isEqualTo(accepted).isPositive();
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep: await against completion: every waiter wakes and gets the failure itself")
  void awaitAgainstCompletion() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Sweep.play(
          List.of("task", "reader", "another"),
          sweep -> {
            var failure = new IOException("for both");
            Task<Void, IOException> task =
                loop.createTask(
                    "task",
                    () -> {
                      throw failure;
                    });
            FutureTask<Throwable> reader = sweep.start("reader", () -> catchThrowable(task::await));
            FutureTask<Throwable> another =
                sweep.start("another", () -> catchThrowable(task::await));

            assertThat(reader.get()).isSameAs(failure);
            assertThat(another.get()).isSameAs(failure);
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep: a callback against completion: each is called once, in order")
  void callbackAgainstCompletion() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Sweep.play(
          List.of("task", "adder"),
          sweep -> {
            var calls = new StringBuffer();
            Task<String, RuntimeException> task = loop.createTask("task", () -> "value");
            FutureTask<?> adder =
                sweep.start(
                    "adder",
                    () -> {
                      task.onDone(done -> calls.append(done.isDone() ? "a" : "too early"));
                      task.onDone(done -> calls.append("b"));
                      return null;
                    });
            task.await();
            adder.get();
            while (!((TaskImpl<?, ?>) task).hasEnded()) {
              Thread.onSpinWait();
            }

            assertThat(calls).hasToString("ab");
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep: interrupt after the end: a task's thread is left without an interrupt")
  void interruptAfterTheEnd() throws Exception {
    var left = new AtomicReference<@Nullable FutureTask<Boolean>>();
    ThreadFactory reusing =
        task -> {
          var flag =
              new FutureTask<>(() -> {
                task.run();
                // As the thread of a pool goes on to what comes next.
                Points.reach("next");
                Points.reach("after");
                return Thread.interrupted();
              });
          left.set(flag);
          return Threads.PLATFORM
              ? Thread.ofPlatform().daemon().unstarted(flag)
              : Thread.ofVirtual().unstarted(flag);
        };
    try (Loop loop = Threads.builder().threadFactory(reusing).exceptionHandler(reported).build()) {
      Sweep.play(
          List.of("task", "canceller"),
          sweep -> {
            Task<String, RuntimeException> task = loop.createTask("task", () -> "value");
            FutureTask<Boolean> flag = left.get();
            FutureTask<Boolean> accepted = sweep.start("canceller", () -> task.cancel());

            assertThat(flag.get()).as("interrupt after the end").isFalse();
            assertThat(accepted.get()).isEqualTo(task.cancelRequests() == 1);
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep: interrupt after the end: a CancelScope leaves none behind its body")
  void interruptAfterTheEndOfAScope() throws Exception {
    Sweep.play(
        List.of("body", "canceller"),
        sweep -> {
          var scope = CancelScope.create();
          FutureTask<Boolean> cancelled = sweep.start("canceller", () -> scope.cancel("sweep"));
          FutureTask<Throwable> body =
              sweep.start(
                  "body",
                  () -> {
                    Throwable thrown =
                        catchThrowable(() ->
                            scope.run(() -> {
                              Points.reach("body");
                              if (sweep.number() % 3 == 0) {
                                Task.checkCancelled();
                              }
                            }));
                    Points.reach("next");
                    Points.reach("after");
                    assertThat(Thread.interrupted()).as("interrupt after the end").isFalse();
                    return thrown;
                  });

          if (body.get() != null) {
            assertThat(body.get()).isInstanceOf(TaskCancelledException.class);
            assertThat(cancelled.get()).isTrue();
          }
          assertThat(cancelled.get()).isEqualTo(scope.cancelReason().isPresent());
        });
  }

  @Test
  @DisplayName("sweep: interrupt after the end: a shield keeps a request for what follows it")
  void cancelAgainstTheEndOfAShield() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Sweep.play(
          List.of("task", "canceller"),
          sweep -> {
            var inside = new AtomicInteger();
            Task<Void, RuntimeException> task =
                loop.createTask(
                    "task",
                    () -> {
                      Points.reach("before");
                      Task.shielded(() -> {
                        Points.reach("body");
                        if (Thread.currentThread().isInterrupted()) {
                          inside.incrementAndGet();
                        }
                      });
                      new CountDownLatch(1).await();
                    });
            FutureTask<Boolean> accepted = sweep.start("canceller", () -> task.cancel());

            assertThat(catchThrowable(task::await)).isInstanceOf(TaskCancelledException.class);
            assertThat(accepted.get()).isTrue();
            assertThat(inside).as("interrupts inside of the shield").hasValue(0);
          });
    }
    assertThat(reported.contexts).isEmpty();
  }
}
