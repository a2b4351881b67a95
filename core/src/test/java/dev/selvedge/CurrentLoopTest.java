package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A loop that is the current one of a thread which is no task's. */
@ExtendWith(Oracle.class)
@SuppressWarnings("try") // closes again on purpose
class CurrentLoopTest {
  private static final ScopedValue<String> USER = ScopedValue.newInstance();

  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch inside = new CountDownLatch(1);

  private Loop.Builder builder() {
    return Threads.builder().name("application").exceptionHandler(reported);
  }

  /** A thread that runs a body for a loop; what came of it. */
  private static CompletableFuture<Object> guest(Loop loop, Body<Object, Exception> body) {
    var ended = new CompletableFuture<Object>();
    Thread.ofVirtual()
        .name("guest")
        .start(() -> {
          try {
            ended.complete(loop.asCurrent(body));
          } catch (Throwable thrown) {
            ended.completeExceptionally(thrown);
          }
        });
    return ended;
  }

  @Test
  @DisplayName("the loop is current in the body, and the one from before is after it")
  void isCurrentInTheBody() throws Exception {
    Loop before = Loop.current();
    try (Loop outer = builder().build();
        Loop inner = builder().build()) {
      Loop seen =
          outer.asCurrent(() -> {
            Loop in = inner.asCurrent(Loop::current);
            assertThat(Loop.current()).isSameAs(outer);
            assertThatThrownBy(() -> inner.asCurrent((Action<IOException>) this::fail))
                .isInstanceOf(IOException.class);
            assertThat(Loop.current()).isSameAs(outer);
            return in;
          });

      assertThat(seen).isSameAs(inner);
      assertThat(Loop.current()).isSameAs(before).isNotSameAs(outer);
    }
  }

  private void fail() throws IOException {
    throw new IOException("body");
  }

