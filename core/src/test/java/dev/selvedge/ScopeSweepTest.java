package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@link Sweep}s of what owns tasks: a scope and its children, a loop and its tasks. */
@Tag("race")
@ExtendWith(Oracle.class)
class ScopeSweepTest {
  private final Fates fates = new Fates();
  private final Threads.Reported reported = new Threads.Reported();

  private Loop loop() {
    return Threads.builder().exceptionHandler(reported).listener(fates).build();
  }

  /** Blocks until it is cancelled. */
  private static void block() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  /** A body that counts whether it is inside. */
  private static Action<RuntimeException> blocking(AtomicInteger inside) {
    return () -> {
      inside.incrementAndGet();
      try {
        block();
      } finally {
        Points.reach("clean up");
        inside.decrementAndGet();
      }
    };
  }

  @Test
  @DisplayName("sweep, L1, L4: a child fails while its scope closes: each failure has one fate")
  void childFailsWhileTheScopeCloses() throws Exception {
    try (Loop loop = loop()) {
      Sweep.play(
          List.of("owner", "child", "sibling"),
          sweep -> {
            var failure = new IOException("child");
            var cleanUp = new IOException("sibling");
            var thrown = Collections.synchronizedList(new ArrayList<Throwable>());
            var tasks = new ArrayList<Task<?, ?>>();
            Task<@Nullable Throwable, RuntimeException> owner =
                loop.createTask(
                    "owner",
                    () ->
                        catchThrowable(() -> {
                          try (var scope = TaskScope.<IOException>open()) {
                            tasks.add(
                                scope.fork(
                                    "child",
                                    () -> {
                                      thrown.add(failure);
                                      throw failure;
                                    }));
                            tasks.add(
                                scope.fork(
                                    "sibling",
                                    () -> {
                                      try {
                                        block();
                                      } finally {
                                        thrown.add(cleanUp);
                                        throwIt(cleanUp);
                                      }
                                    }));
                            if (sweep.number() % 2 == 0) {
                              scope.join();
                            }
                          }
                          assertThat(tasks).allMatch(task -> ((TaskImpl<?, ?>) task).hasEnded());
                        }));
            Throwable primary = owner.await();

            fates.assertOnce(thrown);
            assertThat(primary).isIn(failure, null);
            if (primary != null && thrown.contains(cleanUp)) {
              assertThat(Suppressed.in(primary)).contains(cleanUp);
            }
            assertThat(reported.exceptions()).hasSize(primary == null ? thrown.size() : 0);
            reported.contexts.clear();
          });
    }
  }

  private static void throwIt(IOException exception) throws IOException {
    throw exception;
  }

