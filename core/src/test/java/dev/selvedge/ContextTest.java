package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What tasks take along from the thread that forks them: scoped values, and what carriers carry.
 */
@ExtendWith(Oracle.class)
@ResourceLock(Resources.SYSTEM_ERR)
class ContextTest {
  private static final ScopedValue<String> USER = ScopedValue.newInstance();
  private static final ScopedValue<String> TENANT = ScopedValue.newInstance();
  private static final ScopedValue<String> UNNAMED = ScopedValue.newInstance();
  private static final ThreadLocal<String> SPAN = new ThreadLocal<>();

  /** What a thread sees of all that. */
  private record Seen(String user, String tenant, String unnamed, String span) {
    static final Seen NOTHING = new Seen("-", "-", "-", "-");
    static final Seen ADA = new Seen("ada", "-", "-", "span of ada");

    static Seen here() {
      String span = SPAN.get();
      return new Seen(
          USER.orElse("-"), TENANT.orElse("-"), UNNAMED.orElse("-"), span == null ? "-" : span);
    }
  }

  /** Carries the span, as an adapter of a tracing library would. */
  private static final class SpanCarrier implements ContextCarrier {
    // Not the threads: they would keep their tasks alive.
    final AtomicInteger calls = new AtomicInteger();
    final AtomicInteger entered = new AtomicInteger();

    @Override
    public <T, X extends Exception> Body<T, X> carry(Body<T, X> body) {
      calls.incrementAndGet();
      String span = SPAN.get();
      return () -> {
        entered.incrementAndGet();
        String before = SPAN.get();
        SPAN.set(span);
        try {
          return body.call();
        } finally {
          SPAN.set(before);
        }
      };
    }
  }

