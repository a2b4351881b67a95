package dev.selvedge.gather;

import static dev.selvedge.gather.Gather.gather;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.CancelScope;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class GatherTest extends LoopFixture {
  GatherTest() {
    super(Kit.builder().expectAnything().build());
  }

  @Test
  @DisplayName("values come in the order of the bodies, whoever ends first [GATHER-01]")
  void valuesInOrder() throws Exception {
    inTask(() -> {
      var second = new CountDownLatch(1);

      List<String> values =
          gather(
              () -> {
                second.await();
                return "a";
              },
              () -> {
                second.countDown();
                return "b";
              });

      assertThat(values).containsExactly("a", "b");
      assertThatThrownBy(() -> values.set(0, "c"))
          .isInstanceOf(UnsupportedOperationException.class);
    });
  }

  @Test
  @DisplayName("null is a value like any other")
  void nullIsAValue() throws Exception {
    inTask(() -> {
      List<@Nullable String> values = gather(() -> null, () -> "b");

      assertThat(values).containsExactly(null, "b");
    });
  }

  @Test
  @DisplayName("no bodies: an empty list at once [GATHER-02]")
  void nothingToGather() throws Exception {
    List<Body<String, IOException>> none = List.of();

    assertThat(gather(none)).isEmpty();
    assertThat(Gather.settle(none)).isEmpty();
  }

  @Test
  @DisplayName("no bodies, but a pending cancellation: it is seen, as every wait is a checkpoint")
  void anEmptyGatherIsACheckpoint() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> gather(List.<Body<String, IOException>>of()))
        .isInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("it works on a thread that is no task")
  void withoutATask() throws Exception {
    assertThat(gather(() -> 1, () -> 2, () -> 3)).containsExactly(1, 2, 3);
  }

  @Test
  @DisplayName("actions run at the same time and are waited for")
  void actions() throws Exception {
    inTask(() -> {
      var together = new CountDownLatch(3);
      Action<IOException> meeting =
          () -> {
            together.countDown();
            together.await();
          };

      gather(meeting, meeting, meeting);

      assertThat(together.getCount()).isZero();
    });
  }

  @Test
  @DisplayName(
      "the first failure is thrown as itself when the cancelled siblings have ended [GATHER-03]")
  void theFirstFailureIsThrown() throws Exception {
    var failure = new IOException("first");
    var reasons = new ArrayList<CancelReason>();
    var ended = new AtomicInteger();
    inTask(() -> {
      var begun = new CountDownLatch(2);
      Body<String, IOException> sibling =
          () -> {
            begun.countDown();
            try {
              Thread.sleep(Duration.ofDays(1));
              return "never";
            } finally {
              synchronized (reasons) {
                reasons.add(Task.current().orElseThrow().cancelReason().orElseThrow());
              }
              ended.incrementAndGet();
            }
          };

      Throwable thrown =
          catchThrowable(() ->
              Gather.<String, IOException>gather(
                  sibling,
                  () -> {
                    begun.await();
                    throw failure;
                  },
                  sibling));

      assertThat(thrown).isSameAs(failure);
      assertThat(ended).hasValue(2);
      assertThat(reasons)
          .hasSize(2)
          .allSatisfy(reason -> {
            assertThat(reason.source()).isEqualTo(CancelReason.Source.SIBLING_FAILURE);
            assertThat(reason.message()).contains("first");
          });
    });
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("the compiler knows the checked exception of the bodies")
  void theCheckedExceptionIsKnown() throws Exception {
    inTask(() -> {
      String text;
      try {
        text = gather(() -> "a", () -> read("missing")).getFirst();
      } catch (IOException e) {
        text = e.getMessage();
      }
      assertThat(text).isEqualTo("no missing");
    });
  }

  private static String read(String page) throws IOException {
    throw new IOException("no " + page);
  }

  @Test
  @DisplayName(
      "a later failure and a failing clean-up are suppressed in the first [GATHER-04, L3, L4]")
  void laterFailuresAreSuppressed() throws Exception {
    var first = new IOException("first");
    var second = new IOException("second");
    var third = new IOException("third");
    inTask(() -> {
      var begun = new CountDownLatch(2);

      Throwable thrown =
          catchThrowable(() ->
              gather(
                  failingInCleanUp(begun, second),
                  () -> {
                    begun.await();
                    throw first;
                  },
                  failingInCleanUp(begun, third)));

      assertThat(thrown).isSameAs(first);
      assertThat(Suppressed.in(first)).containsExactlyInAnyOrder(second, third);
    });
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("at most 16 are suppressed, the rest goes to the handler, each once")
  void manyFailures() throws Exception {
    var first = new IOException("first");
    List<IOException> others =
        IntStream.range(0, 30).mapToObj(i -> new IOException("other " + i)).toList();
    inTask(() -> {
      var begun = new CountDownLatch(others.size());
      var bodies = new ArrayList<Body<String, IOException>>();
      others.forEach(other -> bodies.add(failingInCleanUp(begun, other)));
      bodies.add(() -> {
        begun.await();
        throw first;
      });

      assertThat(catchThrowable(() -> gather(bodies))).isSameAs(first);
    });
    assertThat(Suppressed.in(first)).hasSize(16);
    assertThat(reported.exceptions()).hasSize(14);
    var seen = new ArrayList<Throwable>(Suppressed.in(first));
    seen.addAll(reported.exceptions());
    assertThat(seen).containsExactlyInAnyOrderElementsOf(others);
  }

  @Test
  @DisplayName("an exception that two children throw neither suppresses itself nor grows")
  void aSharedException() throws Exception {
    var shared = new IOException("shared");
    Body<String, IOException> failing =
        () -> {
          throw shared;
        };
    inTask(() -> {
      for (int i = 0; i < 20; i++) {
        assertThat(catchThrowable(() -> gather(failing, failing))).isSameAs(shared);
      }
    });
    // Where it was awaited, and that a child threw it while it was being cancelled.
    assertThat(shared.getSuppressed()).hasSizeLessThanOrEqualTo(2).doesNotContain(shared);
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("an Error is a failure like any other, StackOverflowError too [GATHER-19, L16]")
  void errorsAreFailures() throws Exception {
    inTask(() -> {
      var begun = new CountDownLatch(1);
      var cleanUp = new IOException("clean-up");

      Throwable thrown =
          catchThrowable(() ->
              gather(
                  failingInCleanUp(begun, cleanUp),
                  () -> {
                    begun.await();
                    return overflow(1);
                  }));

      assertThat(thrown).isInstanceOf(StackOverflowError.class);
      // The JVM's own refuses to take others along.
      assertThat(reported.exceptions()).containsExactly(cleanUp);
    });
  }

  @SuppressWarnings("InfiniteRecursion")
  private static String overflow(int depth) {
    return overflow(depth + 1) + depth;
  }

  @Test
  @DisplayName("cancelling the caller cancels all; what they throw is suppressed [GATHER-12, L11]")
  void cancellingTheCaller() throws Exception {
    var failure = new IOException("in clean-up");
    var begun = new CountDownLatch(2);
    var seen = new ArrayList<Throwable>();
    Task<List<String>, IOException> caller =
        loop.createTask(() -> {
          try {
            return gather(
                failingInCleanUp(begun, failure),
                () -> {
                  begun.countDown();
                  try {
                    Thread.sleep(Duration.ofDays(1));
                  } catch (InterruptedException swallowed) {
                    return "a value all the same";
                  }
                  return "never";
                });
          } catch (InterruptedException e) {
            seen.add(e);
            throw e;
          }
        });
    begun.await();

    caller.cancel("enough");

    Throwable thrown = catchThrowable(() -> caller.await());
    assertThat(thrown).isInstanceOf(TaskCancelledException.class).hasMessageContaining("enough");
    assertThat(Suppressed.in(seen.getFirst())).containsExactly(failure);
    assertThat(((TaskCancelledException) thrown).failures()).containsExactly(failure);
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("children that all swallow the cancellation do not absorb the caller's [GATHER-12]")
  void swallowedByAll() throws Exception {
    var begun = new CountDownLatch(2);
    Body<String, RuntimeException> swallowing =
        () -> {
          begun.countDown();
          try {
            Thread.sleep(Duration.ofDays(1));
          } catch (InterruptedException swallowed) {
            return "swallowed";
          }
          return "never";
        };
    Task<List<String>, RuntimeException> caller =
        loop.createTask(() -> gather(swallowing, swallowing));
    begun.await();

    caller.cancel();

    assertThatThrownBy(caller::await).isInstanceOf(TaskCancelledException.class);
  }

  @Test
  @DisplayName(
      "the caller is cancelled when a child has failed already: cancellation wins [GATHER-17,"
          + " GATHER-18]")
  void cancellationBeatsAFailure() throws Exception {
    var failure = new IOException("first");
    var begun = new CountDownLatch(1);
    var held = new CountDownLatch(1);
    var seen = new ArrayList<Throwable>();
    Task<List<String>, IOException> caller =
        loop.createTask(() -> {
          try {
            return gather(
                () -> {
                  begun.await();
                  throw failure;
                },
                () -> {
                  begun.countDown();
                  try {
                    Thread.sleep(Duration.ofDays(1));
                  } catch (InterruptedException sibling) {
                    held.countDown();
                    gate.pass();
                  }
                  return "late";
                });
          } catch (InterruptedException e) {
            seen.add(e);
            throw e;
          }
        });
    held.await();

    caller.cancel();
    gate.open();

    assertThatThrownBy(caller::await).isInstanceOf(TaskCancelledException.class);
    assertThat(Suppressed.in(seen.getFirst())).containsExactly(failure);
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName(
      "a member that somebody cancelled: its cancellation is thrown, the caller was not cancelled"
          + " [GATHER-08]")
  void aCancelledMember() throws Exception {
    Task<String, IOException> member =
        loop.createTask(() -> {
          gate.pass();
          Task.checkCancelled();
          return "never";
        });
    inTask(() -> {
      member.cancel("not this one");
      gate.open();

      Throwable thrown = catchThrowable(() -> gather(member, () -> "fine"));

      assertThat(thrown)
          .isInstanceOfSatisfying(
              TaskCancelledException.class,
              cancelled -> assertThat(cancelled.reason().message()).isEqualTo("not this one"));
      assertThat(Task.current().orElseThrow().cancelRequests()).isZero();
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  @Test
  @DisplayName("a task among the bodies is awaited, once, at each of its places [GATHER-14]")
  void existingTasks() throws Exception {
    var runs = new AtomicInteger();
    Task<String, IOException> task =
        loop.createTask(() -> {
          gate.pass();
          return "run " + runs.incrementAndGet();
        });
    inTask(() -> {
      gate.open();

      List<String> values = gather(task, () -> "body", task);

      assertThat(values).containsExactly("run 1", "body", "run 1");
      List<String> again = gather(List.of(task, task));
      assertThat(again).containsExactly("run 1", "run 1");
    });
  }

  @Test
  @DisplayName(
      "a body that is given twice runs twice: only tasks are the same thing twice [GATHER-14]")
  void aBodyTwiceRunsTwice() throws Exception {
    var runs = new AtomicInteger();
    Body<Integer, RuntimeException> body = runs::incrementAndGet;
    inTask(() -> assertThat(gather(body, body)).containsExactlyInAnyOrder(1, 2));
  }

  @Test
  @DisplayName(
      "a failing task is thrown as itself; a sibling's failure cancels it with that reason and"
          + " waits")
  void tasksAreTakenOver() throws Exception {
    var failure = new IOException("sibling");
    var cleanUp = new IOException("clean-up");
    var begun = new CountDownLatch(1);
    Task<String, IOException> task = loop.createTask(failingInCleanUp(begun, cleanUp));
    inTask(() -> {
      Throwable thrown =
          catchThrowable(() ->
              gather(
                  task,
                  () -> {
                    begun.await();
                    throw failure;
                  }));

      assertThat(thrown).isSameAs(failure);
      assertThat(Suppressed.in(failure)).containsExactly(cleanUp);
      assertThat(task.isDone()).isTrue();
      assertThat(task.cancelReason().orElseThrow().source())
          .isEqualTo(CancelReason.Source.SIBLING_FAILURE);
      assertThat(catchThrowable(() -> gather(task, () -> "fine"))).isSameAs(cleanUp);
    });
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName(
      "a sibling that succeeds after the cancellation: its value is readable on its task [L18]")
  void aLateSuccessIsReadable() throws Exception {
    var begun = new CountDownLatch(1);
    Task<String, IOException> task =
        loop.createTask(() -> {
          begun.countDown();
          try {
            Thread.sleep(Duration.ofDays(1));
            return "never";
          } catch (InterruptedException declined) {
            return "late";
          }
        });
    inTask(() -> {
      assertThatThrownBy(() ->
              gather(
                  task,
                  () -> {
                    begun.await();
                    throw new IOException("sibling");
                  }))
          .isInstanceOf(IOException.class);

      assertThat(task.result()).isEqualTo("late");
    });
  }

  @Test
  @DisplayName("a shielded task goes on when its sibling fails, or the caller is cancelled")
  void shieldKeepsATaskOut() throws Exception {
    Task<String, IOException> task =
        loop.createTask(() -> {
          gate.pass();
          return "value";
        });
    inTask(() -> {
      Body<String, IOException> failing =
          () -> {
            throw new IOException("sibling");
          };
      assertThatThrownBy(() -> gather(Gather.shield(task), failing))
          .isInstanceOf(IOException.class);
      assertThat(task.isDone()).isFalse();

      var scope = CancelScope.create();
      Task<?, ?> canceller = loop.createTask(() -> scope.cancel("enough"));
      assertThatThrownBy(() -> scope.call(() -> gather(Gather.shield(task), task.shield())))
          .isInstanceOf(TaskCancelledException.class);
      canceller.awaitDone();

      assertThat(task.cancelRequests()).isZero();
      gate.open();
      assertThat(gather(Gather.shield(task))).containsExactly("value");
      assertThat(Gather.shield(task)).isSameAs(task);
    });
  }

  @Test
  @DisplayName("bad input is refused before anything starts [GATHER-15]")
  void badInput() throws Exception {
    var started = new AtomicInteger();
    Body<Integer, IOException> body = started::incrementAndGet;
    inTask(() -> {
      assertThatThrownBy(() -> gather(Arrays.asList(body, null)))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("bodies[1]");
      assertThatThrownBy(() -> Gather.settle(Arrays.asList(null, body)))
          .hasMessageContaining("bodies[0]");
      Action<IOException> none = null;
      assertThatThrownBy(() -> gather(started::incrementAndGet, none))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("actions[1]");
      Task<?, ?> self = Task.current().orElseThrow();
      assertThatThrownBy(() -> Gather.settle(body, self))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("waits for itself");
    });
    assertThat(started).hasValue(0);
  }

  @Test
  @DisplayName("a task that waits for the caller closes a circle, which is refused and named")
  void circles() throws Exception {
    inTask(() -> {
      Task<?, ?> caller = Task.current().orElseThrow();
      Task<Object, Exception> waiting = loop.createTask(() -> caller.await());

      assertThatThrownBy(() -> gather(waiting, () -> "b"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("circle");
    });
  }

  @Test
  @DisplayName("a failure shows where the group's caller waited")
  void theCallersFrames() throws Exception {
    inTask(() -> {
      Task<String, IOException> task = loop.createTask(() -> read("a"));
      Throwable thrown = catchThrowable(() -> gather(task, () -> "fine"));

      assertThat(thrown.getSuppressed()).hasSize(1);
      assertThat(thrown.getSuppressed()[0].getStackTrace())
          .anyMatch(frame -> frame.getClassName().equals(GatherTest.class.getName()));
    });
  }

  @Test
  @DisplayName("gather in gather: the inner failure passes through, everything beneath has ended")
  void nested() throws Exception {
    var failure = new IOException("deep");
    inTask(() -> {
      var begun = new CountDownLatch(2);
      Body<String, IOException> blocked =
          () -> {
            begun.countDown();
            Thread.sleep(Duration.ofDays(1));
            return "never";
          };

      Throwable thrown =
          catchThrowable(() ->
              gather(
                  () -> gather(blocked, blocked),
                  () ->
                      gather(() -> {
                        begun.await();
                        throw failure;
                      })));

      assertThat(thrown).isSameAs(failure);
      assertThat(loop.allTasks()).hasSize(1);
    });
  }
}