  @Test
  @DisplayName("sweep, L3: two children fail together: one is thrown, the other suppressed in it")
  void twoChildrenFailTogether() throws Exception {
    try (Loop loop = loop()) {
      Sweep.play(
          List.of("one", "two", "owner"),
          sweep -> {
            var failures = List.of(new IOException("one"), new IOException("two"));
            var thrown = Collections.synchronizedList(new ArrayList<Throwable>());
            Task<@Nullable Throwable, RuntimeException> owner =
                loop.createTask(
                    "owner",
                    () ->
                        catchThrowable(() -> {
                          try (var scope = TaskScope.<IOException>open()) {
                            for (IOException failure : failures) {
                              var unused =
                                  scope.fork(
                                      failure.getMessage(),
                                      () -> {
                                        thrown.add(failure);
                                        throw failure;
                                      });
                            }
                            scope.join();
                          }
                        }));
            Throwable primary = owner.await();

            assertThat(primary).isIn(thrown);
            thrown.remove(primary);
            // One that was cancelled before it began has thrown nothing.
            assertThat(Suppressed.in(primary)).containsExactlyInAnyOrderElementsOf(thrown);
            thrown.add(primary);
            fates.assertOnce(thrown);
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep: join against the last child: the owner wakes, and finds it ended")
  void joinAgainstTheLastChild() throws Exception {
    try (Loop loop = loop()) {
      Sweep.play(
          List.of("owner", "child"),
          sweep -> {
            Task<Void, Exception> owner =
                loop.createTask(
                    "owner",
                    () -> {
                      try (var scope =
                          TaskScope.<Exception>open(
                              sweep.number() % 2 == 0
                                  ? TaskScope.Policy.CANCEL_ON_FAILURE
                                  : TaskScope.Policy.SUPERVISE)) {
                        Task<String, Exception> child = scope.fork("child", () -> "value");
                        scope.join();
                        assertThat(child.result()).isEqualTo("value");
                        assertThat(((TaskImpl<?, ?>) child).hasEnded()).isTrue();
                      }
                    });
            owner.await();
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep, L12: close against fork: no body runs when close has returned, nor later")
  void closeAgainstFork() throws Exception {
    try (Loop loop = loop()) {
      Sweep.play(
          List.of("owner", "forker", "child"),
          sweep -> {
            var inside = new AtomicInteger();
            var forker = new ArrayList<FutureTask<@Nullable Task<?, ?>>>();
            Task<Void, Exception> owner =
                loop.createTask(
                    "owner",
                    () -> {
                      try (var scope =
                          TaskScope.<RuntimeException>open(
                              sweep.number() % 2 == 0
                                  ? TaskScope.Policy.CANCEL_ON_FAILURE
                                  : TaskScope.Policy.SUPERVISE)) {
                        if (sweep.number() % 3 != 0) {
                          // Then the next one is listed without the owner's monitor.
                          Task<String, RuntimeException> first =
                              sweep.start("first", () -> scope.fork(() -> "first")).get();
                          first.await();
                          scope.join();
                        }
                        forker.add(
                            sweep.start(
                                "forker",
                                () -> {
                                  try {
                                    return scope.fork("child", blocking(inside));
                                  } catch (IllegalStateException closed) {
                                    assertThat(closed).hasMessageContaining("closed");
                                    return null;
                                  }
                                }));
                        Points.reach("body");
                      }
                      assertThat(inside).as("bodies when close returns").hasValue(0);
                    });
            owner.await();
            Task<?, ?> child = forker.getFirst().get();

            assertThat(inside).as("bodies afterwards").hasValue(0);
            if (child != null) {
              assertThat(child.isCancelled()).isTrue();
              assertThat(child.cancelRequests()).isEqualTo(1);
            }
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep, SHUT-06: spawn against shutdown: the task has ended or was refused")
  void spawnAgainstShutdown() throws Exception {
    Sweep.play(
        List.of("closer", "creator", "task"),
        sweep -> {
          var inside = new AtomicInteger();
          Loop loop = loop();
          FutureTask<@Nullable Task<?, ?>> creator =
              sweep.start(
                  "creator",
                  () -> {
                    try {
                      Points.reach("before");
                      return loop.createTask("task", blocking(inside));
                    } catch (RejectedExecutionException | IllegalStateException refused) {
                      return null;
                    }
                  });
          FutureTask<Integer> closer =
              sweep.start(
                  "closer",
                  () -> {
                    if (sweep.number() % 2 == 0) {
                      loop.shutdown();
                      Points.reach("shut down");
                    }
                    loop.close();
                    return inside.get();
                  });

          assertThat(closer.get()).as("bodies when close returns").isZero();
          Task<?, ?> task = creator.get();
          assertThat(inside).as("bodies afterwards").hasValue(0);
          if (task != null) {
            assertThat(task.isCancelled()).isTrue();
            assertThat(task.cancelRequests()).isEqualTo(1);
          }
        });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("sweep: cancelling the owner against its own cancellation of the child: asked once")
  void cancelOfTheOwnerAgainstJoin() throws Exception {
    try (Loop loop = loop()) {
      Sweep.play(
          List.of("owner", "canceller", "child"),
          sweep -> {
            var interrupts = new AtomicInteger();
            var child = new ArrayList<Task<?, ?>>();
            Task<Void, Exception> owner =
                loop.createTask(
                    "owner",
                    () -> {
                      try (var scope = TaskScope.<Exception>open()) {
                        child.add(
                            scope.fork(
                                "child",
                                () -> {
                                  try {
                                    block();
                                  } finally {
                                    Points.reach("clean up");
                                    Points.reach("cleaned up");
                                    if (Thread.currentThread().isInterrupted()) {
                                      interrupts.incrementAndGet();
                                    }
                                  }
                                }));
                        scope.join();
                      }
                    });
            FutureTask<Boolean> accepted = sweep.start("canceller", () -> owner.cancel());

            assertThat(catchThrowable(owner::await)).isInstanceOf(TaskCancelledException.class);
            assertThat(accepted.get()).isTrue();
            assertThat(child).allMatch(task -> task.cancelRequests() == 1);
            assertThat(interrupts).as("interrupts of the clean-up").hasValue(0);
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "sweep, MP-02: await against orphan verdict: one fate, and the reader always gets it")
  void awaitAgainstTheOrphanVerdict() throws Exception {
    Sweep.play(
        List.of("reader", "closer", "timer"),
        sweep -> {
          var clock = new ManualClock();
          var failure = new IOException("one fate");
          Loop loop =
              Threads.builder()
                  .exceptionHandler(reported)
                  .listener(fates)
                  .clock(clock)
                  .orphanAfter(Duration.ofSeconds(1))
                  .build();
          Task<Void, IOException> task =
              loop.createTask(() -> {
                throw failure;
              });
          while (!((TaskImpl<?, ?>) task).hasEnded()) {
            Thread.onSpinWait();
          }
          FutureTask<Throwable> reader =
              sweep.start(
                  "reader",
                  () -> {
                    if (sweep.number() % 3 == 0) {
                      task.ignoreFailure();
                      return failure;
                    }
                    return catchThrowable(task::await);
                  });
          FutureTask<Integer> closer =
              sweep.start(
                  "closer",
                  () -> {
                    loop.close();
                    return reported.contexts.size();
                  });
          FutureTask<?> timer =
              sweep.start(
                  "timer",
                  () -> {
                    clock.advance(Duration.ofSeconds(2));
                    return null;
                  });

          assertThat(reader.get()).isSameAs(failure);
          timer.get();
          int reportsAtClose = closer.get();
          assertThat(reported.contexts).hasSize(reportsAtClose);
          assertThat(reported.exceptions())
              .isEqualTo(fates.of(failure).contains("orphaned") ? List.of(failure) : List.of());
          fates.assertOnce(List.of(failure));
          reported.contexts.clear();
        });
  }
}
