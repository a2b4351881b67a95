package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What listeners are told, in which order, and that they disturb nobody. */
@ExtendWith(Oracle.class)
@SuppressWarnings("try") // closes again on purpose
class ListenerTest {
  private enum Kind {
    STARTED,
    FINISHED,
    CANCELLED,
    TOLERATED,
    REPORTED,
    STRAGGLING
  }

  /**
   * One call.
   *
   * @param task the name of the task; that of what a report is about
   * @param detail what the listener was given besides the task
   */
  private record Event(
      Kind kind,
      String task,
      Object detail,
      Future.State state,
      Thread thread,
      boolean interrupted) {}

  /** Keeps names rather than tasks, so that it keeps no handle alive. */
  private static class Recorder implements LoopListener {
    final List<Event> events = new CopyOnWriteArrayList<>();

    private void add(Kind kind, Task<?, ?> task, Object detail) {
      Thread thread = Thread.currentThread();
      events.add(
          new Event(
              kind,
              task == null ? "-" : task.name(),
              detail,
              task == null ? null : task.state(),
              thread,
              thread.isInterrupted()));
    }

    @Override
    public void started(Task<?, ?> task) {
      add(Kind.STARTED, task, null);
    }

    @Override
    public void finished(Task<?, ?> task, Throwable exception) {
      add(Kind.FINISHED, task, exception);
    }

    @Override
    public void cancelled(Task<?, ?> task, CancelReason reason) {
      add(Kind.CANCELLED, task, reason);
    }

    @Override
    public void tolerated(Task<?, ?> task, Throwable exception) {
      add(Kind.TOLERATED, task, exception);
    }

    @Override
    public void reported(ExceptionContext context) {
      add(Kind.REPORTED, context.future(), context);
    }

    @Override
    public void straggling(Task<?, ?> task, Duration asked) {
      add(Kind.STRAGGLING, task, asked);
    }

    private List<Event> where(Predicate<Event> which) {
      return events.stream().filter(which).toList();
    }

    List<Event> of(Kind kind) {
      return where(event -> event.kind == kind);
    }

    List<Event> of(String task) {
      return where(event -> event.task.equals(task));
    }

    List<Kind> kinds(String task) {
      return of(task).stream().map(Event::kind).toList();
    }

    Event only(Kind kind, String task) {
      List<Event> found = where(event -> event.kind == kind && event.task.equals(task));
      assertThat(found).hasSize(1);
      return found.getFirst();
    }

    CancelReason.Source source(String task) {
      return ((CancelReason) only(Kind.CANCELLED, task).detail).source();
    }
  }