  @Test
  @DisplayName("a scope of the body takes the loop's context, listeners, handler and tree")
  void aScopeBelongsToTheLoop() throws Exception {
    List<String> started = new CopyOnWriteArrayList<>();
    var listener =
        new LoopListener() {
          @Override
          public void started(Task<?, ?> task) {
            started.add(task.name());
          }
        };
    var failure = new IOException("late");
    try (Loop loop = builder().inherit(USER).listener(listener).build()) {
      ScopedValue.where(USER, "ada")
          .call(() -> {
            loop.asCurrent(() -> {
              try (var scope = TaskScope.<Exception>open(TaskScope.Policy.SUPERVISE, "request")) {
                var user = scope.fork("child", () -> USER.get());
                assertThat(user.await()).isEqualTo("ada");
                var gate = new CountDownLatch(1);
                var waiting = scope.fork("waiting", () -> gate.await());
                assertThat(loop.allTasks()).contains(waiting);
                assertThat(loop.snapshot().toString()).contains("request", "waiting");
                assertThat(Loop.defaultLoop().allTasks()).doesNotContain(waiting);
                gate.countDown();
                var failing =
                    scope.fork(
                        "failing",
                        () -> {
                          throw failure;
                        });
                waiting.awaitDone();
                failing.awaitDone(); // or the close cancels it before its body runs
              }
            });
            return null;
          });
    }

    assertThat(started).contains("child", "waiting", "failing");
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("close cancels the body and what it has open, and waits for its end")
  void closeCancelsTheBody() throws Exception {
    var cleaned = new AtomicBoolean();
    Loop loop = builder().build();
    CompletableFuture<Object> guest =
        guest(
            loop,
            () -> {
              try (var scope = TaskScope.<Exception>open()) {
                scope.fork(() -> {
                  inside.countDown();
                  Thread.sleep(Duration.ofHours(1));
                });
                scope.join();
                return "never";
              } finally {
                Thread.sleep(20);
                cleaned.set(true);
              }
            });
    inside.await();

    loop.close();

    assertThat(cleaned).isTrue();
    assertThat(catchThrowable(guest::join))
        .cause()
        .isInstanceOf(TaskCancelledException.class)
        .hasMessageContaining("application is closing");
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("who closes the loop holds no lock while listeners hear of what that cancels")
  void listenersAreToldWithoutALock() throws Exception {
    var guests = new AtomicReference<Object>();
    var locked = new CopyOnWriteArrayList<Boolean>();
    LoopListener listener =
        new LoopListener() {
          @Override
          public void cancelled(Task<?, ?> task, CancelReason reason) {
            locked.add(Thread.holdsLock(guests.get()));
          }
        };
    Loop loop = builder().listener(listener).build();
    guests.set(loop.guests());
    CompletableFuture<Object> guest =
        guest(
            loop,
            () -> {
              try (var scope = TaskScope.<Exception>open()) {
                Task<Object, Exception> child =
                    scope.fork(() -> {
                      inside.countDown();
                      Thread.sleep(Duration.ofMinutes(1));
                      return "never";
                    });
                return child.await();
              }
            });
    inside.await();

    loop.close();

    assertThatThrownBy(guest::join).hasCauseInstanceOf(TaskCancelledException.class);
    assertThat(locked).containsExactly(false);
  }

  @Test
  @DisplayName("a body that ignores the end of its loop is named; close waits for it")
  void aBodyThatGoesOnIsNamed() throws Exception {
    var release = new CountDownLatch(1);
    Loop loop = builder().stragglerWarning(Duration.ofMillis(20)).build();
    CompletableFuture<Object> guest =
        guest(
            loop,
            () -> {
              inside.countDown();
              return Task.shielded(() -> {
                release.await();
                return "done";
              });
            });
    inside.await();
    Thread closing = Thread.ofVirtual().start(loop::close);

    await().until(() -> reported.contexts.size() >= 2);
    assertThat(closing.isAlive()).isTrue();
    release.countDown();
    closing.join();

    assertThat(guest.join()).isEqualTo("done");
    assertThat(reported.contexts)
        .allSatisfy(context -> {
          assertThat(context.message()).isEqualTo("Thread ignores the end of its loop");
          assertThat(context.details().get("thread").toString()).contains("guest");
          assertThat(context.details().get("stack").toString()).contains("CurrentLoopTest");
        });
  }

  @Test
  @DisplayName("a loop that is shut down or closed runs no body; those that it has go on")
  void runsNoBodyAfterTheEnd() throws Exception {
    var release = new CountDownLatch(1);
    var ran = new AtomicBoolean();
    Loop loop = builder().build();
    CompletableFuture<Object> guest =
        guest(
            loop,
            () -> {
              inside.countDown();
              release.await();
              try (var scope = TaskScope.<Exception>open()) {
                return scope.fork(() -> "forked").await();
              }
            });
    inside.await();
    loop.shutdown();

    assertThatThrownBy(() -> loop.asCurrent(() -> ran.set(true)))
        .isInstanceOf(RejectedExecutionException.class)
        .hasMessageContaining("application");
    release.countDown();
    assertThat(guest.join()).isEqualTo("forked");
    loop.close();
    Loop closed = builder().build();
    closed.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> closed.asCurrent(() -> ran.set(true)))
        .withMessageContaining("closed");
    assertThat(ran).isFalse();
  }

  @Test
  @DisplayName("a task keeps its loop: its own runs the body, another refuses it")
  void aTaskKeepsItsLoop() throws Exception {
    try (Loop loop = builder().build();
        Loop other = builder().build()) {
      Task<Loop, InterruptedException> own = loop.createTask(() -> loop.asCurrent(Loop::current));
      assertThat(own.await()).isSameAs(loop);

      Task<Loop, InterruptedException> foreign =
          loop.createTask("mine", () -> other.asCurrent(Loop::current));
      assertThatIllegalStateException()
          .isThrownBy(foreign::await)
          .withMessageContaining("mine")
          .withMessageContaining("createTask");
    }
  }

  @Test
  @DisplayName("close inside of the body is refused, and null too")
  void misuseIsRefused() throws Exception {
    try (Loop loop = builder().build()) {
      loop.asCurrent(() -> {
        assertThatIllegalStateException()
            .isThrownBy(loop::close)
            .withMessageContaining("its caller");
      });
      assertThatNullPointerException()
          .isThrownBy(() -> loop.asCurrent((Body<Object, Exception>) null))
          .withMessageContaining("body");
      assertThatNullPointerException()
          .isThrownBy(() -> loop.asCurrent((Action<Exception>) null))
          .withMessageContaining("action");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  @DisplayName("bodies that begin while the loop closes either run to an end or do not run")
  void bodiesRaceWithTheClose(int spins) throws Exception {
    for (int round = 0; round < Threads.times(200); round++) {
      Loop loop = builder().build();
      var open = new AtomicBoolean(true);
      var after = new AtomicBoolean();
      var ready = new CountDownLatch(1);
      CompletableFuture<Object> guest =
          guest(
              loop,
              () -> {
                ready.countDown();
                try (var scope = TaskScope.<Exception>open()) {
                  scope.fork(() -> Thread.sleep(Duration.ofHours(1)));
                  scope.join();
                } finally {
                  after.set(!open.get());
                }
                return "never";
              });
      if (spins == 0) {
        ready.await();
      } else {
        Thread.onSpinWait();
      }
      loop.close();
      open.set(false);

      Throwable thrown = catchThrowable(guest::join);
      assertThat(thrown.getCause())
          .isInstanceOfAny(TaskCancelledException.class, IllegalStateException.class);
      assertThat(after).isFalse();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("close in a main that a guest of the loop runs is refused: it would wait for itself")
  void closeByTheMainOfAGuest() throws Exception {
    try (Loop loop = builder().build()) {
      loop.<Void, Exception>asCurrent(() -> {
        Loop.run(() ->
            assertThatIllegalStateException()
                .isThrownBy(loop::close)
                .withMessageContaining("close would wait for its caller"));
        return null;
      });
    }
    assertThat(reported.contexts).isEmpty();
  }
}
