package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A limit around a TaskScope. */
@ExtendWith(Oracle.class)
class TimeoutScopeTest {
  private static final Duration SHORT = Duration.ofMillis(10);
  private static final Duration LONG = Duration.ofDays(1);
  private final Threads.Reported reported = new Threads.Reported();
  private final ConcurrentLinkedQueue<String> trace = new ConcurrentLinkedQueue<>();
  private final AtomicReference<Timeout> timeout = new AtomicReference<>();

  /** Runs a body in a task of a loop with these threads; afterwards the task can wait. */
  private void inATask(Action<Exception> body) throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          body.run();
          Task<?, ?> self = Task.current().orElseThrow();
          assertThat(self.cancelRequests()).as("requests").isZero();
          Thread.sleep(1);
          return null;
        });
  }

  private static void block() throws InterruptedException {
    Thread.sleep(60_000);
  }

  @Test
  @DisplayName("TMO-18: at the deadline all children are cancelled and awaited, then it throws")
  void allChildrenAreCancelledAndAwaited() throws Exception {
    List<Task<Void, Exception>> children = new ArrayList<>();
    inATask(() -> {
      assertThatThrownBy(() ->
              Timeout.within(
                  LONG,
                  limit -> {
                    var started = new CountDownLatch(3);
                    try (var scope = TaskScope.<Exception>open()) {
                      for (int i = 0; i < 3; i++) {
                        children.add(
                            scope.fork(() -> {
                              try {
                                started.countDown();
                                block();
                              } finally {
                                Task.shielded(() -> Thread.sleep(5));
                                trace.add("cleaned");
                              }
                            }));
                      }
                      children.add(
                          scope.fork(() -> {
                            started.await();
                            limit.reschedule(Instant.MIN);
                            block();
                          }));
                      scope.join();
                    }
                    return null;
                  }))
          .isInstanceOf(TimeoutException.class)
          .hasNoSuppressedExceptions();
      assertThat(trace).containsExactly("cleaned", "cleaned", "cleaned");
    });

    assertThat(children)
        .allSatisfy(child -> {
          assertThat(child.isCancelled()).isTrue();
          assertThat(child.cancelReason().orElseThrow().source())
              .isEqualTo(CancelReason.Source.PARENT);
          assertThat(child.cancelReason().orElseThrow().message()).contains("not done by");
        });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("TMO-18: children of children, and bodies that do not join, are cancelled as well")
  void childrenOfChildren() throws Exception {
    var grandchild = new AtomicReference<Task<?, ?>>();
    inATask(() ->
        assertThatThrownBy(() ->
                Timeout.within(
                    LONG,
                    limit -> {
                      try (var scope = TaskScope.<Exception>open()) {
                        var unused =
                            scope.fork(() -> {
                              try (var nested = TaskScope.<Exception>open()) {
                                grandchild.set(nested.fork(() -> block()));
                                limit.reschedule(Instant.MIN);
                                nested.join();
                              }
                            });
                        block();
                      }
                      return null;
                    }))
            .isInstanceOf(TimeoutException.class));

    assertThat(grandchild.get().isCancelled()).isTrue();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("TMO-18: a scope around the limit is left alone")
  void aScopeAroundTheLimit() throws Exception {
    var gate = new Gate();
    inATask(() -> {
      try (var scope = TaskScope.<Exception>open()) {
        Task<String, Exception> child =
            scope.fork(() -> {
              gate.pass();
              return "child";
            });
        assertThatThrownBy(() -> Timeout.within(SHORT, () -> block()))
            .isInstanceOf(TimeoutException.class);
        assertThat(child.cancelRequests()).isZero();
        gate.open();
        scope.join();
        assertThat(child.result()).isEqualTo("child");
      }
    });
  }

  @Test
  @DisplayName("TMO-18: a child that swallows the cancellation is waited for; its value is there")
  void aChildThatSwallows() throws Exception {
    var child = new AtomicReference<Task<String, Exception>>();
    inATask(() ->
        assertThatThrownBy(() ->
                Timeout.within(
                    LONG,
                    limit -> {
                      try (var scope = TaskScope.<Exception>open()) {
                        child.set(
                            scope.fork(() -> {
                              try {
                                limit.reschedule(Instant.MIN);
                                block();
                                return "never";
                              } catch (InterruptedException e) {
                                return "swallowed";
                              }
                            }));
                        scope.join();
                      }
                      return null;
                    }))
            .isInstanceOf(TimeoutException.class));

    assertThat(child.get().result()).isEqualTo("swallowed");
  }

  @Test
  @DisplayName("a scope whose body ended in time closes under the limit: the value, no timeout")
  void theLimitIsReachedInTheClose() throws Exception {
    inATask(() -> {
      String value =
          Timeout.within(
              LONG,
              limit -> {
                timeout.set(limit);
                try (var scope = TaskScope.<Exception>open()) {
                  var started = new CountDownLatch(1);
                  var unused =
                      scope.fork(() -> {
                        started.countDown();
                        try {
                          block();
                        } finally {
                          limit.reschedule(Instant.MIN);
                        }
                      });
                  started.await();
                  return "value";
                }
              });
      assertThat(value).isEqualTo("value");
      assertThat(timeout.get().expired()).isTrue();
    });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("TMO-20: a scope that aborts for a failure is timed out in its join: the limit wins")
  void abortingInTheJoin() throws Exception {
    var failure = new IOException("first");
    inATask(() -> {
      Thread owner = Thread.currentThread();
      assertThatThrownBy(() ->
              Timeout.<Object, Exception>within(
                  LONG,
                  limit -> {
                    timeout.set(limit);
                    try (var scope = TaskScope.<IOException>open()) {
                      var started = new CountDownLatch(1);
                      var unused =
                          scope.fork(() -> {
                            try {
                              started.countDown();
                              block();
                            } finally {
                              limit.reschedule(Instant.MIN);
                              // It holds out until the join has noticed.
                              while (owner.isInterrupted()) {
                                Thread.yield();
                              }
                            }
                          });
                      started.await();
                      var failing =
                          scope.fork(() -> {
                            throw failure;
                          });
                      scope.join();
                    }
                    return null;
                  }))
          .isInstanceOf(TimeoutException.class)
          .hasCauseInstanceOf(InterruptedException.class)
          .satisfies(e -> assertThat(Suppressed.in(e)).containsExactly(failure));
    });

    assertThat(timeout.get().expired()).isTrue();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("TMO-20: a failure that has left the body by then comes out, the timeout in it")
  void abortingInTheClose() throws Exception {
    var failure = new IOException("first");
    inATask(() ->
        assertThatThrownBy(() ->
                Timeout.<Object, Exception>within(
                    LONG,
                    limit -> {
                      timeout.set(limit);
                      try (var scope = TaskScope.<IOException>open()) {
                        var left = new CountDownLatch(1);
                        var started = new CountDownLatch(1);
                        var unused =
                            scope.fork(() -> {
                              try {
                                started.countDown();
                                block();
                              } finally {
                                Task.shielded(() -> {
                                  left.await();
                                  limit.reschedule(Instant.MIN);
                                });
                              }
                            });
                        started.await();
                        Task<Object, IOException> failing =
                            scope.fork(() -> {
                              throw failure;
                            });
                        try {
                          return failing.await();
                        } finally {
                          left.countDown();
                        }
                      }
                    }))
            .isSameAs(failure));

    assertThat(Suppressed.in(failure)).singleElement().isInstanceOf(TimeoutException.class);
    assertThat(timeout.get().expired()).isTrue();
    assertThat(reported.contexts).isEmpty();
  }
}
