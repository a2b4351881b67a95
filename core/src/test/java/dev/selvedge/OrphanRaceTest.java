package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Several of the ways to report a failure at the same time: it is reported at most once. */
@ExtendWith(Oracle.class)
@Tag("race")
class OrphanRaceTest {
  private static final int ROUNDS = Threads.times(100);

  @Test
  @DisplayName("MP-01, orphan 2 and 4: the timer against the close: each failure is reported once")
  void theTimerAgainstTheClose() throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      var reported = new Threads.Reported();
      var failures = List.of(new IOException("one"), new IOException("two"));
      try (Loop loop =
          Threads.builder()
              .exceptionHandler(reported)
              .orphanAfter(Duration.ofNanos(1 + 50_000L * (i % 10)))
              .build()) {
        var done = new CountDownLatch(failures.size());
        for (IOException failure : failures) {
          Task<Object, IOException> task =
              loop.createTask(() -> {
                throw failure;
              });
          task.onDone(ended -> done.countDown());
        }
        done.await();
      }

      assertThat(reported.exceptions()).containsExactlyInAnyOrderElementsOf(failures);
    }
  }

  @Test
  @DisplayName("MP-02: the timer against an await: reported at most once, and always thrown")
  void theTimerAgainstAnAwait() {
    for (int i = 0; i < ROUNDS; i++) {
      var reported = new Threads.Reported();
      var failure = new IOException("both");
      try (Loop loop =
          Threads.builder()
              .exceptionHandler(reported)
              .orphanAfter(Duration.ofNanos(1 + 20_000L * (i % 10)))
              .build()) {
        Task<Object, IOException> task =
            loop.createTask(() -> {
              throw failure;
            });

        assertThat(catchThrowable(task::await)).isSameAs(failure);
      }

      assertThat(reported.contexts).hasSizeLessThanOrEqualTo(1);
    }
  }

  @Test
  @DisplayName("EXC-03: many who await a failure at the moment it happens all get the same object")
  void manyAwaitAFailureAtTheMomentItHappens() throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      var reported = new Threads.Reported();
      var failure = new IOException("for all");
      try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
        var task = new AtomicReference<Task<Object, IOException>>();
        var go = new CountDownLatch(1);
        task.set(
            loop.createTask(() -> {
              go.await();
              throw failure;
            }));
        var seen = new HashSet<Throwable>();
        List<Task<Throwable, RuntimeException>> waiters =
            List.of(
                loop.createTask(() -> catchThrowable(task.get()::await)),
                loop.createTask(() -> catchThrowable(task.get()::await)),
                loop.createTask(() -> catchThrowable(task.get()::await)));
        go.countDown();
        for (Task<Throwable, RuntimeException> waiter : waiters) {
          seen.add(waiter.await());
        }
        assertThat(seen).containsExactly(failure);
      }
      assertThat(reported.contexts).isEmpty();
    }
  }
}
