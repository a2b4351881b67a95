package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("race")
@ExtendWith(Oracle.class)
class ScopeRaceTest {
  private static final int TIMES = Threads.times(Threads.PLATFORM ? 60 : 300);
  private final Threads.Reported reported = new Threads.Reported();

  private void inTask(Action<Exception> body) throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.<Exception>runUntilComplete(body);
    }
  }

  private static Set<Throwable> identitySet() {
    return Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));
  }

  @Test
  @DisplayName(
      "two children fail at once: one is thrown, the other is suppressed in it or after it")
  void twoChildrenFailAtOnce() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES; i++) {
        var failures = List.of(new IOException("a"), new IOException("b"));
        var ready = new CountDownLatch(2);
        Throwable thrown = null;
        try (var scope = TaskScope.<IOException>open()) {
          for (IOException failure : failures) {
            var unused =
                scope.fork(() -> {
                  ready.countDown();
                  while (ready.getCount() > 0) {
                    Thread.yield();
                  }
                  throw failure;
                });
          }
          scope.join();
        } catch (IOException e) {
          thrown = e;
        }

        assertThat(thrown).isIn(failures);
        IOException other = failures.get(thrown == failures.get(0) ? 1 : 0);
        assertThat(thrown.getSuppressed()).contains(other);
      }
    });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L12: threads fork while the scope is cancelled and closed: every task is done")
  void forkRacesWithCancelAndClose() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES / 3; i++) {
        var tasks = new ConcurrentLinkedQueue<Task<?, ?>>();
        var bodies = new AtomicInteger();
        var ended = new AtomicInteger();
        var threads = new ArrayList<Thread>();
        var forked = new CountDownLatch(1 + i % 20);
        try (var scope = TaskScope.<Exception>open()) {
          for (int t = 0; t < 4; t++) {
            threads.add(
                Thread.ofVirtual()
                    .start(() -> {
                      try {
                        for (int n = 0; n < 200; n++) {
                          tasks.add(
                              scope.fork(() -> {
                                bodies.incrementAndGet();
                                try {
                                  Thread.sleep(60_000);
                                } finally {
                                  ended.incrementAndGet();
                                }
                              }));
                          forked.countDown();
                        }
                      } catch (IllegalStateException closed) {
                        forked.countDown();
                      }
                    }));
          }
          forked.await();
          if (i % 2 == 0) {
            scope.cancel("race");
          }
        }
        assertThat(ended.get()).isEqualTo(bodies.get());
        for (Thread thread : threads) {
          thread.join();
        }

        assertThat(tasks).allMatch(Task::isCancelled);
        assertThat(ended.get()).isEqualTo(bodies.get()).isLessThanOrEqualTo(tasks.size());
      }
    });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("cancelling the owner races with its forks: every child ends, none is missed")
  void cancelRacesWithFork() throws Exception {
    for (int i = 0; i < TIMES / 3; i++) {
      var children = new ConcurrentLinkedQueue<Task<?, ?>>();
      var forked = new CountDownLatch(1 + i % 20);
      try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
        Task<Void, Exception> owner =
            loop.createTask(() -> {
              try (var scope = TaskScope.<Exception>open()) {
                for (int n = 0; n < 40; n++) {
                  children.add(scope.fork(() -> Thread.sleep(60_000)));
                  forked.countDown();
                }
                scope.join();
              }
            });
        forked.await();
        owner.cancel("race");
      }

      assertThat(children).hasSize(40).allMatch(Task::isCancelled);
      assertThat(children).allMatch(child -> child.cancelRequests() == 1);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "retrieval races with close: what nobody read is reported once, the rest at most once")
  void retrievalRacesWithClose() throws Exception {
    int perRound = 8;
    Set<Throwable> unread = identitySet();
    Set<Throwable> read = identitySet();
    for (int i = 0; i < TIMES / 3; i++) {
      var readers = new ArrayList<Thread>();
      try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
        for (int n = 0; n < perRound; n++) {
          var failure = new IOException("round " + i + ", task " + n);
          Task<Void, IOException> task =
              loop.createTask(() -> {
                throw failure;
              });
          if (n % 2 == 0) {
            unread.add(failure);
          } else {
            readers.add(
                Thread.ofVirtual()
                    .start(() -> {
                      try {
                        task.await();
                      } catch (IOException e) {
                        read.add(e);
                      } catch (InterruptedException | TaskCancelledException e) {
                        // A body that had not begun when the loop closed fails no more.
                      }
                    }));
          }
        }
        while (loop.allTasks().stream().anyMatch(task -> !task.isDone())) {
          Thread.yield();
        }
      }
      for (Thread reader : readers) {
        reader.join();
      }
    }

    Set<Throwable> once = identitySet();
    assertThat(reported.exceptions()).allMatch(once::add);
    assertThat(once).containsAll(unread);
    assertThat(once).allMatch(failure -> unread.contains(failure) || read.contains(failure));
    assertThat(read).hasSize(TIMES / 3 * perRound / 2);
  }
}
