package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Oracle.class)
class AdmissionTest {
  /** What happened, and how many are in which state. */
  private static final class Gauges implements LoopListener {
    final List<String> events = new CopyOnWriteArrayList<>();
    final AtomicInteger queued = new AtomicInteger();
    final AtomicInteger started = new AtomicInteger();
    final AtomicInteger finished = new AtomicInteger();
    final AtomicInteger rejected = new AtomicInteger();

    @Override
    public void queued(Task<?, ?> task) {
      queued.incrementAndGet();
      events.add("queued " + task.name());
    }

    @Override
    public void admitted(Task<?, ?> task, Duration waited) {
      assertThat(waited).isGreaterThanOrEqualTo(Duration.ZERO);
      queued.decrementAndGet();
      events.add("admitted " + task.name());
    }

    @Override
    public void rejected(Task<?, ?> task) {
      rejected.incrementAndGet();
      events.add("rejected " + task.name());
    }

    @Override
    public void started(Task<?, ?> task) {
      started.incrementAndGet();
      events.add("started " + task.name());
    }

    @Override
    public void finished(Task<?, ?> task, @Nullable Throwable exception) {
      finished.incrementAndGet();
      events.add("finished " + task.name());
    }
  }

  private final Threads.Reported reported = new Threads.Reported();
  private final Gauges gauges = new Gauges();
  private final Gate gate = new Gate();

  @AfterEach
  void countsAreEven() {
    gate.open();
    assertThat(gauges.queued).hasValue(0);
    assertThat(gauges.started.get()).isEqualTo(gauges.finished.get());
  }

  private Loop loop(Admission admission) {
    return Threads.builder()
        .name("limited")
        .exceptionHandler(reported)
        .listener(gauges)
        .admission(admission)
        .build();
  }

  private List<Task<Void, RuntimeException>> fill(Loop loop, int count) {
    var tasks = new ArrayList<Task<Void, RuntimeException>>();
    for (int i = 0; i < count; i++) {
      tasks.add(loop.createTask("full-" + i, gate::pass));
    }
    return tasks;
  }

  private static Stream<Arguments> everyPolicy() {
    return Stream.of(
        Arguments.of(Admission.block(2)),
        Arguments.of(Admission.reject(2)),
        Arguments.of(Admission.queue(2, 3)));
  }

  // ---- the limit

  @Test
  @DisplayName(
      "reject: as many as the limit; one more is refused, by name and number, and leaves nothing")
  void reject() throws Exception {
    try (Loop loop = loop(Admission.reject(2))) {
      List<Task<Void, RuntimeException>> full = fill(loop, 2);
      assertThatExceptionOfType(RejectedExecutionException.class)
          .isThrownBy(() -> loop.createTask("third", () -> {}))
          .withMessage("Loop[limited] rejects third: it has reached its limit of 2 tasks");
      assertThatExceptionOfType(RejectedExecutionException.class)
          .isThrownBy(() -> loop.launch("fourth", () -> {}));
      assertThatExceptionOfType(RejectedExecutionException.class)
          .isThrownBy(() -> loop.asExecutor().execute(() -> {}));
      assertThat(loop.allTasks()).hasSize(2);
      gate.open();
      for (Task<?, ?> task : full) {
        task.awaitDone();
      }
      await().until(() -> loop.unendedTasks().isEmpty());
      assertThat(loop.createTask("fifth", () -> 5).await()).isEqualTo(5);
    }
    assertThat(gauges.rejected).hasValue(3);
  }

  @Test
  @DisplayName("block: a fork waits for a place, and those that wait get theirs in order")
  void block() throws Exception {
    var order = new CopyOnWriteArrayList<Integer>();
    try (Loop loop = loop(Admission.block(1))) {
      fill(loop, 1);
      var forkers = new ArrayList<Thread>();
      for (int i = 0; i < 5; i++) {
        int number = i;
        forkers.add(
            Thread.ofVirtual()
                .start(() -> loop.launch("waiting-" + number, () -> order.add(number))));
        await().until(() -> gauges.queued.get() == number + 1);
      }
      assertThat(order).isEmpty();
      gate.open();
      for (Thread forker : forkers) {
        forker.join();
      }
      await().until(() -> order.size() == 5);
    }
    assertThat(order).containsExactly(0, 1, 2, 3, 4);
    assertThat(gauges.events)
        .containsSubsequence(
            "queued waiting-0", "finished full-0", "admitted waiting-0", "started waiting-0");
  }