  private final Recorder events = new Recorder();
  private final Threads.Reported reported = new Threads.Reported();
  private final IOException failure = new IOException("body");
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);

  private Loop.Builder builder() {
    return Threads.builder().listener(events).exceptionHandler(reported);
  }

  private Object fail() throws IOException {
    throw failure;
  }

  private Object block() throws InterruptedException {
    started.countDown();
    new CountDownLatch(1).await();
    return "never";
  }

  // ---- started and finished

  @Test
  @DisplayName("a value: started by the forking thread, then finished by the task's, without one")
  void aValueIsStartedAndFinished() throws Exception {
    Thread runner;
    try (Loop loop = builder().build()) {
      runner = loop.createTask("value", Thread::currentThread).await();
    }

    assertThat(events.kinds("value")).containsExactly(Kind.STARTED, Kind.FINISHED);
    Event start = events.only(Kind.STARTED, "value");
    Event end = events.only(Kind.FINISHED, "value");
    assertThat(start.thread).isSameAs(Thread.currentThread());
    assertThat(start.state).isEqualTo(Future.State.RUNNING);
    assertThat(end.thread).isSameAs(runner);
    assertThat(end.state).isEqualTo(Future.State.SUCCESS);
    assertThat(end.detail).isNull();
  }

  @Test
  @DisplayName("a listener that overrides nothing hears everything and does nothing")
  void aListenerThatOverridesNothing() throws Exception {
    var nothing = new LoopListener() {};
    try (Loop loop = builder().listener(nothing).build()) {
      Task<Object, IOException> awaited = loop.createTask("awaited", this::fail);
      assertThatThrownBy(awaited::await).isSameAs(failure);
      Task<Object, RuntimeException> blocked = loop.createTask("blocked", this::block);
      started.await();
      blocked.cancel();
      blocked.awaitDone();
      Task<Object, IOException> ignored = loop.createTask("ignored", this::fail);
      ignored.ignoreFailure();
      Task<Object, IOException> orphaned = loop.createTask("orphaned", this::fail);
      await().until(orphaned::isDone); // or the close cancels it before it begins
      loop.callListeners(listener -> {
        listener.gathered("gather", 2);
        listener.restarted(ignored, 1);
      });
    }

    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("a failure: finished has it and does not retrieve it: the orphan is still reported")
  void finishedHasTheFailureAndDoesNotRetrieveIt() {
    try (Loop loop = builder().build()) {
      Task<Object, IOException> task = loop.createTask("failing", this::fail);
      await().until(task::isDone);
    }

    assertThat(events.kinds("failing")).containsExactly(Kind.STARTED, Kind.FINISHED, Kind.REPORTED);
    Event end = events.only(Kind.FINISHED, "failing");
    assertThat(end.detail).isSameAs(failure);
    assertThat(end.state).isEqualTo(Future.State.FAILED);
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("a cancellation: finished has the exception that awaiting it throws")
  void finishedHasTheCancellation() throws Exception {
    Throwable thrown;
    try (Loop loop = builder().build()) {
      Task<Object, RuntimeException> task = loop.createTask("blocked", this::block);
      started.await();
      task.cancel("enough");
      thrown = catchThrowable(task::await);
    }

    assertThat(events.kinds("blocked"))
        .containsExactlyInAnyOrder(Kind.STARTED, Kind.CANCELLED, Kind.FINISHED);
    Event end = events.only(Kind.FINISHED, "blocked");
    assertThat(thrown).isInstanceOf(TaskCancelledException.class).isSameAs(end.detail);
    assertThat(end.state).isEqualTo(Future.State.CANCELLED);
    assertThat(events.of(Kind.REPORTED)).isEmpty();
  }

  @Test
  @DisplayName("cancelled before it starts: started and finished all the same, by its own thread")
  void cancelledBeforeItStarts() {
    var gate = new Gate();
    try (Loop loop = builder().threadFactory(gate.factory()).build()) {
      Task<Object, RuntimeException> task = loop.createTask("early", this::block);
      assertThat(task.cancel("too early")).isTrue();
      gate.open();
      await().until(task::isDone);
    }

    assertThat(events.kinds("early")).containsExactly(Kind.STARTED, Kind.CANCELLED, Kind.FINISHED);
    Event end = events.only(Kind.FINISHED, "early");
    assertThat(end.state).isEqualTo(Future.State.CANCELLED);
    assertThat(end.thread).isNotSameAs(Thread.currentThread());
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("forked into a cancelled scope: started, cancelled and finished before fork returns")
  void forkedIntoACancelledScope(TaskScope.Policy policy) throws Exception {
    try (Loop loop = builder().build()) {
      loop.runUntilComplete(() -> {
        try (TaskScope<Exception> scope = TaskScope.open(policy)) {
          scope.cancel("before");
          Task<Object, Exception> refused = scope.fork("refused", this::block);
          assertThat(events.kinds("refused"))
              .containsExactly(Kind.STARTED, Kind.CANCELLED, Kind.FINISHED);
          assertThat(events.only(Kind.FINISHED, "refused").detail)
              .isSameAs(catchThrowable(refused::result));
        }
      });
    }
    assertThat(events.source("refused")).isEqualTo(CancelReason.Source.REQUEST);
    assertThat(events.kinds("refused")).hasSize(3);
  }

  @Test
  @DisplayName("created while the loop closes: started, cancelled and finished")
  void createdWhileTheLoopCloses() {
    try (Loop loop =
        builder()
            .exceptionHandler((from, context) -> from.createTask("late", this::block))
            .build()) {
      Task<Object, IOException> unread = loop.createTask(this::fail);
      await().until(unread::isDone);
    }

    assertThat(events.kinds("late")).containsExactly(Kind.STARTED, Kind.CANCELLED, Kind.FINISHED);
    assertThat(events.source("late")).isEqualTo(CancelReason.Source.SHUTDOWN);
  }

  @Test
  @DisplayName("the main of a run and the children of scopes are told like all others")
  void mainAndChildren() throws Exception {
    try (Loop loop = builder().build()) {
      String value =
          loop.runUntilComplete(() -> {
            try (TaskScope<RuntimeException> scope = TaskScope.open()) {
              scope.fork("child", () -> Task.create(() -> "nested").await());
              scope.join();
            }
            return "done";
          });
      assertThat(value).isEqualTo("done");
      await().until(() -> events.events.size() == 6);
      assertThat(events.kinds("main")).containsExactly(Kind.STARTED, Kind.FINISHED);
      assertThat(events.kinds("child")).containsExactly(Kind.STARTED, Kind.FINISHED);

      assertThatThrownBy(() -> loop.runUntilComplete(this::fail)).isSameAs(failure);
    }
    assertThat(events.of("main")).hasSize(4);
    assertThat(events.of("main").getLast().detail).isSameAs(failure);
    assertThat(reported.contexts).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("no thread could be started: started, cancelled and finished, then fork throws")
  void noThreadCouldBeStarted(boolean inScope) throws Exception {
    var poor = new AtomicBoolean();
    try (Loop loop =
        builder()
            .threadFactory(task -> poor.get() ? unstartable(task) : new Thread(task))
            .build()) {
      if (inScope) {
        loop.runUntilComplete(() -> {
          try (TaskScope<Exception> scope = TaskScope.open()) {
            poor.set(true);
            assertThatThrownBy(() -> scope.fork("poor", this::block))
                .isInstanceOf(RejectedExecutionException.class);
            scope.join();
          }
        });
      } else {
        poor.set(true);
        assertThatThrownBy(() -> loop.createTask("poor", this::block))
            .isInstanceOf(RejectedExecutionException.class);
      }
    }
    assertThat(events.kinds("poor")).containsExactly(Kind.STARTED, Kind.CANCELLED, Kind.FINISHED);
    assertThat(events.only(Kind.FINISHED, "poor").detail)
        .isInstanceOf(TaskCancelledException.class);
  }

  private static Thread unstartable(Runnable task) {
    return new Thread(task) {
      @Override
      public synchronized void start() {
        throw new OutOfMemoryError("no thread to be had");
      }
    };
  }

  @Test
  @DisplayName("L14: what is rejected before there is a thread was never started")
  void whatIsRejectedWasNeverStarted() {
    try (Loop loop = builder().threadFactory(task -> null).build()) {
      assertThatThrownBy(() -> loop.createTask(this::fail))
          .isInstanceOf(RejectedExecutionException.class);
    }
    Loop closed = builder().build();
    closed.close();
    assertThatThrownBy(() -> closed.createTask(this::fail))
        .isInstanceOf(IllegalStateException.class);

    assertThat(events.events).isEmpty();
  }

  @Test
  @DisplayName("finished comes before those who await wake, and before callbacks")
  void finishedComesBeforeAwaitersWake() throws Exception {
    var order = new CopyOnWriteArrayList<String>();
    var gate = new Gate();
    var listener =
        new LoopListener() {
          @Override
          public void finished(Task<?, ?> task, Throwable exception) {
            if (task.name().equals("awaited")) {
              started.countDown();
              gate.pass();
              order.add("finished");
            }
          }
        };
    try (Loop loop = Threads.builder().listener(listener).build()) {
      Task<Void, RuntimeException> task = loop.createTask("awaited", () -> release.await());
      task.onDone(ended -> order.add("callback"));
      Task<Boolean, RuntimeException> waiter =
          loop.createTask(() -> {
            task.await();
            return order.add("awaiter");
          });
      // Not for a limited time: who looks for circles meanwhile would see that it is done.
      await()
          .until(() -> {
            Thread thread = ((TaskImpl<?, ?>) waiter).thread();
            return thread != null && thread.getState() == Thread.State.WAITING;
          });

      release.countDown();
      started.await();
      assertThat(task.isDone()).isTrue();
      assertThat(waiter.isDone()).isFalse();
      gate.open();

      waiter.await();
      await().until(() -> order.size() == 3);
    }
    assertThat(order.getFirst()).isEqualTo("finished");
    assertThat(order).containsExactlyInAnyOrder("finished", "awaiter", "callback");
  }

  @Test
  @DisplayName("an interrupt of a cancellation that comes late does not reach finished")
  void aLateInterruptDoesNotReachFinished() throws Exception {
    try (Loop loop = builder().build()) {
      for (int i = 0; i < 300; i++) {
        var go = new AtomicBoolean();
        Task<Integer, RuntimeException> task =
            loop.createTask(() -> {
              while (!go.get()) {
                Thread.onSpinWait();
              }
              return 1;
            });
        go.set(true);
        task.cancel("late");
        catchThrowable(task::await);
      }
      Task<Integer, RuntimeException> ignoring =
          loop.createTask(() -> {
            started.countDown();
            while (!Thread.currentThread().isInterrupted()) {
              Thread.onSpinWait();
            }
            return 1;
          });
      started.await();
      ignoring.cancel("ignored");
      assertThat(ignoring.await()).isEqualTo(1);
    }
    assertThat(events.of(Kind.FINISHED)).hasSize(301).noneMatch(Event::interrupted);
  }

  @Test
  @DisplayName("in a callback, after finished, the flag of a listener that interrupts is gone")
  void aListenersOwnInterruptDoesNotReachACallback() throws Exception {
    var interrupted = new AtomicReference<Boolean>();
    try (Loop loop =
        Threads.builder()
            .listener(
                new LoopListener() {
                  @Override
                  public void finished(Task<?, ?> task, Throwable exception) {
                    Thread.currentThread().interrupt();
                  }
                })
            .build()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> release.await());
      task.onDone(ended -> interrupted.set(Thread.currentThread().isInterrupted()));
      release.countDown();
      task.await();
      await().until(() -> interrupted.get() != null);
    }
    assertThat(interrupted.get()).isFalse();
  }

  // ---- cancelled

  @Test
  @DisplayName("cancelled: REQUEST, once for each request that was accepted, by who asks")
  void cancelledByRequest() throws Exception {
    var asked = new ArrayList<CancelReason>();
    try (Loop loop = builder().build()) {
      Task<Void, RuntimeException> task = loop.createTask("asked", this::ignoreInterrupts);
      started.await();
      for (String message : List.of("first", "second")) {
        var reason = CancelReason.request(message);
        asked.add(reason);
        assertThat(task.cancel(reason)).isTrue();
      }
      task.uncancel();
      assertThat(task.cancel(asked.getFirst())).isTrue();
      release.countDown();
      task.await();
      assertThat(task.cancel("too late")).isFalse();
    }

    assertThat(events.where(event -> event.kind == Kind.CANCELLED))
        .extracting(Event::detail)
        .containsExactly(asked.get(0), asked.get(1), asked.get(0));
    assertThat(events.of(Kind.CANCELLED))
        .allMatch(event -> event.thread == Thread.currentThread() && event.task.equals("asked"));
    assertThat(events.only(Kind.FINISHED, "asked").detail).isNull();
  }

  private void ignoreInterrupts() {
    started.countDown();
    while (true) {
      try {
        release.await();
        return;
      } catch (InterruptedException e) {
        // That is what a straggler does.
      }
    }
  }

  @Test
  @DisplayName("cancelled: PARENT for what a cancelled task holds, however deep, each once")
  void cancelledWithTheParent() throws Exception {
    var ready = new CountDownLatch(2);
    try (Loop loop = builder().build()) {
      Task<Object, Exception> task =
          loop.createTask(
              "parent",
              () -> {
                try (TaskScope<Exception> scope = TaskScope.open()) {
                  scope.fork(
                      "child",
                      () -> {
                        try (TaskScope<Exception> inner = TaskScope.open()) {
                          inner.fork("grandchild", () -> blockAfter(ready));
                          blockAfter(ready);
                        }
                        return null;
                      });
                  scope.join();
                }
                return null;
              });
      ready.await();
      task.cancel("from above");
      await().until(task::isDone);
    }

    assertThat(events.source("parent")).isEqualTo(CancelReason.Source.REQUEST);
    assertThat(events.source("child")).isEqualTo(CancelReason.Source.PARENT);
    assertThat(events.source("grandchild")).isEqualTo(CancelReason.Source.PARENT);
    assertThat(((CancelReason) events.only(Kind.CANCELLED, "child").detail).message())
        .isEqualTo("from above");
  }

  private static Object blockAfter(CountDownLatch ready) throws InterruptedException {
    ready.countDown();
    new CountDownLatch(1).await();
    return "never";
  }

  @Test
  @DisplayName("cancelled: SIBLING_FAILURE by the failing task, whose finished came before")
  void cancelledWithASibling() throws Exception {
    try (Loop loop = builder().build()) {
      assertThatThrownBy(() ->
              loop.runUntilComplete(() -> {
                try (TaskScope<IOException> scope = TaskScope.open()) {
                  scope.fork("sibling", this::block);
                  scope.fork(
                      "failing",
                      () -> {
                        started.await();
                        return fail();
                      });
                  scope.join();
                }
              }))
          .isSameAs(failure);
    }

    var reason = (CancelReason) events.only(Kind.CANCELLED, "sibling").detail;
    assertThat(reason.source()).isEqualTo(CancelReason.Source.SIBLING_FAILURE);
    assertThat(reason.by().name()).isEqualTo("failing");
    assertThat(events.events.indexOf(events.only(Kind.FINISHED, "failing")))
        .isLessThan(events.events.indexOf(events.only(Kind.CANCELLED, "sibling")));
    assertThat(events.of("failing")).noneMatch(event -> event.kind == Kind.CANCELLED);
  }

  @Test
  @DisplayName("cancelled: SHUTDOWN when the loop closes; what has ended is not told")
  void cancelledAtShutdown() throws Exception {
    try (Loop loop = builder().build()) {
      loop.createTask("ended", () -> "value").await();
      loop.createTask("blocked", this::block);
      started.await();
    }

    assertThat(events.source("blocked")).isEqualTo(CancelReason.Source.SHUTDOWN);
    assertThat(events.kinds("ended")).containsExactly(Kind.STARTED, Kind.FINISHED);
  }

  @Test
  @DisplayName("cancelled: TIMEOUT when waitFor gives up; PARENT when a limit ends what holds it")
  void cancelledByATimeout() throws Exception {
    try (Loop loop = builder().build()) {
      Task<Object, RuntimeException> task = loop.createTask("slow", this::block);
      assertThatThrownBy(() -> Timeout.waitFor(task, Duration.ofMillis(1)))
          .isInstanceOf(TimeoutException.class);
      assertThat(events.source("slow")).isEqualTo(CancelReason.Source.TIMEOUT);

      assertThatThrownBy(() ->
              loop.runUntilComplete(() ->
                  Timeout.within(
                      Duration.ofMillis(1),
                      () -> {
                        try (TaskScope<Exception> scope = TaskScope.open()) {
                          scope.fork("child", this::block);
                          scope.join();
                        }
                      })))
          .isInstanceOf(TimeoutException.class);
      // Told by the timer's thread, which the end of the task does not wait for.
      await().until(() -> events.kinds("child").contains(Kind.CANCELLED));
      assertThat(events.source("child")).isEqualTo(CancelReason.Source.PARENT);
      assertThat(events.of("main")).noneMatch(event -> event.kind == Kind.CANCELLED);
    }
  }

  @Test
  @DisplayName("cancelled is told while no lock is held: other threads may use task and scope")
  void cancelledHoldsNoLock() throws Exception {
    var listener =
        new LoopListener() {
          @Override
          public void cancelled(Task<?, ?> task, CancelReason reason) {
            // By another thread: monitors are re-entrant.
            onAnotherThread(() -> {
              assertThat(task.cancelRequests()).isPositive();
              task.onDone(ended -> {});
              assertThat(Loop.all()).allSatisfy(each -> assertThat(each.snapshot()).isNotNull());
            });
          }
        };
    try (Loop loop =
        Threads.builder().listener(listener).listener(events).exceptionHandler(reported).build()) {
      loop.runUntilComplete(() -> {
        try (TaskScope<Exception> scope = TaskScope.open()) {
          scope.fork("child", this::block);
          started.await();
          scope.cancel("now");
          scope.fork("late", this::block);
        }
      });
    }
    assertThat(events.of(Kind.CANCELLED)).hasSize(2);
    assertThat(reported.contexts).isEmpty();
  }

  private static void onAnotherThread(Runnable action) {
    var thrown = new AtomicReference<Throwable>();
    Thread thread = Thread.ofVirtual().start(() -> thrown.set(catchThrowable(action::run)));
    try {
      assertThat(thread.join(Duration.ofSeconds(10))).as("not blocked by a lock").isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    assertThat(thrown.get()).isNull();
  }

  // ---- tolerated

  @Test
  @DisplayName("tolerated: a failure that is ignored afterwards, by who ignores it, once")
  void toleratedAfterwards() {
    try (Loop loop = builder().build()) {
      Task<Object, IOException> task = loop.createTask("failing", this::fail);
      await().until(() -> events.kinds("failing").contains(Kind.FINISHED));
      task.ignoreFailure().ignoreFailure();
    }

    Event event = events.only(Kind.TOLERATED, "failing");
    assertThat(event.detail).isSameAs(failure);
    assertThat(event.thread).isSameAs(Thread.currentThread());
    assertThat(events.of(Kind.REPORTED)).isEmpty();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("tolerated: a failure that was ignored before, when it comes, after finished, once")
  void toleratedBefore() throws Exception {
    try (Loop loop = builder().build()) {
      Task<Object, IOException> task =
          loop.createTask(
              "failing",
              () -> {
                release.await();
                return fail();
              });
      task.ignoreFailure();
      assertThat(events.of(Kind.TOLERATED)).isEmpty();
      release.countDown();
      assertThatThrownBy(task::await).isSameAs(failure);
      task.ignoreFailure();
    }

    assertThat(events.kinds("failing"))
        .containsExactly(Kind.STARTED, Kind.FINISHED, Kind.TOLERATED);
    assertThat(events.only(Kind.TOLERATED, "failing").detail).isSameAs(failure);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("tolerated: a launched task that ignores itself")
  void toleratedWhenLaunched() {
    try (Loop loop = builder().build()) {
      loop.launch(
          "failing",
          () -> {
            Task.current().orElseThrow().ignoreFailure();
            fail();
          });
      await().until(() -> events.kinds("failing").contains(Kind.TOLERATED));
    }
    assertThat(events.kinds("failing"))
        .containsExactly(Kind.STARTED, Kind.FINISHED, Kind.TOLERATED);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("tolerated: not a success, not a cancellation, not what is retrieved or reported")
  void notTolerated() throws Exception {
    try (Loop loop = builder().build()) {
      Task<Object, RuntimeException> value = loop.createTask(() -> "value");
      value.ignoreFailure().await();
      value.ignoreFailure();

      Task<Object, RuntimeException> cancelled = loop.createTask(this::block);
      cancelled.ignoreFailure();
      started.await();
      cancelled.cancel();
      await().until(cancelled::isDone);
      cancelled.ignoreFailure();

      Task<Object, IOException> retrieved = loop.createTask(this::fail);
      assertThatThrownBy(retrieved::await).isSameAs(failure);
      retrieved.ignoreFailure();

      Task<Object, IOException> late = loop.createTask("late", this::fail);
      await().until(() -> events.kinds("late").contains(Kind.FINISHED));
      loop.close();
      late.ignoreFailure();
    }
    assertThat(events.of(Kind.TOLERATED)).isEmpty();
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("tolerated: the failures inside of a cancelled task that is ignored, each once")
  void toleratedInsideOfACancelledTask(boolean before) throws Exception {
    try (Loop loop = builder().build()) {
      Task<Object, Exception> task =
          loop.createTask(
              "owner",
              () -> {
                try (TaskScope<IOException> scope = TaskScope.open()) {
                  scope.fork(() -> {
                    try {
                      block();
                    } finally {
                      fail();
                    }
                  });
                  scope.join();
                }
                return null;
              });
      if (before) {
        task.ignoreFailure();
      }
      started.await();
      task.cancel();
      await().until(() -> events.kinds("owner").contains(Kind.FINISHED));
      task.ignoreFailure();
    }
    assertThat(events.of(Kind.TOLERATED)).extracting(Event::detail).containsExactly(failure);
    assertThat(reported.contexts).isEmpty();
  }

  // ---- reported and straggling

  @Test
  @DisplayName("reported: failures and warnings, the same context, before the handler")
  void reportedBeforeTheHandler() {
    var order = new CopyOnWriteArrayList<Object>();
    var warning = new ExceptionContext("by itself", null, null, Map.of());
    try (Loop loop =
        builder()
            .exceptionHandler((from, context) -> {
              List<Event> told = events.of(Kind.REPORTED);
              order.add(told.getLast().detail);
              order.add(context);
            })
            .build()) {
      loop.callExceptionHandler(warning);
      assertThat(order).containsExactly(warning, warning);

      loop.launch("failing", this::fail);
      await().until(() -> order.size() == 4);
    }

    assertThat(order.get(2)).isSameAs(order.get(3));
    assertThat(((ExceptionContext) order.get(3)).exception()).isSameAs(failure);
    assertThat(events.of(Kind.REPORTED)).hasSize(2);
    assertThat(events.kinds("failing")).containsExactly(Kind.STARTED, Kind.FINISHED, Kind.REPORTED);
  }

  @Test
  @DisplayName("reported: also when the handler is the default loop's")
  void reportedWithoutAHandlerOfItsOwn() {
    Loop.defaultLoop().setExceptionHandler(reported);
    try (Loop loop = Threads.builder().listener(events).build()) {
      loop.launch("failing", this::fail);
      await().until(() -> !reported.contexts.isEmpty());
    } finally {
      Loop.defaultLoop().setExceptionHandler(null);
    }
    assertThat(events.of(Kind.REPORTED)).hasSize(1);
  }

  @Test
  @DisplayName("reported one at a time, however many tasks fail at once")
  void reportedOneAtATime() throws Exception {
    var inside = new AtomicBoolean();
    var overlaps = new AtomicBoolean();
    var listener =
        new LoopListener() {
          @Override
          public void reported(ExceptionContext context) {
            if (!inside.compareAndSet(false, true)) {
              overlaps.set(true);
            }
            Thread.yield();
            inside.set(false);
          }
        };
    int tasks = 50;
    var ready = new CountDownLatch(tasks);
    try (Loop loop = builder().listener(listener).build()) {
      for (int i = 0; i < tasks; i++) {
        loop.launch(() -> {
          ready.countDown();
          Task.shielded(() -> ready.await());
          throw new IOException("one of many");
        });
      }
      ready.await();
    }
    assertThat(events.of(Kind.REPORTED)).hasSize(tasks);
    assertThat(overlaps).isFalse();
  }

  @Test
  @DisplayName("straggling: again and again, with growing durations, until the task ends")
  void stragglingAgainAndAgain() throws Exception {
    Duration first = Duration.ofMillis(40);
    try (Loop loop = builder().stragglerWarning(first).build()) {
      Task<Void, RuntimeException> task = loop.createTask("stubborn", this::ignoreInterrupts);
      started.await();
      task.cancel("please stop");
      await().until(() -> events.of(Kind.STRAGGLING).size() >= 3);
      release.countDown();
      task.await();
    }

    List<Event> straggling = events.of(Kind.STRAGGLING);
    assertThat(straggling).allMatch(event -> event.task.equals("stubborn"));
    assertThat(events.of(Kind.REPORTED)).hasSameSizeAs(straggling);
    for (int i = 0; i < 3; i++) {
      var asked = (Duration) straggling.get(i).detail;
      assertThat(asked)
          .isGreaterThanOrEqualTo(first.multipliedBy((2L << i) - 1))
          .isLessThan(Duration.ofMinutes(1));
    }
  }

  @Test
  @DisplayName("straggling: what keeps a close waiting")
  void stragglingAtClose() throws Exception {
    Loop loop = builder().stragglerWarning(Duration.ofMillis(10)).build();
    loop.createTask("stubborn", this::ignoreInterrupts);
    started.await();
    Thread closing = Thread.ofVirtual().start(loop::close);

    await().until(() -> !events.of(Kind.STRAGGLING).isEmpty());
    release.countDown();
    closing.join();

    assertThat(events.of(Kind.STRAGGLING))
        .allSatisfy(event -> {
          assertThat(event.task).isEqualTo("stubborn");
          assertThat((Duration) event.detail)
              .isBetween(Duration.ofMillis(10), Duration.ofMinutes(1));
        });
  }

  // ---- several, and broken ones

  @Test
  @DisplayName("several listeners are told in order; a loop that is built takes no further ones")
  void severalListenersInOrder() throws Exception {
    var order = new CopyOnWriteArrayList<String>();
    Loop.Builder builder =
        Threads.builder().listener(naming("first", order)).listener(naming("second", order));
    try (Loop loop = builder.build()) {
      builder.listener(naming("third", order));
      loop.createTask(() -> "value").await();
    }
    assertThat(order)
        .containsExactly("first started", "second started", "first finished", "second finished");
  }

  private static LoopListener naming(String name, List<String> order) {
    return new LoopListener() {
      @Override
      public void started(Task<?, ?> task) {
        order.add(name + " started");
      }

      @Override
      public void finished(Task<?, ?> task, Throwable exception) {
        order.add(name + " finished");
      }
    };
  }

  @Test
  @DisplayName("a listener without methods is told nothing, and a loop without listeners has none")
  void nothingByDefault() throws Exception {
    try (Loop loop = Threads.builder().listener(new LoopListener() {}).build();
        Loop none = Threads.builder().build()) {
      assertThat(loop.createTask(() -> "value").await()).isEqualTo("value");
      assertThat(none.listeners()).isNull();
    }
    assertThat(Loop.defaultLoop().listeners()).isNull();
    assertThatNullPointerException()
        .isThrownBy(() -> Loop.builder().listener(null))
        .withMessageContaining("listener");
  }

  /** Throws in one kind of event. */
  private static final class Broken extends Recorder {
    private final Kind breaks;
    private final Throwable thrown;

    Broken(Kind breaks, Throwable thrown) {
      this.breaks = breaks;
      this.thrown = thrown;
    }

    private void breakAt(Kind kind) {
      if (kind == breaks) {
        throw Failures.<RuntimeException>sneak(thrown);
      }
    }

    @Override
    public void started(Task<?, ?> task) {
      super.started(task);
      breakAt(Kind.STARTED);
    }

    @Override
    public void finished(Task<?, ?> task, Throwable exception) {
      super.finished(task, exception);
      breakAt(Kind.FINISHED);
    }

    @Override
    public void cancelled(Task<?, ?> task, CancelReason reason) {
      super.cancelled(task, reason);
      breakAt(Kind.CANCELLED);
    }

    @Override
    public void tolerated(Task<?, ?> task, Throwable exception) {
      super.tolerated(task, exception);
      breakAt(Kind.TOLERATED);
    }

    @Override
    public void reported(ExceptionContext context) {
      super.reported(context);
      breakAt(Kind.REPORTED);
    }

    @Override
    public void straggling(Task<?, ?> task, Duration asked) {
      super.straggling(task, asked);
      breakAt(Kind.STRAGGLING);
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("promise 5: a listener that throws is reported each time; nothing else is disturbed")
  void aListenerThatThrowsIsReported(Kind kind) throws Exception {
    breakAndCheck(new Broken(kind, new IllegalStateException("the listener's own")));
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("promise 5: an Error and an InterruptedException of a listener are nothing special")
  void anErrorOfAListenerIsReported(Kind kind) throws Exception {
    breakAndCheck(
        new Broken(kind, kind.ordinal() % 2 == 0 ? new StackOverflowError() : interruption()));
  }

  private static Throwable interruption() {
    return new InterruptedException("the listener's own");
  }

  private void breakAndCheck(Broken broken) throws Exception {
    Loop loop =
        Threads.builder()
            .listener(broken)
            .listener(events)
            .exceptionHandler(reported)
            .stragglerWarning(Duration.ofMillis(5))
            .build();
    assertThat(loop.createTask("value", () -> "value").await()).isEqualTo("value");
    Task<Object, IOException> failing = loop.createTask("failing", this::fail);
    assertThatThrownBy(failing::await).isSameAs(failure);
    Task<Object, IOException> ignored = loop.createTask("ignored", this::fail);
    ignored.ignoreFailure();
    var orphan = new IOException("orphan");
    loop.launch(
        "launched",
        () -> {
          throw orphan;
        });
    Task<Void, RuntimeException> stubborn = loop.createTask("stubborn", this::ignoreInterrupts);
    started.await();
    assertThat(stubborn.cancel("please stop")).isTrue();
    await().until(() -> events.of(Kind.STRAGGLING).size() >= 2);
    release.countDown();
    stubborn.await();
    await().until(() -> events.of(Kind.TOLERATED).size() == 1);
    await().until(() -> !events.of("launched").isEmpty() && reported.exceptions().contains(orphan));
    loop.close();

    assertThat(events.of(Kind.STARTED)).hasSize(5);
    assertThat(events.of(Kind.FINISHED)).hasSize(5);
    assertThat(events.of(Kind.CANCELLED)).hasSize(1);
    // Both are told the same of everything.
    for (Kind each : Kind.values()) {
      assertThat(broken.of(each))
          .as("%s", each)
          .extracting(Event::task)
          .containsExactlyInAnyOrderElementsOf(events.of(each).stream().map(Event::task).toList());
    }
    List<ExceptionContext> ofListeners =
        reported.contexts.stream()
            .filter(context -> context.message().equals("Exception in a listener"))
            .toList();
    assertThat(ofListeners)
        .hasSize(broken.of(broken.breaks).size())
        .allSatisfy(context -> {
          assertThat(context.exception()).isSameAs(broken.thrown);
          assertThat(context.details()).containsEntry("listener", Broken.class.getName());
        });
    assertThat(reported.contexts).hasSize(ofListeners.size() + events.of(Kind.REPORTED).size());
    assertThat(reported.exceptions().stream().filter(orphan::equals)).hasSize(1);
  }

  @Test
  @DisplayName("promise 5: a listener that breaks at the very end is reported before close returns")
  void reportedBeforeCloseReturns() {
    var broken = new Broken(Kind.FINISHED, new IllegalStateException("the listener's own"));
    for (int i = 0; i < 20; i++) {
      reported.contexts.clear();
      Loop loop = Threads.builder().listener(broken).exceptionHandler(reported).build();
      loop.createTask(() -> "value");
      loop.close();
      assertThat(reported.messages()).containsExactly("Exception in a listener");
    }
  }

  @Test
  @DisplayName("a listener may fork, cancel and wait for others")
  void aListenerMayUseTheLibrary() throws Exception {
    var loops = new AtomicReference<Loop>();
    var listener =
        new LoopListener() {
          @Override
          public void started(Task<?, ?> task) {
            if (task.name().equals("doomed")) {
              task.cancel("by the listener");
            }
          }

          @Override
          public void finished(Task<?, ?> task, Throwable exception) {
            if (task.name().equals("parent")) {
              Task<String, RuntimeException> other =
                  loops.get().createTask("other", () -> "of the listener");
              try {
                assertThat(other.await()).isEqualTo("of the listener");
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            }
          }
        };
    try (Loop loop = builder().listener(listener).build()) {
      loops.set(loop);
      loop.createTask("parent", () -> "value").await();
      await().until(() -> events.kinds("other").contains(Kind.FINISHED));
      assertThatThrownBy(loop.createTask("doomed", this::block)::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("by the listener");
    }
    assertThat(events.kinds("other")).containsExactly(Kind.STARTED, Kind.FINISHED);
    assertThat(events.kinds("doomed")).containsExactly(Kind.STARTED, Kind.CANCELLED, Kind.FINISHED);
    assertThat(started.getCount()).isOne();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a task that never starts calls back and wakes whoever learned of it in time")
  void calledBackWithoutAStart() throws Exception {
    var calledBack = new CountDownLatch(1);
    var awaited = new CountDownLatch(1);
    LoopListener eager =
        new LoopListener() {
          @Override
          public void started(Task<?, ?> task) {
            if (task.name().equals("refused")) {
              task.onDone(_ -> calledBack.countDown());
              Thread waiter =
                  Thread.ofVirtual()
                      .start(() -> {
                        try {
                          task.awaitDone();
                        } catch (InterruptedException e) {
                          throw new AssertionError(e);
                        }
                        awaited.countDown();
                      });
              Gate.awaitState(waiter, Thread.State.WAITING);
            }
          }
        };
    try (Loop loop = builder().listener(eager).build()) {
      loop.runUntilComplete(() -> {
        try (TaskScope<Exception> scope = TaskScope.open()) {
          scope.cancel("before");
          scope.fork("refused", this::block);
        }
      });
      calledBack.await();
      awaited.await();
    }
  }

  @Test
  @DisplayName("a scope that a listener leaves open at the end of a task is closed")
  void aScopeLeftOpenByAListener() throws Exception {
    var left = new AtomicReference<TaskScope<Exception>>();
    var closed = new AtomicBoolean();
    LoopListener forgetful =
        new LoopListener() {
          @Override
          public void finished(Task<?, ?> task, Throwable exception) {
            left.compareAndSet(null, TaskScope.open());
          }
        };
    try (Loop loop = builder().listener(forgetful).build()) {
      var gate = new Gate();
      Task<Void, RuntimeException> task = loop.createTask(gate::pass);
      // Callbacks come after the listeners, and before the end of the thread.
      task.onDone(_ -> closed.set(left.get().isClosed()));
      gate.open();
      task.await();
    }

    assertThat(closed).isTrue();
  }

  @Test
  @DisplayName("an event of other modules reaches every listener")
  void eventsOfOtherModules() {
    try (Loop loop = builder().build()) {
      loop.callListeners(listener -> listener.straggling(null, Duration.ofSeconds(1)));
    }

    assertThat(events.of(Kind.STRAGGLING)).hasSize(1);
  }
}
