package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Action;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("race")
class TaskGroupRaceTest extends LoopFixture {
  private static final int TIMES = (Threads.PLATFORM ? 300 : 3_000) * Threads.EFFORT;
  private static final int MOST = 15;

  private static void spin(int most) {
    for (int i = ThreadLocalRandom.current().nextInt(most); i > 0; i--) {
      Thread.onSpinWait();
    }
  }

  /** The members, or none if the call returned. No request and no interrupt may be left. */
  private static List<Throwable> members(GroupAction body) throws InterruptedException {
    List<Throwable> members;
    try {
      TaskGroup.run(body);
      members = List.of();
    } catch (ExceptionGroup group) {
      members = group.exceptions();
    }
    if (Thread.currentThread().isInterrupted()
        || Task.current().orElseThrow().cancelRequests() != 0) {
      throw new AssertionError("a stray cancellation");
    }
    return members;
  }

  @Test
  @DisplayName(
      "a child fails while the body is just ending: always one group, no stray cancellation"
          + " [TG-21]")
  void failureAgainstTheEndOfTheBody() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES; i++) {
        var failure = new IOException("child");
        List<Throwable> members =
            members(group -> {
              group.createTask(() -> {
                spin(300);
                throw failure;
              });
              spin(300);
            });

        assertThat(members).containsExactly(failure);
      }
    });
  }

  @Test
  @DisplayName(
      "two children fail at the same instant: the group has those that ran, each once [L3]")
  void twoFailAtOnce() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES; i++) {
        var thrown = new ConcurrentLinkedQueue<Throwable>();
        var others = new AtomicInteger(2);
        Action<IOException> failing =
            () -> {
              others.decrementAndGet();
              while (others.get() > 0) {
                Thread.yield();
              }
              var failure = new IOException("child");
              thrown.add(failure);
              throw failure;
            };
        List<Throwable> members =
            members(group -> {
              group.createTask(failing);
              group.createTask(failing);
            });

        assertThat(members).containsExactlyInAnyOrderElementsOf(thrown).hasSize(2);
      }
    });
  }

  @Test
  @DisplayName(
      "the group's cancel races with the end and with a failure: no exception is invented, none"
          + " lost")
  void cancelRaces() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES; i++) {
        boolean fails = i % 2 == 0;
        var thrown = new ConcurrentLinkedQueue<Throwable>();
        List<Throwable> members =
            members(group -> {
              group.createTask(() -> {
                spin(200);
                if (fails) {
                  var failure = new IOException("child");
                  thrown.add(failure);
                  throw failure;
                }
              });
              group.createTask(() -> {
                spin(200);
                group.cancel("early");
              });
              spin(200);
            });

        assertThat(members).containsExactlyElementsOf(thrown);
      }
    });
  }

  /** Waits for ever, until it is interrupted. */
  private static void block(CountDownLatch begun) throws InterruptedException {
    begun.countDown();
    new CountDownLatch(1).await();
  }

  @Test
  @DisplayName(
      "the body awaits a task of the group that is cancelled: no exception is made of it, and of a"
          + " sibling's failure one member")
  void theBodyAwaitsATask() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES / 3; i++) {
        boolean fails = i % 2 == 0;
        var failure = new IOException("child");
        var begun = new CountDownLatch(1);
        List<Throwable> members =
            members(group -> {
              var awaited = group.createTask(() -> block(begun));
              group.createTask(() -> {
                begun.await();
                if (fails) {
                  throw failure;
                }
                group.cancel("early");
              });
              awaited.await();
            });

        assertThat(members).isEqualTo(fails ? List.of(failure) : List.of());
      }
    });
  }

  @Test
  @DisplayName("the body and a task await one that fails: it is a member once")
  void severalAwaitTheFailure() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES / 3; i++) {
        var failure = new IOException("child");
        List<Throwable> members =
            members(group -> {
              var failing =
                  group.createTask(() -> {
                    spin(300);
                    throw failure;
                  });
              group.createTask(() -> failing.await());
              failing.await();
            });

        assertThat(members).containsExactly(failure);
      }
    });
  }

  @Test
  @DisplayName("a group within the body awaits a task of the outer one: one failure, one member")
  void aNestedGroupAwaitsATask() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES / 3; i++) {
        var failure = new IOException("child");
        var begun = new CountDownLatch(1);
        List<Throwable> members =
            members(outer -> {
              var awaited = outer.createTask(() -> block(begun));
              outer.createTask(() -> {
                begun.await();
                throw failure;
              });
              TaskGroup.run(inner -> {
                inner.createTask(() -> block(new CountDownLatch(1)));
                awaited.await();
              });
            });

        assertThat(members).containsExactly(failure);
      }
    });
  }

  @Test
  @DisplayName("a task awaits one of a group within the body: one failure, one member")
  void aTaskAwaitsOneOfANestedGroup() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES / 3; i++) {
        var failure = new IOException("child");
        var begun = new CountDownLatch(2);
        List<Throwable> members =
            members(outer -> {
              outer.createTask(() -> {
                begun.await();
                throw failure;
              });
              TaskGroup.run(inner -> {
                var awaited = inner.createTask(() -> block(begun));
                outer.createTask(() -> {
                  begun.countDown();
                  awaited.await();
                });
                block(begun);
              });
            });

        assertThat(members).containsExactly(failure);
      }
    });
  }

  @Test
  @DisplayName("the caller is cancelled while the body awaits a task: InterruptedException alone")
  void outsideCancellationWhileTheBodyAwaits() throws Exception {
    for (int i = 0; i < TIMES / 3; i++) {
      var begun = new CountDownLatch(1);
      var thrown = new ConcurrentLinkedQueue<Throwable>();
      Task<Void, Exception> caller =
          loop.createTask(() -> {
            try {
              TaskGroup.run(group -> group.createTask(() -> block(begun)).await());
            } catch (ExceptionGroup | InterruptedException e) {
              thrown.add(e);
            }
          });
      begun.await();

      caller.cancel("outside");

      caller.awaitDone();
      caller.outcome();
      assertThat(thrown).singleElement().isInstanceOf(InterruptedException.class);
    }
  }

  @Test
  @DisplayName("an outside cancellation races with a failure and the end: it is never lost [TG-34]")
  void outsideCancellation() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      boolean fails = i % 2 == 0;
      var begun = new CountDownLatch(1);
      var inTime = new ConcurrentLinkedQueue<Boolean>();
      Task<Void, Exception> caller =
          loop.createTask(() -> {
            begun.countDown();
            try {
              TaskGroup.run(group -> {
                group.createTask(() -> {
                  spin(300);
                  if (fails) {
                    throw new IOException("child");
                  }
                });
                spin(300);
              });
            } catch (ExceptionGroup group) {
              assertThat(fails).isTrue();
            }
            // A request that came before this is pending now, if nothing has thrown it.
            boolean asked = Task.current().orElseThrow().cancelRequests() > 0;
            inTime.add(!asked || isInterruptedSoon());
          });
      begun.await();
      spin(600);

      caller.cancel("outside");

      caller.awaitDone();
      caller.outcome();
      assertThat(inTime).doesNotContain(false);
    }
  }

  /** The interrupt follows the request; nobody waits for it but this. */
  private static boolean isInterruptedSoon() {
    long start = System.nanoTime();
    while (!Thread.currentThread().isInterrupted()) {
      if (System.nanoTime() - start > 5_000_000_000L) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }

  @Test
  @DisplayName(
      "n children before, one failing, m forks racing with it: each failure is a member once")
  void sweep() throws Exception {
    inTask(() -> {
      for (int before = 0; before <= MOST; before++) {
        for (int racing = 0; racing <= MOST; racing++) {
          sweep(before, racing);
        }
      }
    });
  }

  private static void sweep(int before, int racing) throws InterruptedException {
    var thrown = new ConcurrentLinkedQueue<Throwable>();
    var running = new AtomicInteger();
    var created = new ArrayList<Task<?, ?>>();
    Action<IOException> failingInCleanUp =
        () -> {
          running.incrementAndGet();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException cancelled) {
            var failure = new IOException("clean-up");
            thrown.add(failure);
            throw failure;
          } finally {
            running.decrementAndGet();
          }
        };
    List<Throwable> members =
        members(group -> {
          for (int i = 0; i < before; i++) {
            created.add(group.createTask(failingInCleanUp));
          }
          group.createTask(() -> {
            var failure = new IOException("the failing one");
            thrown.add(failure);
            throw failure;
          });
          for (int i = 0; i < racing; i++) {
            created.add(group.createTask(failingInCleanUp));
          }
        });

    assertThat(running).hasValue(0);
    assertThat(created).hasSize(before + racing).allMatch(Task::isDone);
    Set<Throwable> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
    distinct.addAll(members);
    assertThat(distinct).hasSameSizeAs(members);
    assertThat(members).containsExactlyInAnyOrderElementsOf(thrown);
  }
}