  @Test
  @DisplayName("queue: a fork returns at once, its task starts in its turn; a full queue refuses")
  void queue() throws Exception {
    var order = new CopyOnWriteArrayList<Integer>();
    try (Loop loop = loop(Admission.queue(1, 2))) {
      fill(loop, 1);
      var queued = new ArrayList<Task<Boolean, RuntimeException>>();
      for (int i = 0; i < 2; i++) {
        int number = i;
        queued.add(loop.createTask("queued-" + i, () -> order.add(number)));
      }
      assertThat(queued).noneMatch(Task::isDone);
      assertThatExceptionOfType(RejectedExecutionException.class)
          .isThrownBy(() -> loop.createTask("third", () -> {}))
          .withMessage(
              "Loop[limited] rejects third: it has reached its limit of 1 task, and its queue the"
                  + " capacity of 2 tasks");
      assertThat(TaskTreeTest.node(loop.snapshot(), "limited").details())
          .contains(
              entry("limit", "1"),
              entry("active", "1"),
              entry("queued", "2"),
              entry("rejected", "1"));
      assertThat(TaskTreeTest.node(loop.snapshot(), "queued-0").details())
          .contains(entry("queued", "for a place"));
      assertThat(TaskTreeTest.node(loop.snapshot(), "full-0").details())
          .doesNotContainKey("queued");
      gate.open();
      for (Task<?, ?> task : queued) {
        task.awaitDone();
      }
    }
    assertThat(order).containsExactly(0, 1);
    assertThat(gauges.events)
        .containsSubsequence(
            "queued queued-0", "admitted queued-0", "started queued-0", "finished queued-0");
  }