  /** The ways to fork. The one that forks calls as somebody. */
  private enum Form {
    CREATE_TASK {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(user, () -> loop.createTask(() -> given(body)));
      }
    },
    CREATE_TASK_OF_ACTION {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(user, () -> loop.createTask(() -> body.run()));
      }
    },
    CREATE_NAMED_TASK {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(user, () -> loop.createTask("named", () -> given(body)));
      }
    },
    CREATE_NAMED_TASK_OF_ACTION {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(user, () -> loop.createTask("named", () -> body.run()));
      }
    },
    STATIC_CREATE {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        loop.runUntilComplete(() -> as(user, () -> Task.create(() -> given(body))));
      }
    },
    LAUNCH {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(
            user,
            () -> {
              loop.launch(() -> body.run());
              return null;
            });
      }
    },
    LAUNCH_NAMED {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(
            user,
            () -> {
              loop.launch("named", () -> body.run());
              return null;
            });
      }
    },
    RUN_UNTIL_COMPLETE {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(user, () -> loop.runUntilComplete(() -> given(body)));
      }
    },
    EXECUTE {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(
            user,
            () -> {
              loop.asExecutor().execute(body);
              return null;
            });
      }
    },
    SUBMIT_CALLABLE {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(user, () -> loop.asExecutor().submit(() -> given(body)));
      }
    },
    SUBMIT_RUNNABLE {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        as(user, () -> loop.asExecutor().submit(body, "value"));
      }
    },
    INVOKE_ALL {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        List<Callable<Object>> commands = List.of(() -> given(body));
        as(user, () -> loop.asExecutor().invokeAll(commands));
      }
    },
    SCOPE_FORK {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        inScope(loop, scope -> as(user, () -> scope.fork(() -> given(body))));
      }
    },
    SCOPE_FORK_OF_ACTION {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        inScope(loop, scope -> as(user, () -> scope.fork(() -> body.run())));
      }
    },
    SCOPE_FORK_NAMED {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        inScope(loop, scope -> as(user, () -> scope.fork("named", () -> given(body))));
      }
    },
    SCOPE_FORK_NAMED_ACTION {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        inScope(loop, scope -> as(user, () -> scope.fork("named", () -> body.run())));
      }
    },
    SCOPE_FORK_BY_ANOTHER_TASK {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        inScope(
            loop,
            scope -> loop.createTask(() -> as(user, () -> scope.fork(() -> given(body)))).await());
      }
    },
    SCOPE_FORK_BY_A_PLAIN_THREAD {
      @Override
      void fork(Loop loop, String user, Runnable body) throws Exception {
        inScope(
            loop,
            scope -> {
              var thrown = new AtomicReference<Throwable>();
              Thread.ofVirtual()
                  .start(() -> {
                    thrown.set(catchThrowable(() -> as(user, () -> scope.fork(() -> given(body)))));
                  })
                  .join();
              if (thrown.get() != null) {
                throw (Exception) thrown.get();
              }
              return null;
            });
      }
    };

    /** Forks once as a user; returns or throws when the body may go on. */
    abstract void fork(Loop loop, String user, Runnable body) throws Exception;

    private interface InScope {
      Object use(TaskScope<Exception> scope) throws Exception;
    }

    private static void inScope(Loop loop, InScope use) throws Exception {
      loop.runUntilComplete(() -> {
        try (TaskScope<Exception> scope = TaskScope.open()) {
          use.use(scope);
          scope.join();
        }
      });
    }
  }

  private static Object given(Runnable body) {
    body.run();
    return "value";
  }

  /** Calls with a user, a span and something that is not named to the loop. */
  private static <T> T as(String user, Callable<T> call) throws Exception {
    String before = SPAN.get();
    SPAN.set("span of " + user);
    try {
      return ScopedValue.where(USER, user).where(UNNAMED, "not for tasks").call(call::call);
    } finally {
      SPAN.set(before);
    }
  }

  private final Threads.Reported reported = new Threads.Reported();
  private final SpanCarrier spans = new SpanCarrier();
  private final IOException failure = new IOException("body");
  private final BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
  private final CountDownLatch forked = new CountDownLatch(1);

  private Loop.Builder builder() {
    return Threads.builder().inherit(USER, TENANT).carry(spans).exceptionHandler(reported);
  }

  // ---- who captures, and when

  @ParameterizedTest
  @EnumSource
  @DisplayName("a task sees what was bound where it was forked, of that what the loop names")
  void aTaskSeesWhatWasBoundWhereItWasForked(Form form) throws Exception {
    try (Loop loop = builder().build()) {
      form.fork(loop, "ada", () -> seen.add(Seen.here()));
      assertThat(seen.take()).isEqualTo(Seen.ADA);

      form.fork(loop, "bob", () -> seen.add(Seen.here()));
      assertThat(seen.take()).isEqualTo(new Seen("bob", "-", "-", "span of bob"));
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("what is captured is captured at the fork, not when the thread starts")
  void capturedAtTheFork() throws Exception {
    var gate = new Gate();
    try (Loop loop = builder().threadFactory(gate.factory()).build()) {
      Task<Seen, RuntimeException> task = as("ada", () -> loop.createTask(Seen::here));
      Task<Seen, RuntimeException> plain = loop.createTask(Seen::here);
      SPAN.set("later");
      try {
        ScopedValue.where(USER, "later").run(gate::open);
      } finally {
        SPAN.remove();
      }

      assertThat(task.await()).isEqualTo(Seen.ADA);
      assertThat(plain.await()).isEqualTo(Seen.NOTHING);
    }
  }

  @Test
  @DisplayName("a value that is not bound at the fork is not bound in the task; null is a value")
  void unboundStaysUnbound() throws Exception {
    try (Loop loop = builder().build()) {
      Task<Boolean, RuntimeException> unbound = loop.createTask(USER::isBound);
      Task<String, RuntimeException> ofNull =
          ScopedValue.where(USER, null).call(() -> loop.createTask(USER::get));

      assertThat(unbound.await()).isFalse();
      assertThat(ofNull.await()).isNull();
      assertThat(ofNull.state()).isEqualTo(java.util.concurrent.Future.State.SUCCESS);
    }
  }

  @Test
  @DisplayName("several calls of inherit add up; a loop that is built takes no further values")
  void severalInheritsAddUp() throws Exception {
    Loop.Builder builder = Threads.builder().inherit(USER).inherit(TENANT, USER).inherit();
    try (Loop loop = builder.build()) {
      builder.inherit(UNNAMED).carry(spans);
      Task<Seen, RuntimeException> task =
          ScopedValue.where(TENANT, "acme")
              .call(() -> as("ada", () -> loop.createTask(Seen::here)));

      assertThat(task.await()).isEqualTo(new Seen("ada", "acme", "-", "-"));
      assertThat(spans.calls).hasValue(0);
    }
  }

  @Test
  @DisplayName("nested forks inherit what their parent has, with what it bound itself")
  void nestedForksInherit() throws Exception {
    try (Loop loop = builder().build()) {
      Task<List<Seen>, Exception> parent =
          as(
              "ada",
              () ->
                  loop.createTask(() -> {
                    try (TaskScope<Exception> scope = TaskScope.open()) {
                      var child = scope.fork(Seen::here);
                      var bound =
                          ScopedValue.where(TENANT, "acme")
                              .call(() -> scope.fork(() -> Task.create(Seen::here).await()));
                      scope.join();
                      return List.of(child.result(), bound.result(), Seen.here());
                    }
                  }));

      assertThat(parent.await())
          .containsExactly(Seen.ADA, new Seen("ada", "acme", "-", "span of ada"), Seen.ADA);
    }
  }

  @Test
  @DisplayName("each loop carries its own: a task that forks into another loop takes that one's")
  void eachLoopCarriesItsOwn() throws Exception {
    try (Loop rich = builder().build();
        Loop poor = Threads.builder().build()) {
      Task<Seen, Exception> outer =
          as("ada", () -> rich.createTask(() -> poor.createTask(Seen::here).await()));
      assertThat(outer.await()).isEqualTo(Seen.NOTHING);

      Task<Seen, Exception> back =
          poor.createTask(() -> as("bob", () -> rich.createTask(Seen::here)).await());
      assertThat(back.await()).isEqualTo(new Seen("bob", "-", "-", "span of bob"));
    }
  }

  @Test
  @DisplayName("a loop that carries nothing has nothing for it")
  void aLoopWithoutContextHasNone() {
    try (Loop created = Loop.create();
        Loop none = Threads.builder().inherit().build();
        Loop inheriting = Threads.builder().inherit(USER).build();
        Loop carrying = Threads.builder().carry(spans).build()) {
      assertThat(created.context()).isNull();
      assertThat(none.context()).isNull();
      assertThat(Loop.defaultLoop().context()).isNull();
      assertThat(inheriting.context()).isNotNull();
      assertThat(carrying.context()).isNotNull();
    }
  }

  @Test
  @DisplayName("null is refused by name")
  void nullIsRefused() {
    assertThatNullPointerException()
        .isThrownBy(() -> Loop.builder().carry(null))
        .withMessageContaining("carrier");
    assertThatNullPointerException()
        .isThrownBy(() -> Loop.builder().inherit((ScopedValue<?>[]) null))
        .withMessageContaining("values");
    assertThatNullPointerException()
        .isThrownBy(() -> Loop.builder().inherit(USER, null))
        .withMessageContaining("value");
  }

  // ---- carriers

  @Test
  @DisplayName("the first carrier is the outermost; each is called once, by the thread that forks")
  void theFirstCarrierIsTheOutermost() throws Exception {
    var events = new CopyOnWriteArrayList<String>();
    var callers = new CopyOnWriteArrayList<Thread>();
    var runners = new CopyOnWriteArrayList<Thread>();
    try (Loop loop =
        Threads.builder()
            .carry(new Tracing("outer", events, callers, runners))
            .carry(new Tracing("inner", events, callers, runners))
            .build()) {
      Task<Thread, RuntimeException> task =
          loop.createTask(() -> {
            events.add("body");
            return Thread.currentThread();
          });

      Thread runner = task.await();
      assertThat(events)
          .containsExactly("outer enters", "inner enters", "body", "inner leaves", "outer leaves");
      assertThat(callers).containsExactly(Thread.currentThread(), Thread.currentThread());
      assertThat(runners).containsExactly(runner, runner);
    }
  }

  private record Tracing(
      String name, List<String> events, List<Thread> callers, List<Thread> runners)
      implements ContextCarrier {
    @Override
    public <T, X extends Exception> Body<T, X> carry(Body<T, X> body) {
      callers.add(Thread.currentThread());
      return () -> {
        runners.add(Thread.currentThread());
        events.add(name + " enters");
        try {
          return body.call();
        } finally {
          events.add(name + " leaves");
        }
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("every fork asks the carrier once, in the forking thread, and runs inside once")
  void everyForkAsksTheCarrierOnce(Form form) throws Exception {
    var forker = new AtomicReference<Thread>();
    var asked = new CopyOnWriteArrayList<Thread>();
    var ran = new CopyOnWriteArrayList<Thread>();
    var runner = new LinkedBlockingQueue<Thread>();
    var carrier =
        new ContextCarrier() {
          @Override
          public <T, X extends Exception> Body<T, X> carry(Body<T, X> body) {
            if (!"span of ada".equals(SPAN.get())) {
              return body;
            }
            forker.set(Thread.currentThread());
            asked.add(Thread.currentThread());
            return () -> {
              ran.add(Thread.currentThread());
              return body.call();
            };
          }
        };
    try (Loop loop = Threads.builder().carry(carrier).build()) {
      form.fork(loop, "ada", () -> runner.add(Thread.currentThread()));

      assertThat(ran).containsExactly(runner.take());
      assertThat(asked).containsExactly(forker.get()).doesNotContainAnyElementsOf(ran);
    }
  }

  @Test
  @DisplayName("after the body the context is gone from the thread, however the body ended")
  void theContextIsRemovedAfterwards() throws Exception {
    var inside = new CopyOnWriteArrayList<Seen>();
    var started = new CountDownLatch(1);
    try (Loop loop = builder().build()) {
      Task<Object, Exception> value =
          as("ada", () -> loop.createTask(() -> ending(inside, () -> "value")));
      Task<Object, Exception> failed =
          as(
              "ada",
              () ->
                  loop.createTask(() ->
                      ending(
                          inside,
                          () -> {
                            throw failure;
                          })));
      Task<Object, Exception> cancelled =
          as(
              "ada",
              () ->
                  loop.createTask(() -> {
                    started.countDown();
                    return ending(
                        inside,
                        () -> {
                          new CountDownLatch(1).await();
                          return "never";
                        });
                  }));
      List.of(value, failed, cancelled)
          .forEach(each -> each.onDone(ended -> seen.add(Seen.here())));
      started.await();
      forked.countDown();
      await().until(() -> value.isDone() && failed.isDone());
      assertThat(cancelled.cancel()).isTrue();

      for (int i = 0; i < 3; i++) {
        assertThat(seen.take()).isEqualTo(Seen.NOTHING);
      }
      assertThat(inside).containsExactly(Seen.ADA, Seen.ADA, Seen.ADA);
      assertThat(value.await()).isEqualTo("value");
      assertThatThrownBy(failed::await).isSameAs(failure);
      assertThat(cancelled.isCancelled()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }

  private Object ending(List<Seen> inside, Callable<Object> end) throws Exception {
    inside.add(Seen.here());
    Task.shielded(() -> forked.await());
    return end.call();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("what a carrier throws comes out of the fork; nothing is started, nothing counted")
  void whatACarrierThrowsComesOutOfTheFork(Form form) throws Exception {
    var broken = new IllegalStateException("the carrier's own");
    var ran = new AtomicInteger();
    try (Loop loop = Threads.builder().carry(breaking(() -> broken)).build()) {
      assertThatThrownBy(() -> form.fork(loop, "broken", ran::incrementAndGet)).isSameAs(broken);

      assertThat(loop.isRunning()).isFalse();
      assertThat(loop.allTasks()).isEmpty();
      // The loop goes on.
      form.fork(loop, "ada", () -> seen.add(Seen.here()));
      seen.take();
    }
    assertThat(ran).hasValue(0);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("a carrier that returns null is named in what comes out of the fork")
  void aCarrierThatReturnsNullIsNamed(Form form) throws Exception {
    var ran = new AtomicInteger();
    try (Loop loop = Threads.builder().carry(breaking(() -> null)).build()) {
      assertThatNullPointerException()
          .isThrownBy(() -> form.fork(loop, "broken", ran::incrementAndGet))
          .withMessageContaining("the breaking carrier");

      assertThat(loop.allTasks()).isEmpty();
    }
    assertThat(ran).hasValue(0);
  }

  @Test
  @DisplayName("when a carrier throws no thread is asked for, and the loop closes at once")
  void noThreadIsAskedForWhenACarrierThrows() {
    var threads = new AtomicInteger();
    ThreadFactory factory =
        task -> {
          threads.incrementAndGet();
          return new Thread(task);
        };
    var error = new StackOverflowError("the carrier's own");
    try (Loop loop =
        Threads.builder()
            .carry(spans)
            .carry(
                new ContextCarrier() {
                  @Override
                  public <T, X extends Exception> Body<T, X> carry(Body<T, X> body) {
                    throw error;
                  }
                })
            .threadFactory(factory)
            .build()) {
      assertThatThrownBy(() -> loop.createTask(Seen::here)).isSameAs(error);
      assertThatThrownBy(() -> loop.launch(Seen::here)).isSameAs(error);

      assertThat(loop.snapshot().nodes()).hasSize(1);
    }
    assertThat(threads).hasValue(0);
    assertThat(spans.entered).hasValue(0);
  }

  /** Breaks where the caller is broken. */
  private static ContextCarrier breaking(
      java.util.function.Supplier<? extends RuntimeException> how) {
    return new ContextCarrier() {
      @Override
      public <T, X extends Exception> Body<T, X> carry(Body<T, X> body) {
        if ("span of broken".equals(SPAN.get())) {
          RuntimeException thrown = how.get();
          if (thrown != null) {
            throw thrown;
          }
          return null;
        }
        return body;
      }

      @Override
      public String toString() {
        return "the breaking carrier";
      }
    };
  }

  @Test
  @DisplayName("promise 1: values and exceptions pass through as the same objects")
  void valuesAndExceptionsPassThrough() throws Exception {
    var value = new Object();
    var error = new StackOverflowError("body");
    try (Loop loop = builder().carry(new SpanCarrier()).build()) {
      as(
          "ada",
          () -> {
            assertThat(loop.createTask(() -> value).await()).isSameAs(value);
            assertThat(loop.<Object, RuntimeException>createTask(() -> null).await()).isNull();
            Task<Object, IOException> checked = loop.createTask(this::fail);
            assertThatThrownBy(checked::await).isSameAs(failure);
            Task<Object, RuntimeException> serious =
                loop.createTask(() -> {
                  throw error;
                });
            assertThatThrownBy(serious::await).isSameAs(error);
            assertThatThrownBy(() -> loop.runUntilComplete(this::fail)).isSameAs(failure);
            return null;
          });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("what a carried body throws by itself is the failure of the task")
  void whatTheCarriedBodyThrowsIsTheFailure() throws Exception {
    var broken = new IllegalStateException("on the way in");
    var ran = new AtomicInteger();
    try (Loop loop = Threads.builder().carry(entering(broken)).exceptionHandler(reported).build()) {
      Task<Integer, RuntimeException> task = loop.createTask(ran::incrementAndGet);
      assertThatThrownBy(task::await).isSameAs(broken);
      loop.launch(ran::incrementAndGet);
    }
    assertThat(ran).hasValue(0);
    assertThat(reported.exceptions()).isSubsetOf(broken);
  }

  private static ContextCarrier entering(RuntimeException thrown) {
    return new ContextCarrier() {
      @Override
      public <T, X extends Exception> Body<T, X> carry(Body<T, X> body) {
        return () -> {
          throw thrown;
        };
      }
    };
  }

  @Test
  @DisplayName("CAN: a task that is cancelled before it starts runs neither its body nor a carrier")
  void cancelledBeforeStartRunsNeither() throws Exception {
    var gate = new Gate();
    var ran = new AtomicInteger();
    try (Loop loop = builder().threadFactory(gate.factory()).build()) {
      Task<Integer, Exception> task = as("ada", () -> loop.createTask(ran::incrementAndGet));
      assertThat(task.cancel("too early")).isTrue();
      gate.open();

      await().until(task::isDone);
      assertThat(task.isCancelled()).isTrue();
      assertThat(spans.calls).hasValue(1);
    }
    assertThat(ran).hasValue(0);
    assertThat(spans.entered).hasValue(0);
  }

  @Test
  @DisplayName("a task that is forked into a cancelled scope runs neither its body nor a carrier")
  void forkedIntoACancelledScopeRunsNeither() throws Exception {
    var ran = new AtomicInteger();
    try (Loop loop = builder().build()) {
      Task<Integer, Exception> refused =
          loop.runUntilComplete(() -> {
            try (TaskScope<Exception> scope = TaskScope.open()) {
              scope.cancel("before");
              return as("ada", () -> scope.fork(ran::incrementAndGet));
            }
          });

      assertThat(refused.isCancelled()).isTrue();
    }
    assertThat(ran).hasValue(0);
    // That of main.
    assertThat(spans.entered).hasValue(1);
  }

  // ---- the handler

  private Loop.Builder observing() {
    return builder()
        .exceptionHandler((loop, context) -> {
          seen.add(Seen.here());
          reported.handle(loop, context);
        });
  }

  @Test
  @DisplayName("HND-10: at close the handler runs in the context of the task that failed")
  void theHandlerRunsInTheContextOfAnUnreadTask() throws Exception {
    try (Loop loop = observing().build()) {
      for (String user : List.of("ada", "bob")) {
        Task<Object, IOException> task = as(user, () -> loop.createTask(this::fail));
        await().until(task::isDone);
      }
      Task<Object, IOException> plain = loop.createTask(this::fail);
      await().until(plain::isDone);
      loop.createTask(this::fail).ignoreFailure();
    }

    assertThat(seen)
        .containsExactly(Seen.ADA, new Seen("bob", "-", "-", "span of bob"), Seen.NOTHING);
    assertThat(reported.exceptions()).containsExactly(failure, failure, failure);
  }

  @Test
  @DisplayName("HND-10: it does for a launched task, and what is reported next has no part in it")
  void theHandlerRunsInTheContextOfALaunchedTask() throws Exception {
    var other = new ExceptionContext("by itself", null, null, java.util.Map.of());
    try (Loop loop =
        builder()
            .exceptionHandler((from, context) -> {
              seen.add(Seen.here());
              reported.handle(from, context);
              if (context.exception() != null) {
                // Queued behind this one, for the same thread.
                from.callExceptionHandler(other);
              }
            })
            .build()) {
      as(
          "ada",
          () -> {
            loop.launch(this::fail);
            return null;
          });

      assertThat(seen.take()).isEqualTo(Seen.ADA);
      assertThat(seen.take()).isEqualTo(Seen.NOTHING);
    }
    assertThat(reported.messages())
        .containsExactly("Task exception was never retrieved", "by itself");
  }

  @Test
  @DisplayName("HND-10: it does for an orphan whose handle was collected")
  void theHandlerRunsInTheContextOfAnOrphan() throws Exception {
    try (Loop loop = observing().build()) {
      failAndDrop(loop);

      await()
          .until(() -> {
            System.gc();
            return !reported.contexts.isEmpty();
          });
      assertThat(reported.exceptions()).containsExactly(failure);
    }
    assertThat(seen).containsExactly(Seen.ADA);
  }

  private void failAndDrop(Loop loop) throws Exception {
    Task<Object, IOException> task = as("ada", () -> loop.createTask("dropped", this::fail));
    await().until(task::isDone);
  }

  @Test
  @DisplayName("HND-10: it does after orphanAfter, too")
  void theHandlerRunsInTheContextAfterATime() throws Exception {
    try (Loop loop = observing().orphanAfter(Duration.ofMillis(1)).build()) {
      Task<Object, IOException> held = as("ada", () -> loop.createTask(this::fail));
      assertThat(seen.take()).isEqualTo(Seen.ADA);
      assertThatThrownBy(held::await).isSameAs(failure);
    }
    assertThat(reported.contexts).hasSize(1);
    // The timer's thread lets go of it after it has reported.
    await().until(() -> Orphans.unread().isEmpty());
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("HND-10: it does for the child of a scope, when the scope closes")
  void theHandlerRunsInTheContextOfAChild(TaskScope.Policy policy) throws Exception {
    try (Loop loop = observing().build()) {
      loop.runUntilComplete(() -> {
        try (TaskScope<IOException> scope = TaskScope.open(policy)) {
          Task<Object, IOException> child = as("ada", () -> scope.fork(this::fail));
          await().until(child::isDone);
          assertThat(seen).isEmpty();
        }
        assertThat(seen).containsExactly(Seen.ADA);
      });
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("HND-10: it does for failures that an exception has no room for")
  void theHandlerRunsInTheContextOfWhatHasNoRoom() throws Exception {
    int children = Failures.MAX_SUPPRESSED + 2;
    try (Loop loop = observing().build()) {
      assertThatThrownBy(() ->
              loop.runUntilComplete(() -> {
                try (TaskScope<IOException> scope = TaskScope.open()) {
                  var ready = new CountDownLatch(children);
                  for (int i = 0; i < children; i++) {
                    as(
                        "ada",
                        () ->
                            scope.fork(() -> {
                              ready.countDown();
                              Task.shielded(() -> ready.await());
                              throw new IOException("one of many");
                            }));
                  }
                  scope.join();
                }
              }))
          .isInstanceOf(IOException.class);
    }
    assertThat(seen).containsExactly(Seen.ADA);
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("HND-10: it does for failures that are suppressed in the end of a cancelled task")
  void theHandlerRunsInTheContextOfACancelledTask() throws Exception {
    var started = new CountDownLatch(1);
    try (Loop loop = observing().build()) {
      Task<Object, Exception> task =
          as(
              "ada",
              () ->
                  loop.createTask(() -> {
                    try (TaskScope<IOException> scope = TaskScope.open()) {
                      scope.fork(() -> {
                        try {
                          started.countDown();
                          new CountDownLatch(1).await();
                        } finally {
                          fail();
                        }
                      });
                      scope.join();
                    }
                    return null;
                  }));
      started.await();
      assertThat(task.cancel()).isTrue();
      await().until(task::isDone);
      assertThat(task.isCancelled()).isTrue();
    }
    assertThat(seen).containsExactly(Seen.ADA);
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("HND-10: what the handler forks takes the context of the failed task along")
  void theHandlerForksInTheContext() throws Exception {
    try (Loop loop =
        builder()
            .exceptionHandler((from, context) -> from.createTask(() -> seen.add(Seen.here())))
            .build()) {
      as(
          "ada",
          () -> {
            loop.launch(this::fail);
            return null;
          });

      assertThat(seen.take()).isEqualTo(Seen.ADA);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("HND-10: a carrier that breaks when the task fails: reported plainly, with why")
  void aCarrierThatBreaksAtTheFailure(boolean returnsNull) throws Exception {
    var broken = new IllegalStateException("the carrier's own");
    try (Loop loop =
        Threads.builder()
            .carry(breaking(() -> returnsNull ? null : broken))
            .exceptionHandler((from, context) -> {
              seen.add(Seen.here());
              reported.handle(from, context);
            })
            .build()) {
      loop.launch(() -> {
        SPAN.set("span of broken");
        fail();
      });

      assertThat(seen.take()).isEqualTo(Seen.NOTHING);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
    assertThat(failure.getSuppressed())
        .singleElement()
        .satisfies(suppressed -> {
          if (returnsNull) {
            assertThat(suppressed)
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("the breaking carrier");
          } else {
            assertThat(suppressed).isSameAs(broken);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("HND-10: a carrier that breaks around the handler: called plainly, once, with why")
  void aCarrierThatBreaksAroundTheHandler(boolean before) throws Exception {
    PrintStream stderr = System.err;
    var printed = new ByteArrayOutputStream();
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try (Loop loop =
        observing()
            .carry(
                new ContextCarrier() {
                  @Override
                  public <T, X extends Exception> Body<T, X> carry(Body<T, X> body) {
                    return () -> {
                      boolean breaks = Task.current().isEmpty() || isHandler();
                      if (breaks && before) {
                        throw new IllegalStateException("the carrier's own");
                      }
                      T value = body.call();
                      if (breaks) {
                        throw new IllegalStateException("the carrier's own");
                      }
                      return value;
                    };
                  }
                })
            .build()) {
      as(
          "ada",
          () -> {
            loop.launch(this::fail);
            return null;
          });
      seen.take();
    } finally {
      System.setErr(stderr);
    }
    assertThat(seen).isEmpty();
    assertThat(reported.exceptions()).containsExactly(failure);
    assertThat(printed.toString(StandardCharsets.UTF_8))
        .contains("java.lang.IllegalStateException: the carrier's own");
  }

  private static boolean isHandler() {
    return Task.current().orElseThrow().name().equals("exception handler");
  }

  @Test
  @DisplayName("promise 5: a handler that throws in the context falls back, with both shown, once")
  void aHandlerThatThrowsInTheContext() throws Exception {
    PrintStream stderr = System.err;
    var printed = new ByteArrayOutputStream();
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    var calls = new AtomicInteger();
    try (Loop loop =
        builder()
            .exceptionHandler((from, context) -> {
              calls.incrementAndGet();
              throw new IllegalStateException("the handler's own");
            })
            .build()) {
      as(
          "ada",
          () -> {
            loop.launch(this::fail);
            return null;
          });
      await().until(() -> calls.get() == 1);
    } finally {
      System.setErr(stderr);
    }
    assertThat(calls).hasValue(1);
    assertThat(printed.toString(StandardCharsets.UTF_8))
        .contains("java.io.IOException: body")
        .contains("java.lang.IllegalStateException: the handler's own")
        .doesNotContain("context carrier");
  }

  private Object fail() throws IOException {
    throw failure;
  }
}
