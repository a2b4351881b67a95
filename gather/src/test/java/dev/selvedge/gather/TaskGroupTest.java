package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.Gate;
import dev.selvedge.LoopListener;
import dev.selvedge.Outcome;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.Threads;
import dev.selvedge.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class TaskGroupTest extends LoopFixture {
  private static Action<IOException> failing(IOException failure) {
    return () -> {
      throw failure;
    };
  }

  private static void sleepForEver() throws InterruptedException {
    Thread.sleep(Duration.ofDays(1));
  }

  /** The members of the group that a call throws; the flag must not be set. */
  private static List<Throwable> members(ThrowingCallable call) {
    Throwable thrown = catchThrowable(call);
    assertThat(thrown).isInstanceOf(ExceptionGroup.class);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertThat(Task.current().map(Task::cancelRequests).orElse(0)).isZero();
    return ((ExceptionGroup) thrown).exceptions();
  }

  @Test
  @DisplayName("the call waits for all children; results are read from their handles [TG-01]")
  void waitsForAll() throws Exception {
    inTask(() -> {
      var tasks = new ArrayList<Task<String, RuntimeException>>();
      String value =
          TaskGroup.call(group -> {
            tasks.add(
                group.createTask(
                    "named",
                    () -> {
                      gate.pass();
                      return Task.current().orElseThrow().name();
                    }));
            group.createTask("opener", gate::open);
            return "body";
          });

      assertThat(value).isEqualTo("body");
      assertThat(tasks.getFirst().result()).isEqualTo("named");
    });
  }

  @Test
  @DisplayName(
      "an empty group ends at once; a pending cancellation is noticed there [TG-02, TRIO-10]")
  void anEmptyGroup() throws Exception {
    assertThat(TaskGroup.<String>call(group -> "value")).isEqualTo("value");

    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> TaskGroup.run(group -> {})).isInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("children create children while the group waits for them [TG-03]")
  void childrenOfChildren() throws Exception {
    var ran = new AtomicInteger();
    inTask(() ->
        TaskGroup.run(group ->
            group.createTask(() -> {
              ran.incrementAndGet();
              group.createTask(() -> {
                group.createTask(() -> ran.addAndGet(100));
                ran.addAndGet(10);
              });
            })));
    assertThat(ran).hasValue(111);
  }

  @Test
  @DisplayName(
      "the first failure cancels siblings and body; the group has it alone [TG-04, TG-05, TRIO-09]")
  void theFirstFailure() throws Exception {
    var failure = new IOException("child");
    var reasons = Collections.synchronizedList(new ArrayList<CancelReason>());
    inTask(() -> {
      var bodyEnded = new AtomicReference<Throwable>();
      var begun = new CountDownLatch(1);

      List<Throwable> members =
          members(() ->
              TaskGroup.run(group -> {
                group.createTask(() -> {
                  begun.countDown();
                  try {
                    sleepForEver();
                  } finally {
                    reasons.add(Task.current().orElseThrow().cancelReason().orElseThrow());
                  }
                });
                group.createTask(() -> {
                  begun.await();
                  throw failure;
                });
                try {
                  sleepForEver();
                } catch (InterruptedException e) {
                  bodyEnded.set(e);
                  throw e;
                }
              }));

      assertThat(members).containsExactly(failure);
      assertThat(bodyEnded.get()).isInstanceOf(InterruptedException.class);
      assertThat(reasons)
          .singleElement()
          .matches(reason -> reason.source() == CancelReason.Source.SIBLING_FAILURE)
          .matches(reason -> reason.message().contains("child"));
    });
  }

  @Test
  @DisplayName("failures of clean-up are members, in order of completion [TG-07, L3, L4]")
  void failuresOfCleanUp() throws Exception {
    var failure = new IOException("child");
    var cleanUp = new IOException("clean-up");
    inTask(() -> {
      var begun = new CountDownLatch(1);
      List<Throwable> members =
          members(() ->
              TaskGroup.run(group -> {
                group.createTask(failingInCleanUp(begun, cleanUp));
                begun.await();
                group.createTask(failing(failure));
              }));

      assertThat(members).containsExactly(failure, cleanUp);
    });
  }

  @Test
  @DisplayName("a child that somebody cancels disturbs nobody [TG-08]")
  void aCancelledChild() throws Exception {
    inTask(() -> {
      String value =
          TaskGroup.call(group -> {
            Task<?, ?> child = group.createTask(TaskGroupTest::sleepForEver);
            Task<String, RuntimeException> other = group.createTask(() -> "fine");
            child.cancel("not this one");
            child.awaitDone();
            return other.await();
          });

      assertThat(value).isEqualTo("fine");
    });
  }

  @Test
  @DisplayName("the body's own exception is the last member, also while it unwinds [TG-11]")
  void theBodysException() throws Exception {
    var child = new IOException("child");
    var unwinding = new IllegalStateException("unwinding");
    inTask(() -> {
      List<Throwable> members =
          members(() ->
              TaskGroup.run(group -> {
                group.createTask(failing(child));
                try {
                  sleepForEver();
                } catch (InterruptedException e) {
                  throw unwinding;
                }
              }));

      assertThat(members).containsExactly(child, unwinding);
    });
  }

  @Test
  @DisplayName("a failing body cancels the children and waits for them, and is the last member")
  void aFailingBody() throws Exception {
    var own = new StackOverflowError("body");
    var cleanUp = new IOException("clean-up");
    inTask(() -> {
      var begun = new CountDownLatch(1);
      List<Throwable> members =
          members(() ->
              TaskGroup.run(group -> {
                group.createTask(failingInCleanUp(begun, cleanUp));
                begun.await();
                throw own;
              }));

      assertThat(members).containsExactly(cleanUp, own);
    });
  }

  @Test
  @DisplayName("an Error of a child is a member like any other [L16]")
  void errors() throws Exception {
    inTask(() -> {
      List<Throwable> members =
          members(() -> TaskGroup.run(group -> group.createTask(() -> overflow(1))));

      assertThat(members).singleElement().isInstanceOf(StackOverflowError.class);
    });
  }

  @SuppressWarnings("InfiniteRecursion")
  private static int overflow(int depth) {
    return overflow(depth + 1) + depth;
  }

  @Test
  @DisplayName("a body that awaits a child whom somebody cancelled: that is its failure [TG-14]")
  void awaitingACancelledChild() throws Exception {
    inTask(() -> {
      var sibling = new AtomicReference<Task<?, ?>>();
      List<Throwable> members =
          members(() ->
              TaskGroup.run(group -> {
                sibling.set(group.createTask(TaskGroupTest::sleepForEver));
                Task<?, ?> child = group.createTask(TaskGroupTest::sleepForEver);
                child.cancel("by somebody");
                child.await();
              }));

      assertThat(members)
          .singleElement()
          .isInstanceOfSatisfying(
              TaskCancelledException.class,
              cancelled -> assertThat(cancelled.reason().message()).isEqualTo("by somebody"));
      assertThat(sibling.get().isCancelled()).isTrue();
    });
  }

  /** A task that runs a group, and what came out of the group. */
  private record Caller(Task<?, ?> task, AtomicReference<Throwable> thrown) {}

  private Caller caller(GroupAction body, Action<? extends Exception> afterwards) {
    var thrown = new AtomicReference<Throwable>();
    Task<?, ?> task =
        loop.<Exception>createTask(() -> {
          try {
            TaskGroup.run(body);
          } catch (Throwable t) {
            thrown.set(t);
            if (t instanceof InterruptedException e) {
              throw e;
            }
            afterwards.run();
          }
        });
    return new Caller(task, thrown);
  }

  @Test
  @DisplayName(
      "cancelled from outside: children are cancelled and awaited, the cancellation comes out bare"
          + " [TG-15]")
  void cancelledFromOutside() throws Exception {
    var begun = new CountDownLatch(1);
    var ended = new AtomicInteger();
    Caller caller =
        caller(
            group -> {
              group.createTask(() -> {
                begun.countDown();
                try {
                  sleepForEver();
                } finally {
                  ended.incrementAndGet();
                }
              });
              sleepForEver();
            },
            () -> {});
    begun.await();
    Gate.awaitBlocked(caller.task());

    caller.task().cancel("outside");

    caller.task().awaitDone();
    assertThat(ended).hasValue(1);
    assertThat(caller.thrown().get()).isInstanceOf(InterruptedException.class);
    assertThat(caller.task().cancelReason()).map(CancelReason::message).contains("outside");
    assertThat(caller.task().isCancelled()).isTrue();
  }

  @Test
  @DisplayName(
      "cancelled from outside, and a clean-up fails: the group is thrown, the cancellation is not"
          + " lost [TG-16, TG-17]")
  void cancelledAndFailing() throws Exception {
    var cleanUp = new IOException("clean-up");
    var begun = new CountDownLatch(1);
    var requests = new AtomicInteger();
    var next = new AtomicReference<Throwable>();
    Caller caller =
        caller(
            group -> {
              group.createTask(failingInCleanUp(begun, cleanUp));
              sleepForEver();
            },
            () -> {
              requests.set(Task.current().orElseThrow().cancelRequests());
              next.set(catchThrowable(() -> Thread.sleep(1)));
            });
    begun.await();
    Gate.awaitBlocked(caller.task());

    caller.task().cancel("outside");

    caller.task().awaitDone();
    assertThat(((ExceptionGroup) caller.thrown().get()).exceptions()).containsExactly(cleanUp);
    assertThat(requests).hasValue(1);
    assertThat(next.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  @DisplayName("further requests while the children end are counted and not forwarded [TG-19]")
  void furtherRequests() throws Exception {
    var begun = new CountDownLatch(1);
    var interrupts = new AtomicInteger();
    Caller caller =
        caller(
            group -> {
              group.createTask(() -> {
                begun.countDown();
                try {
                  sleepForEver();
                } catch (InterruptedException first) {
                  interrupts.incrementAndGet();
                  gate.pass();
                  if (Thread.interrupted()) {
                    interrupts.incrementAndGet();
                  }
                }
              });
              sleepForEver();
            },
            () -> {});
    begun.await();
    Gate.awaitBlocked(caller.task());
    caller.task().cancel("first");
    while (interrupts.get() == 0) {
      Thread.onSpinWait();
    }

    caller.task().cancel("second");
    caller.task().cancel("third");

    assertThat(caller.task().awaitDone(Duration.ofMillis(20))).isFalse();
    assertThat(caller.task().cancelRequests()).isEqualTo(3);
    gate.open();
    caller.task().awaitDone();
    assertThat(interrupts).hasValue(1);
    assertThat(caller.task().cancelReason()).map(CancelReason::message).contains("first");
    assertThat(caller.task().isCancelled()).isTrue();
  }

  @Test
  @DisplayName("after a group that failed by itself nothing is cancelled later [TG-20]")
  void nothingIsLeft() throws Exception {
    inTask(() -> {
      members(() -> TaskGroup.run(group -> group.createTask(failing(new IOException("child")))));

      Thread.sleep(1);
      assertThat(Task.current().orElseThrow().cancelRequests()).isZero();
    });
  }

  @Test
  @DisplayName(
      "inner and outer fail at once: the inner group is handled, then the outer's interrupt comes"
          + " [TG-24]")
  void nestedGroups() throws Exception {
    var inner = new IOException("inner");
    var outer = new IOException("outer");
    inTask(() -> {
      var innerSeen = new AtomicReference<Throwable>();
      var interrupted = new AtomicReference<Throwable>();
      List<Throwable> members =
          members(() ->
              TaskGroup.run(out -> {
                innerSeen.set(
                    catchThrowable(() ->
                        TaskGroup.run(in -> {
                          var both = new CountDownLatch(2);
                          in.createTask(() -> {
                            both.countDown();
                            both.await();
                            throw inner;
                          });
                          out.createTask(() -> {
                            both.countDown();
                            both.await();
                            throw outer;
                          });
                          sleepForEver();
                        })));
                // The outer's interrupt may end the inner group before its child has failed.
                interrupted.set(
                    innerSeen.get() instanceof InterruptedException early
                        ? early
                        : catchThrowable(TaskGroupTest::sleepForEver));
                throw (InterruptedException) interrupted.get();
              }));

      assertThat(members).containsExactly(outer);
      if (innerSeen.get() instanceof ExceptionGroup group) {
        assertThat(group.exceptions()).containsExactly(inner);
      } else {
        assertThat(innerSeen.get()).isInstanceOf(InterruptedException.class);
      }
      assertThat(interrupted.get()).isInstanceOf(InterruptedException.class);
    });
  }

  @Test
  @DisplayName(
      "tasks are created while the call runs: refused after it, cancelled in a cancelled group"
          + " [TG-27, L12]")
  void creatingTooLate() throws Exception {
    inTask(() -> {
      var kept = new AtomicReference<TaskGroup>();
      var runs = new AtomicInteger();
      var late = new AtomicReference<Task<?, ?>>();
      TaskGroup.run(group -> {
        kept.set(group);
        group.cancel("early");
        late.set(group.createTask(runs::incrementAndGet));
      });

      assertThat(late.get().isCancelled()).isTrue();
      assertThat(runs).hasValue(0);
      assertThatThrownBy(() -> kept.get().createTask(() -> 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("TaskGroup[ended]");
      kept.get().cancel("no longer");
      Body<String, RuntimeException> none = null;
      assertThatThrownBy(() -> TaskGroup.run(group -> group.createTask(none)))
          .isInstanceOf(ExceptionGroup.class)
          .hasMessageContaining("body");
    });
  }

  @Test
  @DisplayName("cancel ends body and children without an exception; once is enough [TG-32]")
  void cancelEndsTheGroup() throws Exception {
    inTask(() -> {
      var child = new AtomicReference<Task<?, ?>>();
      String value =
          TaskGroup.call(group -> {
            child.set(group.createTask(TaskGroupTest::sleepForEver));
            group.createTask(() -> {
              group.cancel("enough");
              group.cancel("again");
            });
            sleepForEver();
            return "never";
          });

      assertThat(value).isNull();
      assertThat(child.get().cancelReason()).map(CancelReason::message).contains("enough");
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      assertThat(Task.current().orElseThrow().cancelRequests()).isZero();
      String kept =
          TaskGroup.call(group -> {
            group.cancel("the body goes on");
            return "value";
          });
      assertThat(kept).isEqualTo("value");
    });
  }

  @Test
  @DisplayName("after cancel a failing clean-up still makes a group [TG-33]")
  void cancelAndAFailingCleanUp() throws Exception {
    var cleanUp = new IOException("clean-up");
    inTask(() -> {
      var begun = new CountDownLatch(1);
      List<Throwable> members =
          members(() ->
              TaskGroup.run(group -> {
                group.createTask(failingInCleanUp(begun, cleanUp));
                begun.await();
                group.cancel("enough");
              }));

      assertThat(members).containsExactly(cleanUp);
    });
  }

  @Test
  @DisplayName("an outside cancellation while the cancelled children end is not swallowed [TG-34]")
  void outsideAfterCancel() throws Exception {
    var begun = new CountDownLatch(1);
    var ending = new CountDownLatch(1);
    Caller caller =
        caller(
            group -> {
              group.createTask(() -> {
                begun.countDown();
                try {
                  sleepForEver();
                } catch (InterruptedException e) {
                  ending.countDown();
                  gate.pass();
                }
              });
              begun.await();
              group.cancel("early");
            },
            () -> {});
    ending.await();
    Gate.awaitBlocked(caller.task());

    caller.task().cancel("outside");
    gate.open();

    caller.task().awaitDone();
    assertThat(caller.thrown().get()).isInstanceOf(InterruptedException.class);
    assertThat(caller.task().isCancelled()).isTrue();
  }

  @Test
  @DisplayName("a limit around the group ends it as a cancellation from outside [TG-34, L9, L17]")
  void aLimitAround() throws Exception {
    var cleanUp = new IOException("clean-up");
    inTask(() -> {
      assertThatThrownBy(
              () -> Timeout.within(Duration.ofMillis(5), () -> TaskGroup.run(g -> sleepForEver())))
          .isInstanceOf(TimeoutException.class);

      Throwable thrown =
          Limited.until(
              1,
              (limit, begun) ->
                  catchThrowable(() ->
                      Timeout.within(
                          limit,
                          () ->
                              TaskGroup.run(group -> {
                                group.createTask(failingInCleanUp(begun, cleanUp));
                                sleepForEver();
                              }))));
      assertThat(thrown).isInstanceOf(ExceptionGroup.class);
      assertThat(((ExceptionGroup) thrown).exceptions()).containsExactly(cleanUp);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      assertThatThrownBy(() ->
              Gather.options()
                  .name("limited")
                  .limit(Duration.ofMillis(5))
                  .group(group -> {
                    sleepForEver();
                    return 1;
                  }))
          .isInstanceOf(TimeoutException.class);
    });
  }

  @Test
  @DisplayName("a child that cancels the group is cancelled itself [TG-35]")
  void aChildCancelsTheGroup() throws Exception {
    inTask(() -> {
      var child = new AtomicReference<Task<?, ?>>();
      TaskGroup.run(group -> {
        child.set(
            group.createTask(() -> {
              group.cancel("by a child");
              sleepForEver();
            }));
        sleepForEver();
      });

      assertThat(child.get().isCancelled()).isTrue();
    });
  }

  @Test
  @DisplayName(
      "only failures are members: cancellations are filtered at the group's edge [TRIO-08]")
  void cancellationsAreNoMembers() throws Exception {
    var failure = new IOException("deep");
    inTask(() -> {
      List<Throwable> members =
          members(() ->
              TaskGroup.run(group -> {
                for (int i = 0; i < 5; i++) {
                  group.createTask(TaskGroupTest::sleepForEver);
                }
                group.createTask(() -> TaskGroup.run(in -> in.createTask(failing(failure))));
                sleepForEver();
              }));

      assertThat(members)
          .singleElement()
          .isInstanceOfSatisfying(
              ExceptionGroup.class,
              nested -> assertThat(nested.exceptions()).containsExactly(failure));
    });
  }

  @Test
  @DisplayName("a sibling that succeeds after the cancellation keeps its value [L18]")
  void aLateSuccess() throws Exception {
    inTask(() -> {
      var late = new AtomicReference<Task<String, ?>>();
      var begun = new CountDownLatch(1);
      members(() ->
          TaskGroup.run(group -> {
            late.set(
                group.createTask(() -> {
                  begun.countDown();
                  try {
                    sleepForEver();
                  } catch (InterruptedException declined) {
                    return "late";
                  }
                  return "never";
                }));
            begun.await();
            group.createTask(failing(new IOException("child")));
          }));

      assertThat(late.get().outcome()).isEqualTo(new Outcome.Success<>("late"));
    });
  }

  @Test
  @DisplayName("failures that a cancelled child carries along are members")
  void carriedFailures() throws Exception {
    var deep = new IOException("deep clean-up");
    var failure = new IOException("child");
    inTask(() -> {
      var begun = new CountDownLatch(1);
      List<Throwable> members =
          members(() ->
              TaskGroup.run(group -> {
                group.createTask(() -> Gather.gather(failingInCleanUp(begun, deep)));
                begun.await();
                group.createTask(failing(failure));
              }));

      assertThat(members).containsExactly(failure, deep);
      assertThat(Suppressed.in(failure)).isEmpty();
    });
  }

  @Test
  @DisplayName("a group works on a thread that is no task, and prints itself")
  void withoutATask() throws Exception {
    String text =
        TaskGroup.call(group -> {
          group.createTask("a", () -> {});
          return group.toString();
        });

    assertThat(text).isEqualTo("TaskGroup[open]");
  }

  @Test
  @DisplayName("a failure that lies deeper in the caller's cancellation is a member, too")
  void failuresDeepInTheCancellation() throws Exception {
    var failure = new IOException("child");
    var suppressed = new IOException("in an interrupted close");
    var wrapped = new IOException("in an interrupted join");
    inTask(() -> {
      var begun = new CountDownLatch(1);
      Throwable thrown =
          catchThrowable(() ->
              TaskGroup.run(group -> {
                group.createTask(failingInCleanUp(begun, failure));
                begun.await();
                throw Cancellations.with(suppressed, wrapped);
              }));

      assertThat(Thread.interrupted()).isTrue();
      assertThat(((ExceptionGroup) thrown).exceptions())
          .containsExactly(failure, suppressed, wrapped);
    });
  }

  @Test
  @DisplayName("an exception that cannot print itself ends the group like any other")
  void unprintable() throws Exception {
    inTask(() -> {
      for (RuntimeException failure : Unprintable.all()) {
        List<Throwable> members =
            members(() ->
                TaskGroup.run(group -> {
                  group.createTask(TaskGroupTest::sleepForEver);
                  group.createTask(() -> {
                    throw failure;
                  });
                }));

        assertThat(members).containsExactly(failure);
      }
    });
  }

  @Test
  @DisplayName("a listener may use the group from another thread while it hears of a failure")
  void aListenerThatUsesTheGroup() throws Exception {
    var texts = new LinkedBlockingQueue<String>();
    var running = new AtomicReference<TaskGroup>();
    var listener =
        new LoopListener() {
          @Override
          public void awaited(Task<?, ?> task, Throwable exception) {
            try {
              Thread.ofVirtual().start(() -> texts.add(running.get().toString())).join(5_000);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            texts.add("heard");
          }
        };
    try (var listening = Threads.builder().listener(listener).build()) {
      listening.<Exception>runUntilComplete(() ->
          assertThat(
                  members(() ->
                      TaskGroup.run(group -> {
                        running.set(group);
                        group.createTask(failing(new IOException("child")));
                      })))
              .hasSize(1));
    }

    assertThat(texts).hasSize(2).endsWith("heard");
  }
}