  @Test
  @DisplayName("a scope has its limit for itself, and joins what is queued")
  void scope() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.<Exception>runUntilComplete(() -> {
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        for (Admission admission : List.of(Admission.block(3), Admission.queue(3, 100))) {
          try (var scope =
              TaskScope.<IOException>open(
                  TaskScope.Policy.CANCEL_ON_FAILURE, "limited", admission)) {
            var tasks = new ArrayList<Task<Integer, IOException>>();
            for (int i = 0; i < 50; i++) {
              int number = i;
              tasks.add(
                  scope.fork(() -> {
                    most.accumulateAndGet(running.incrementAndGet(), Math::max);
                    Thread.yield();
                    running.decrementAndGet();
                    return number;
                  }));
            }
            scope.join();
            assertThat(tasks).extracting(Task::result).hasSize(50).startsWith(0, 1, 2);
          }
        }
        assertThat(most.get()).isBetween(1, 3);
      });
    }
  }

  @ParameterizedTest
  @MethodSource("everyPolicy")
  @DisplayName("main is not counted, and what it forks is limited as if it came from outside")
  void main(Admission admission) throws Exception {
    try (Loop loop = loop(admission)) {
      loop.<Exception>runUntilComplete(() -> {
        List<Task<Void, RuntimeException>> full = fill(loop, 2);
        if (admission.policy == Admission.Policy.REJECT) {
          assertThatThrownBy(() -> loop.createTask(() -> {}))
              .isInstanceOf(RejectedExecutionException.class);
          gate.open();
        } else if (admission.policy == Admission.Policy.QUEUE) {
          Task<Integer, RuntimeException> queued = loop.createTask(() -> 1);
          assertThat(gauges.queued).hasValue(1);
          gate.open();
          assertThat(queued.await()).isOne();
        } else {
          Thread.ofVirtual()
              .start(() -> {
                await().until(() -> gauges.queued.get() == 1);
                gate.open();
              });
          assertThat(loop.createTask(() -> 1).await()).isOne();
        }
        for (Task<?, ?> task : full) {
          task.awaitDone();
        }
      });
    }
  }

  // ---- the end of a wait

  @Test
  @DisplayName("block: cancelled, the forking task gets a cancelled task and keeps its interrupt")
  void blockedForkIsCancelled() throws Exception {
    var forked = new CompletableFuture<Task<?, ?>>();
    var flag = new CompletableFuture<Boolean>();
    try (Loop loop = loop(Admission.block(1));
        Loop other = Threads.builder().build()) {
      fill(loop, 1);
      Task<Void, RuntimeException> forking =
          other.createTask(() -> {
            forked.complete(loop.createTask("late", () -> {}));
            flag.complete(Thread.currentThread().isInterrupted());
            Task.checkCancelled();
          });
      await().until(() -> gauges.queued.get() == 1);
      forking.cancel("no time");
      assertThatThrownBy(forking::await).isInstanceOf(TaskCancelledException.class);
      assertThat(flag.get()).isTrue();
      assertThat(forked.get().isCancelled()).isTrue();
      assertThat(forked.get().cancelReason())
          .contains(new CancelReason(CancelReason.Source.PARENT, "no time", null));
      gate.open();
    }
    assertThat(gauges.events).containsSubsequence("admitted late", "started late", "finished late");
  }

  @Test
  @DisplayName("block: a limit in time ends the wait; an interrupt of a plain thread does too")
  void blockedForkIsLimited() throws Exception {
    try (Loop loop = loop(Admission.block(1))) {
      fill(loop, 1);
      assertThatThrownBy(() ->
              Timeout.within(
                  Duration.ofMillis(5),
                  () -> {
                    Task<Integer, RuntimeException> late = loop.createTask(() -> 1);
                    assertThat(late.isCancelled()).isTrue();
                    Task.checkCancelled();
                  }))
          .isInstanceOf(TimeoutException.class);
      Thread.currentThread().interrupt();
      Task<Integer, RuntimeException> late = loop.createTask(() -> 1);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(late.isCancelled()).isTrue();
      assertThat(late.cancelReason().orElseThrow().message())
          .isEqualTo("the thread that forks was interrupted");

      gate.open();
      await().until(() -> loop.unendedTasks().isEmpty());
      Thread.currentThread().interrupt();
      Task<Integer, RuntimeException> inTime = loop.createTask(() -> 1);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(inTime.await()).isOne();
    }
  }

  @Test
  @DisplayName(
      "block: forks that wait when the loop closes get cancelled tasks; later ones are refused")
  void blockedForkAndClose() throws Exception {
    Loop loop = loop(Admission.block(1));
    Task<Void, RuntimeException> full = fill(loop, 1).getFirst();
    var forked = new CompletableFuture<Task<?, ?>>();
    Thread.ofVirtual().start(() -> forked.complete(loop.createTask(() -> {})));
    await().until(() -> gauges.queued.get() == 1);
    Thread closing = Thread.ofVirtual().start(loop::close);
    assertThat(forked.get().isCancelled()).isTrue();
    assertThat(full.isDone()).isFalse();
    gate.open();
    closing.join();
    assertThatIllegalStateException().isThrownBy(() -> loop.createTask(() -> {}));
  }

  @Test
  @DisplayName(
      "block: a fork that waits when its scope is cancelled gets a cancelled task, however late")
  void blockedForkAndCancelledScope() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).listener(gauges).build()) {
      for (int i = 0; i < 200; i++) {
        var forked = new CompletableFuture<Task<?, ?>>();
        loop.<Exception>runUntilComplete(() -> {
          try (var scope =
              TaskScope.open(TaskScope.Policy.SUPERVISE, "limited", Admission.block(1))) {
            scope.fork(() -> Thread.sleep(Duration.ofDays(1)));
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    forked.complete(scope.fork(() -> {}));
                  } catch (Throwable t) {
                    forked.completeExceptionally(t);
                  }
                });
            await().until(() -> gauges.queued.get() == 1);
            scope.cancel("both");
            scope.join();
          }
        });
        assertThat(forked.get().isCancelled()).isTrue();
        assertThat(forked.get().cancelReason().orElseThrow().message()).isEqualTo("both");
      }
    }
  }

  @Test
  @DisplayName("a handler may fork into a full scope of the task for which it reports")
  void handlerAndScope() throws Exception {
    var scopes = new CompletableFuture<TaskScope<Exception>>();
    var inHandler = new CompletableFuture<Integer>();
    LoopExceptionHandler forking =
        (_, _) -> {
          try {
            inHandler.complete(scopes.join().fork(() -> 1).await());
          } catch (Exception e) {
            inHandler.completeExceptionally(e);
          }
        };
    try (Loop loop = Threads.builder().exceptionHandler(forking).build()) {
      loop.<Exception>runUntilComplete(() -> {
        try (TaskScope<Exception> scope =
            TaskScope.open(TaskScope.Policy.SUPERVISE, "limited", Admission.block(1))) {
          scopes.complete(scope);
          scope
              .fork(gate::pass)
              .onDone(_ -> {
                throw new IllegalStateException("to be reported");
              });
          gate.open();
          assertThat(inHandler.get()).isOne();
          scope.join();
        }
      });
    }
  }

  @Test
  @DisplayName("queue: a cancelled task ends at once without a place, and its body never runs")
  void queuedTaskIsCancelled() throws Exception {
    try (Loop loop = loop(Admission.queue(1, 10))) {
      fill(loop, 1);
      var ran = new AtomicInteger();
      Task<Integer, RuntimeException> first = loop.createTask("first", ran::incrementAndGet);
      Task<Integer, RuntimeException> second = loop.createTask("second", ran::incrementAndGet);
      first.cancel("changed my mind");
      assertThatThrownBy(first::await).isInstanceOf(TaskCancelledException.class);
      assertThat(second.isDone()).isFalse();
      gate.open();
      assertThat(second.await()).isOne();
    }
    assertThat(gauges.events)
        .containsSubsequence("admitted first", "started first", "finished first");
  }

  @Test
  @DisplayName("queue: closing cancels what is queued and waits for it")
  void queueAndClose() {
    Loop loop = loop(Admission.queue(1, 100));
    var ran = new AtomicInteger();
    Task<Void, RuntimeException> full = loop.createTask(() -> Thread.sleep(Duration.ofDays(1)));
    var queued = new ArrayList<Task<Integer, RuntimeException>>();
    for (int i = 0; i < 100; i++) {
      queued.add(loop.createTask(ran::incrementAndGet));
    }
    loop.close();
    assertThat(full.isCancelled()).isTrue();
    assertThat(queued).allMatch(Task::isCancelled);
    assertThat(ran).hasValue(0);
  }

  @Test
  @DisplayName("queue: a failure cancels the queued siblings")
  void queueAndFailure() throws Exception {
    var failure = new IOException("first");
    try (Loop loop = loop(Admission.block(100))) {
      loop.<Exception>runUntilComplete(() -> {
        try (var scope =
            TaskScope.<IOException>open(
                TaskScope.Policy.CANCEL_ON_FAILURE, "limited", Admission.queue(1, 9))) {
          scope.fork(() -> {
            gate.pass();
            throw failure;
          });
          var queued = new ArrayList<Task<Void, IOException>>();
          for (int i = 0; i < 9; i++) {
            queued.add(scope.fork(() -> {}));
          }
          gate.open();
          assertThatThrownBy(scope::join).isSameAs(failure);
          assertThat(queued).allMatch(Task::isCancelled);
        }
      });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("queue: an executor that is shut down now returns what was queued, and runs none")
  void shutdownNow() {
    var ran = new AtomicInteger();
    for (int i = 0; i < 50; i++) {
      try (Loop loop = loop(Admission.queue(1, 20))) {
        var executor = loop.asExecutor();
        var started = new CountDownLatch(1);
        executor.execute(() -> {
          started.countDown();
          try {
            Thread.sleep(Duration.ofDays(1));
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
        await().until(() -> started.getCount() == 0);
        for (int queued = 0; queued < 20; queued++) {
          executor.execute(ran::incrementAndGet);
        }
        assertThat(executor.shutdownNow()).hasSize(20);
      }
    }
    assertThat(ran).hasValue(0);
  }

  // ---- nested forks

  @ParameterizedTest
  @MethodSource("everyPolicy")
  @DisplayName("what a task of the loop forks there does not wait for the place that it holds")
  void nested(Admission admission) throws Exception {
    try (Loop loop = loop(admission)) {
      var full = new CountDownLatch(2);
      Body<Integer, Exception> nesting =
          () -> {
            full.countDown();
            full.await();
            try (var scope = TaskScope.<Exception>open()) {
              // From a grandchild, and its failure to be admitted is its own.
              Task<Integer, Exception> below =
                  scope.fork(() -> loop.<Integer, RuntimeException>createTask(() -> 1).await());
              scope.join();
              return below.result() + loop.<Integer, RuntimeException>createTask(() -> 1).await();
            }
          };
      Task<Integer, Exception> first = loop.createTask(nesting);
      Task<Integer, Exception> second = loop.createTask(nesting);
      if (admission.policy == Admission.Policy.REJECT) {
        first.awaitDone();
        second.awaitDone();
        // The one that was refused may have made room for the other.
        assertThat(Stream.of(first.exception(), second.exception()))
            .anySatisfy(exception ->
                assertThat(exception).containsInstanceOf(RejectedExecutionException.class));
      } else {
        assertThat(first.await()).isEqualTo(2);
        assertThat(second.await()).isEqualTo(2);
      }
    }
  }

  @Test
  @DisplayName("a callback and an exception handler may fork while the loop is full")
  void handlersAndCallbacks() throws Exception {
    var inHandler = new CompletableFuture<Integer>();
    var inCallback = new CompletableFuture<Integer>();
    Loop[] self = new Loop[1];
    LoopExceptionHandler forking =
        (loop, _) -> {
          try {
            inHandler.complete(loop.<Integer, RuntimeException>createTask(() -> 1).await());
          } catch (InterruptedException e) {
            inHandler.completeExceptionally(e);
          }
        };
    try (Loop loop =
        Threads.builder().exceptionHandler(forking).admission(Admission.block(1)).build()) {
      self[0] = loop;
      loop.launch(() -> {
        throw new IOException("to be reported");
      });
      assertThat(inHandler.get()).isOne();
      loop.createTask(gate::pass)
          .onDone(_ -> {
            Task<Integer, RuntimeException> task = self[0].createTask(() -> 2);
            task.onDone(done -> inCallback.complete(done.result()));
          });
      gate.open();
      assertThat(inCallback.get()).isEqualTo(2);
    }
  }

  @Test
  @DisplayName("a loop that runs inside of a task of a full loop may fork there")
  void nestedLoops() throws Exception {
    try (Loop outer = loop(Admission.block(1))) {
      Task<Integer, Exception> task =
          outer.createTask(() ->
              Loop.<Integer, Exception>run(
                  _ -> outer.<Integer, RuntimeException>createTask(() -> 1).await()));
      assertThat(task.await()).isOne();
    }
  }

  // ---- forks that fail

  @ParameterizedTest
  @MethodSource("everyPolicy")
  @DisplayName("a thread factory that throws costs no place")
  void noThread(Admission admission) throws Exception {
    var broken = new AtomicInteger();
    try (Loop loop =
        Threads.builder()
            .listener(gauges)
            .admission(admission)
            .threadFactory(task -> {
              if (broken.getAndIncrement() < 5) {
                throw new IllegalStateException("no thread");
              }
              return Thread.ofVirtual().unstarted(task);
            })
            .build()) {
      for (int i = 0; i < 5; i++) {
        assertThatThrownBy(() -> loop.createTask(() -> {}))
            .isInstanceOf(RejectedExecutionException.class);
      }
      fill(loop, 2);
      assertThat(TaskTreeTest.node(loop.snapshot(), "loop").details())
          .contains(entry("active", "2"), entry("queued", "0"));
      gate.open();
    }
  }

  @Test
  @DisplayName(
      "a queued task whose thread cannot start is cancelled and says why; the next has its turn")
  void queuedTaskWithoutThread() throws Exception {
    var made = new AtomicInteger();
    try (Loop loop =
        Threads.builder()
            .listener(gauges)
            .admission(Admission.queue(1, 9))
            .threadFactory(task ->
                made.incrementAndGet() == 2
                    ? new Thread(task) {
                      @Override
                      public void start() {
                        throw new OutOfMemoryError("no more threads");
                      }
                    }
                    : Thread.ofVirtual().unstarted(task))
            .build()) {
      fill(loop, 1);
      Task<Integer, RuntimeException> unlucky = loop.createTask(() -> 2);
      Task<Integer, RuntimeException> next = loop.createTask(() -> 3);
      gate.open();
      assertThat(next.await()).isEqualTo(3);
      assertThatThrownBy(unlucky::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("no more threads");
    }
  }

  @Test
  @DisplayName("what is wrong is refused where it is said")
  void badInput() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Admission.block(0))
        .withMessageContaining("limit");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Admission.reject(-1))
        .withMessageContaining("limit");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Admission.queue(1, 0))
        .withMessageContaining("capacity");
    assertThatNullPointerException()
        .isThrownBy(() -> Loop.builder().admission(nil()))
        .withMessage("admission");
    assertThatNullPointerException()
        .isThrownBy(() -> TaskScope.open(TaskScope.Policy.SUPERVISE, "scope", nil()))
        .withMessage("admission");
    assertThat(Admission.queue(1, 2)).hasToString("Admission[QUEUE, limit 1, capacity 2]");
    assertThat(Admission.block(3)).hasToString("Admission[BLOCK, limit 3]");
  }

  @SuppressWarnings("NullAway") // on purpose
  private static <T> T nil() {
    return null;
  }
}
