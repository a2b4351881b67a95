package dev.selvedge.gather;

import static dev.selvedge.gather.Supervisor.Strategy.ONE_FOR_ALL;
import static dev.selvedge.gather.Supervisor.Strategy.ONE_FOR_ONE;
import static dev.selvedge.gather.Supervisor.Strategy.REST_FOR_ONE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.Action;
import dev.selvedge.CancelReason;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.Threads;
import dev.selvedge.Timeout;
import dev.selvedge.gather.Child.Restart;
import dev.selvedge.gather.Child.State;
import dev.selvedge.gather.Supervisor.Strategy;
import dev.selvedge.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class SupervisorTest extends LoopFixture {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration NANO = Duration.ofNanos(1);

  /** A child that does what the test tells it. */
  private static final class Puppet implements Action<Exception> {
    private final BlockingQueue<Action<Exception>> orders = new LinkedBlockingQueue<>();
    private final AtomicInteger starts = new AtomicInteger();
    private volatile @Nullable Task<?, ?> task;

    @Override
    public void run() throws Exception {
      task = Task.current().orElseThrow();
      starts.incrementAndGet();
      orders.take().run();
    }

    void order(Action<Exception> order) {
      orders.add(order);
    }

    void fail(Throwable failure) {
      order(() -> {
        throw Suppression.<RuntimeException>sneak(failure);
      });
    }

    void awaitStarts(int count) {
      await("starts").until(() -> starts.get() == count);
    }

    Task<?, ?> task() {
      return Objects.requireNonNull(task);
    }
  }

  private ManualClock clock;
  private final Puppet a = new Puppet();
  private final Puppet b = new Puppet();
  private final Puppet c = new Puppet();

  SupervisorTest() {
    super(Kit.builder().clock(ManualClock::new).expectAnything().tasksMayBeLeft().build());
  }

  @BeforeEach
  void take(ManualClock clock) {
    this.clock = clock;
  }

  private static Supervisor.Builder builder(Strategy strategy) {
    return Supervisor.builder().name("workers").strategy(strategy).maxRestarts(3, SECOND);
  }

  private Task<Void, RestartLimitException> start(Supervisor supervisor) {
    return loop.createTask("supervisor", supervisor);
  }

  private void awaitStarts(int ofA, int ofB, int ofC) {
    a.awaitStarts(ofA);
    b.awaitStarts(ofB);
    c.awaitStarts(ofC);
  }

  private static void awaitState(Supervisor supervisor, String child, State state) {
    await(child + " " + state)
        .until(() ->
            supervisor.children().stream()
                .anyMatch(each -> each.name().equals(child) && each.state() == state));
  }

  private List<Object> told(String detail) {
    return reported.contexts().stream().map(context -> context.details().get(detail)).toList();
  }

  // ---- who is started again

  private enum End {
    VALUE,
    FAILURE,
    ERROR,
    CANCELLED
  }

  private static Stream<Arguments> everyEnd() {
    return Stream.of(Strategy.values())
        .flatMap(strategy ->
            Stream.of(Restart.values())
                .flatMap(restart ->
                    Stream.of(End.values()).map(end -> Arguments.of(strategy, restart, end))));
  }

  @ParameterizedTest(name = "{0}, a {1} child, {2}")
  @MethodSource("everyEnd")
  @DisplayName("after each kind of end the right children are started again, and no other")
  void everyStrategyByEveryEnd(Strategy strategy, Restart restart, End end) throws Exception {
    Supervisor supervisor =
        builder(strategy).build().add("a", a).add(Child.of("b", b).restart(restart)).add("c", c);
    start(supervisor).ignoreFailure();
    awaitStarts(1, 1, 1);
    Throwable failure = null;
    switch (end) {
      case VALUE -> b.order(() -> {});
      case FAILURE -> b.fail(failure = new IOException("b"));
      case ERROR -> b.fail(failure = new StackOverflowError("b"));
      case CANCELLED -> b.task().cancel("by the test");
    }
    boolean again =
        switch (restart) {
          case PERMANENT -> true;
          case TRANSIENT -> failure != null;
          case TEMPORARY -> false;
        };
    if (again) {
      awaitStarts(strategy == ONE_FOR_ALL ? 2 : 1, 2, strategy == ONE_FOR_ONE ? 1 : 2);
    } else if (restart == Restart.TEMPORARY) {
      await().until(() -> supervisor.children().size() == 2);
    } else {
      awaitState(supervisor, "b", State.ENDED);
    }
    // Whatever else it may do it has done when it has taken another child in.
    var last = new Puppet();
    supervisor.add("last", last);
    last.awaitStarts(1);
    assertThat(List.of(a.starts.get(), b.starts.get(), c.starts.get()))
        .containsExactly(
            again && strategy == ONE_FOR_ALL ? 2 : 1,
            again ? 2 : 1,
            again && strategy != ONE_FOR_ONE ? 2 : 1);
    if (failure == null) {
      assertThat(reported.contexts()).isEmpty();
    } else {
      assertThat(reported.exceptions()).containsExactly(failure);
      assertThat(told("then")).containsExactly(again ? "restarted" : "final");
      assertThat(told("child")).containsExactly("b");
      assertThat(told("supervisor")).containsExactly("workers");
      assertThat(told("restarts")).containsExactly(0);
    }
  }

  @Test
  @DisplayName("one for all: a transient sibling that had returned is started too, a temporary not")
  void siblingsOfAnotherKind() {
    Supervisor supervisor =
        builder(ONE_FOR_ALL)
            .build()
            .add(Child.of("a", a).restart(Restart.TRANSIENT))
            .add(Child.of("b", b).restart(Restart.TEMPORARY))
            .add("c", c);
    start(supervisor).ignoreFailure();
    awaitStarts(1, 1, 1);
    a.order(() -> {});
    awaitState(supervisor, "a", State.ENDED);
    c.fail(new IOException("c"));
    awaitStarts(2, 1, 2);
    assertThat(supervisor.children()).extracting(Child.Status::name).containsExactly("a", "c");
  }

  // ---- the limit

  @Test
  @DisplayName("as many restarts as permitted within the window; one more, and it gives up")
  void theLimit() throws Exception {
    Supervisor supervisor =
        builder(ONE_FOR_ONE).maxRestarts(2, SECOND).build().add("a", a).add("b", b);
    Task<Void, RestartLimitException> task = start(supervisor);
    var failures = List.of(new IOException("0"), new IOException("1"), new IOException("2"));
    for (int i = 0; i < 3; i++) {
      a.awaitStarts(i + 1);
      a.fail(failures.get(i));
      if (i == 1) {
        a.awaitStarts(3);
        clock.advance(SECOND);
      }
    }
    assertThatThrownBy(task::await)
        .isInstanceOfSatisfying(
            RestartLimitException.class,
            gaveUp -> {
              assertThat(gaveUp)
                  .hasMessageStartingWith("workers gave up: more than 2 restarts within PT1S")
                  .hasCause(failures.get(2));
              assertThat(gaveUp.history())
                  .extracting(RestartLimitException.End::failure)
                  .isEqualTo(failures);
              assertThat(gaveUp.history())
                  .extracting(RestartLimitException.End::restart)
                  .containsExactly(1, 2, 3);
              assertThat(gaveUp.history().getLast().when()).isEqualTo(clock.instant());
            });
    assertThat(reported.exceptions()).isEqualTo(failures);
    assertThat(told("then")).containsExactly("restarted", "restarted", "final");
    assertThat(told("restarts")).containsExactly(0, 1, 2);
    assertThat(b.task().isCancelled()).isTrue();
  }

  @Test
  @DisplayName("a restart counts for exactly as long as the window")
  void theWindow() {
    Supervisor supervisor = builder(ONE_FOR_ONE).maxRestarts(1, SECOND).build().add("a", a);
    Task<Void, RestartLimitException> task = start(supervisor);
    for (int i = 1; i < 10; i++) {
      a.awaitStarts(i);
      a.order(() -> {});
      a.awaitStarts(i + 1);
      clock.advance(SECOND.plus(NANO));
    }
    a.order(() -> {});
    a.awaitStarts(11);
    clock.advance(SECOND);
    a.order(() -> {});
    assertThatThrownBy(task::await)
        .isInstanceOfSatisfying(
            RestartLimitException.class,
            gaveUp ->
                assertThat(gaveUp.history())
                    .hasSize(11)
                    .allSatisfy(end -> assertThat(end.failure()).isNull()));
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName(
      "with a limit of zero the first failure is the last; of several children each restart counts")
  void zeroAndShared() {
    a.fail(new IOException("a"));
    Task<Void, RestartLimitException> none =
        start(builder(ONE_FOR_ONE).maxRestarts(0, SECOND).build().add("a", a));
    assertThatThrownBy(none::await).isInstanceOf(RestartLimitException.class);

    b.fail(new IOException("b"));
    c.fail(new IOException("c"));
    Task<Void, RestartLimitException> one =
        start(builder(ONE_FOR_ONE).maxRestarts(1, SECOND).build().add("b", b).add("c", c));
    assertThatThrownBy(one::await)
        .isInstanceOfSatisfying(
            RestartLimitException.class, gaveUp -> assertThat(gaveUp.history()).hasSize(2));
  }

  @Test
  @DisplayName("without a limit it never gives up, and keeps no history")
  void unlimited() {
    Supervisor supervisor = builder(ONE_FOR_ONE).unlimitedRestarts().build().add("a", a);
    start(supervisor).ignoreFailure();
    for (int i = 1; i <= 1000; i++) {
      a.order(() -> {});
    }
    a.awaitStarts(1001);
    assertThat(supervisor.children()).containsExactly(new Child.Status("a", State.RUNNING, 1000));
  }

  @Test
  @DisplayName("a child that cannot be started counts as one that failed")
  void cannotBeStarted() {
    var refusal = new IllegalStateException("no more threads");
    var threads = new AtomicInteger();
    Loop small =
        Threads.builder()
            .exceptionHandler(reported)
            .threadFactory(task -> {
              if (threads.incrementAndGet() > 3) {
                throw refusal;
              }
              return Thread.ofVirtual().unstarted(task);
            })
            .build();
    try (small) {
      Task<Void, RestartLimitException> task =
          small.createTask(builder(ONE_FOR_ONE).maxRestarts(1, SECOND).build().add("a", a));
      a.awaitStarts(1);
      a.fail(new IOException("a"));
      assertThatThrownBy(task::await)
          .isInstanceOfSatisfying(
              RestartLimitException.class,
              gaveUp ->
                  assertThat(gaveUp.history().getLast().failure())
                      .isInstanceOf(RejectedExecutionException.class)
                      .hasCause(refusal));
    }
    assertThat(reported.exceptions())
        .hasSize(2)
        .last()
        .isInstanceOf(RejectedExecutionException.class);
  }

  // ---- waiting before a restart

  @Test
  @DisplayName(
      "waits double up to the ceiling and begin anew after a quiet time, to the nanosecond")
  void backoff() {
    Supervisor supervisor =
        builder(ONE_FOR_ONE)
            .unlimitedRestarts()
            .backoff(
                Backoff.exponential(SECOND, Duration.ofSeconds(5))
                    .jitter(0)
                    .resetAfter(Duration.ofSeconds(100)))
            .build()
            .add("a", a);
    start(supervisor).ignoreFailure();
    int starts = 1;
    for (int seconds : new int[] {1, 2, 4, 5, 5}) {
      starts = restartAfter(Duration.ofSeconds(seconds), starts);
    }
    clock.advance(Duration.ofSeconds(100).minus(NANO));
    starts = restartAfter(Duration.ofSeconds(5), starts);
    clock.advance(Duration.ofSeconds(100));
    starts = restartAfter(SECOND, starts);
    restartAfter(Duration.ofSeconds(2), starts);
  }

  private int restartAfter(Duration wait, int starts) {
    a.awaitStarts(starts);
    a.order(() -> {});
    clock.awaitAlarms(1);
    clock.advance(wait.minus(NANO));
    assertThat(clock.alarms()).isOne();
    clock.advance(NANO);
    a.awaitStarts(starts + 1);
    return starts + 1;
  }

  @Test
  @DisplayName("one for one: a sibling that fails during a wait has a wait of its own")
  void failureDuringBackoff() {
    Supervisor supervisor = waiting(ONE_FOR_ONE);
    b.fail(new IOException("b"));
    clock.awaitAlarms(1);
    a.fail(new IOException("a"));
    clock.awaitAlarms(2);
    assertThat(supervisor.children())
        .extracting(Child.Status::state)
        .containsExactly(State.WAITING, State.WAITING, State.RUNNING);
    clock.advance(SECOND);
    awaitStarts(2, 2, 1);
  }

  @Test
  @DisplayName("rest for one: an earlier sibling that fails during a wait takes its place")
  void earlierFailureDuringBackoff() {
    Supervisor supervisor = waiting(REST_FOR_ONE);
    b.fail(new IOException("b"));
    awaitWaiting(supervisor, 2);
    clock.advance(SECOND.minus(NANO));
    a.fail(new IOException("a"));
    awaitWaiting(supervisor, 3);
    clock.advance(SECOND.minus(NANO));
    assertThat(a.starts).hasValue(1);
    clock.advance(NANO);
    awaitStarts(2, 2, 2);
    assertThat(supervisor.children()).extracting(Child.Status::restarts).containsExactly(1, 1, 1);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "a child that is added during a wait is started at once, or with the siblings that wait")
  void addedWhileRestarting(Strategy strategy) {
    Supervisor supervisor = waiting(strategy);
    b.fail(new IOException("b"));
    awaitWaiting(supervisor, concerned(strategy));
    var added = new Puppet();
    supervisor.add("added", added);
    if (strategy == ONE_FOR_ONE) {
      added.awaitStarts(1);
    }
    clock.advance(SECOND);
    added.awaitStarts(1);
    awaitStarts(strategy == ONE_FOR_ALL ? 2 : 1, 2, strategy == ONE_FOR_ONE ? 1 : 2);
    assertThat(supervisor.children().getLast())
        .isEqualTo(new Child.Status("added", State.RUNNING, 0));
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("a child that is removed during a wait is not started again; the others are")
  void removedWhileRestarting(Strategy strategy) {
    Supervisor supervisor = waiting(strategy);
    b.fail(new IOException("b"));
    awaitWaiting(supervisor, concerned(strategy));
    assertThat(supervisor.remove("b")).isTrue();
    await().until(() -> supervisor.children().size() == 2);
    clock.advance(SECOND);
    awaitStarts(strategy == ONE_FOR_ALL ? 2 : 1, 1, strategy == ONE_FOR_ONE ? 1 : 2);
    assertThat(supervisor.remove("b")).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("cancelled during a wait: it ends at once and leaves no alarm")
  void cancelledWhileRestarting(Strategy strategy) {
    Supervisor supervisor =
        builder(strategy)
            .backoff(Backoff.exponential(SECOND, SECOND).jitter(0))
            .build()
            .add("a", a)
            .add("b", b);
    Task<Void, RestartLimitException> task = start(supervisor);
    awaitStarts(1, 1, 0);
    b.order(() -> {});
    awaitWaiting(supervisor, strategy == ONE_FOR_ALL ? 2 : 1);
    task.cancel();
    assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
  }

  /** Waits until so many wait for the same alarm. */
  private void awaitWaiting(Supervisor supervisor, int count) {
    await("waiting")
        .until(() ->
            supervisor.children().stream().filter(child -> child.state() == State.WAITING).count()
                == count);
    clock.awaitAlarms(1);
  }

  private static int concerned(Strategy strategy) {
    return switch (strategy) {
      case ONE_FOR_ONE -> 1;
      case REST_FOR_ONE -> 2;
      case ONE_FOR_ALL -> 3;
    };
  }

  private Supervisor waiting(Strategy strategy) {
    Supervisor supervisor =
        builder(strategy)
            .backoff(Backoff.exponential(SECOND, SECOND).jitter(0))
            .build()
            .add("a", a)
            .add("b", b)
            .add("c", c);
    start(supervisor).ignoreFailure();
    awaitStarts(1, 1, 1);
    return supervisor;
  }

  // ---- stopping

  /** Says when it is asked to stop; then waits for the gate, if it is to. */
  private Action<RuntimeException> stopping(
      String name, List<String> order, CountDownLatch begun, boolean stubborn) {
    return () -> {
      begun.countDown();
      try {
        new CountDownLatch(1).await();
      } finally {
        synchronized (order) {
          order.add(name);
        }
        if (stubborn) {
          gate.pass();
        }
      }
    };
  }

  @Test
  @DisplayName(
      "a cancelled supervisor stops its children one by one, the last first, with its reason")
  void stopsInReverseOrder() throws Exception {
    var order = new ArrayList<String>();
    var begun = new CountDownLatch(3);
    Supervisor supervisor = Supervisor.create();
    for (String name : List.of("1", "2", "3")) {
      supervisor.add(name, stopping(name, order, begun, false));
    }
    supervisor.add("a", a);
    Task<Void, RestartLimitException> task = start(supervisor);
    begun.await();
    a.awaitStarts(1);
    task.cancel("enough");
    assertThatThrownBy(task::await)
        .isInstanceOf(TaskCancelledException.class)
        .hasMessageContaining("enough");
    assertThat(order).containsExactly("3", "2", "1");
    assertThat(a.task().cancelReason())
        .contains(new CancelReason(CancelReason.Source.PARENT, "enough", null));
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName(
      "a child that takes longer than its limit is named; the next is stopped, and all are waited"
          + " for")
  void stopLimit() throws Exception {
    var order = new ArrayList<String>();
    var begun = new CountDownLatch(2);
    Supervisor supervisor =
        Supervisor.create()
            .add("first", stopping("first", order, begun, false))
            .add(Child.of("stubborn", stopping("stubborn", order, begun, true)).stopLimit(SECOND));
    Task<Void, RestartLimitException> task = start(supervisor);
    begun.await();
    task.cancel();
    await().until(() -> clock.alarms() > 0 && order.size() == 1);
    // Those of the loop about stragglers are armed too.
    clock.advance(SECOND.minus(NANO));
    assertThat(order).containsExactly("stubborn");
    clock.advance(NANO);
    await()
        .until(
            () -> reported.messages().contains("Supervised task does not stop within its limit"));
    await().until(() -> order.size() == 2);
    assertThat(task.isDone()).isFalse();
    gate.open();
    assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    assertThat(told("child")).containsExactly("stubborn");
    assertThat(told("limit")).containsExactly("PT1S");
  }

  @Test
  @DisplayName("what fails while it is stopped is reported, as final or as restarted")
  void failureWhileStopping() throws Exception {
    var failure = new IOException("in the clean-up");
    var begun = new CountDownLatch(2);
    Action<IOException> failing =
        () -> {
          begun.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException cancelled) {
            throw failure;
          }
        };
    Supervisor supervisor = builder(ONE_FOR_ALL).build().add("failing", failing).add("a", a);
    Task<Void, RestartLimitException> task = start(supervisor);
    a.awaitStarts(1);
    await().until(() -> begun.getCount() == 1);
    a.order(() -> {});
    a.awaitStarts(2);
    begun.await();
    assertThat(told("then")).containsExactly("restarted");
    supervisor.stop();
    task.await();
    assertThat(reported.exceptions()).containsExactly(failure, failure);
    assertThat(told("then")).containsExactly("restarted", "final");
  }

  @Test
  @DisplayName("stop ends the run, which returns; another run begins anew with the same children")
  void stopAndRunAgain() throws Exception {
    Supervisor supervisor = builder(ONE_FOR_ONE).build().add("a", a);
    for (int run = 0; run < 3; run++) {
      Task<Void, RestartLimitException> task = start(supervisor);
      a.awaitStarts(2 * run + 1);
      a.order(() -> {});
      a.awaitStarts(2 * run + 2);
      assertThat(supervisor.children()).extracting(Child.Status::restarts).containsExactly(1);
      supervisor.stop();
      task.await();
      assertThat(a.task().isCancelled()).isTrue();
      assertThat(supervisor.children())
          .extracting(Child.Status::state)
          .containsExactly(State.ENDED);
    }
    supervisor.stop();
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("removing a child stops it and it alone")
  void remove() {
    Supervisor supervisor = builder(ONE_FOR_ALL).build().add("a", a).add("b", b);
    start(supervisor).ignoreFailure();
    awaitStarts(1, 1, 0);
    assertThat(supervisor.remove("a")).isTrue();
    await().until(() -> supervisor.children().size() == 1);
    assertThat(a.task().isCancelled()).isTrue();
    assertThat(b.task().isDone()).isFalse();
    supervisor.add("a", a);
    awaitStarts(2, 1, 0);
  }

  @Test
  @DisplayName("a supervisor without children goes on, and takes in what is added")
  void withoutChildren() throws Exception {
    Supervisor supervisor = Supervisor.create();
    Task<Void, RestartLimitException> task = start(supervisor);
    Gate.awaitBlocked(task);
    supervisor.add("a", a);
    a.awaitStarts(1);
    supervisor.remove("a");
    await().until(() -> supervisor.children().isEmpty());
    assertThat(task.isDone()).isFalse();
    supervisor.stop();
    task.await();
  }

  @Test
  @DisplayName("a limit in time around it stops it; the close of its loop does too")
  void endedFromOutside() throws Exception {
    Supervisor supervisor = Supervisor.create().add("a", a);
    Task<Void, Exception> limited = loop.createTask(() -> Timeout.within(SECOND, supervisor));
    a.awaitStarts(1);
    clock.advance(SECOND);
    assertThatThrownBy(limited::await).isInstanceOf(TimeoutException.class);
    assertThat(a.task().isCancelled()).isTrue();

    Task<Void, RestartLimitException> task = start(supervisor);
    a.awaitStarts(2);
    loop.close();
    assertThat(task.isCancelled()).isTrue();
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("cancelled at any moment from its start on, it ends and leaves nothing behind")
  void cancelledEarly() {
    for (int i = 0; i < 300; i++) {
      Supervisor supervisor = Supervisor.create().add("a", new Puppet()).add("b", new Puppet());
      Task<Void, RestartLimitException> task = start(supervisor);
      for (int spin = 0; spin < i * 20; spin++) {
        Thread.onSpinWait();
      }
      task.cancel();
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(reported.contexts()).isEmpty();
  }

  // ---- nested

  @Test
  @DisplayName("a supervisor that gives up is started again by the one above it, with its children")
  void nested() throws Exception {
    Supervisor inner =
        builder(ONE_FOR_ONE).name("inner").maxRestarts(1, SECOND).build().add("a", a);
    Supervisor outer = builder(ONE_FOR_ONE).name("outer").build().add("inner", inner).add("b", b);
    Task<Void, RestartLimitException> task = start(outer);
    var failures = List.of(new IOException("0"), new IOException("1"));
    for (int i = 0; i < 2; i++) {
      a.awaitStarts(i + 1);
      a.fail(failures.get(i));
    }
    a.awaitStarts(3);
    b.awaitStarts(1);
    assertThat(reported.exceptions()).hasSize(3).startsWith(failures.get(0), failures.get(1));
    assertThat(reported.exceptions().getLast()).isInstanceOf(RestartLimitException.class);
    assertThat(told("supervisor")).containsExactly("inner", "inner", "outer");
    assertThat(told("then")).containsExactly("restarted", "final", "restarted");
    assertThat(inner.children()).containsExactly(new Child.Status("a", State.RUNNING, 0));
    task.cancel();
    assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    assertThat(a.task().isCancelled()).isTrue();
  }

  // ---- seen from outside

  @Test
  @DisplayName("the task tree has the children by name, the strategy, and who was started again")
  void theTaskTree() {
    Supervisor supervisor = waiting(ONE_FOR_ONE);
    b.order(() -> {});
    awaitState(supervisor, "b", State.WAITING);
    assertThat(loop.snapshot().toString())
        .contains("scope workers", "strategy ONE_FOR_ONE", "children b waiting, ")
        .contains("task a (", "task c (")
        .doesNotContain("task b (");
    clock.awaitAlarms(1);
    clock.advance(SECOND);
    b.awaitStarts(2);
    assertThat(loop.snapshot().toString())
        .contains("restarts 1", "children b running (restarts: 1)", "task b (");
    assertThat(supervisor).hasToString("Supervisor[workers, ONE_FOR_ONE, children: 3]");
  }

  @Test
  @DisplayName("the handler gets the task that failed")
  void theReportHasTheTask() {
    start(Supervisor.create().add("a", a)).ignoreFailure();
    a.awaitStarts(1);
    Task<?, ?> failed = a.task();
    a.fail(new IOException("a"));
    a.awaitStarts(2);
    assertThat(reported.contexts()).extracting(ExceptionContext::future).containsExactly(failed);
    assertThat(reported.messages()).containsExactly("Supervised task failed");
  }

  // ---- bad input

  @Test
  @DisplayName("what is wrong is refused where it is said")
  void badInput() throws Exception {
    Supervisor supervisor = Supervisor.create().add("a", a);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> supervisor.add("a", b))
        .withMessageContaining("has a child a already");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> supervisor.add("self", supervisor))
        .withMessageContaining("its own child");
    assertThatNullPointerException().isThrownBy(() -> Child.of(nil(), a)).withMessage("name");
    assertThatNullPointerException().isThrownBy(() -> Child.of("a", nil())).withMessage("action");
    assertThatNullPointerException().isThrownBy(() -> supervisor.add(nil())).withMessage("child");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Child.of("a", a).stopLimit(SECOND.negated()))
        .withMessageContaining("limit");
    Supervisor.Builder builder = Supervisor.builder();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxRestarts(-1, SECOND))
        .withMessageContaining("most");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxRestarts(1, Duration.ZERO))
        .withMessageContaining("window");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Backoff.exponential(Duration.ZERO, SECOND))
        .withMessageContaining("first");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Backoff.exponential(SECOND, SECOND.minus(NANO)))
        .withMessageContaining("ceiling");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Backoff.none().jitter(Double.NaN))
        .withMessageContaining("fraction");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Backoff.none().resetAfter(SECOND.negated()))
        .withMessageContaining("quiet");

    start(supervisor).ignoreFailure();
    a.awaitStarts(1);
    Task<Void, RestartLimitException> second = start(supervisor);
    assertThatIllegalStateException()
        .isThrownBy(second::await)
        .withMessageContaining("runs already");
    assertThat(a.task().isDone()).isFalse();
  }

  @SuppressWarnings("NullAway") // on purpose
  private static <T> T nil() {
    return null;
  }

  @Test
  @DisplayName("jitter shortens a wait by no more than its fraction, and not always the same")
  void jitter() {
    Backoff backoff = Backoff.exponential(SECOND, Duration.ofDays(100_000)).jitter(0.5);
    for (int restarts = 0; restarts < 60; restarts++) {
      Duration full =
          Backoff.exponential(SECOND, Duration.ofDays(100_000)).jitter(0).delay(restarts);
      assertThat(Stream.generate(bind(backoff, restarts)).limit(20))
          .allSatisfy(wait -> assertThat(wait).isBetween(full.dividedBy(2), full))
          .doesNotHaveDuplicates();
    }
  }

  private static Supplier<Duration> bind(Backoff backoff, int restarts) {
    return () -> backoff.delay(restarts);
  }

  @Test
  @DisplayName("it gives up also because of an exception that cannot print itself")
  void unprintable() {
    for (RuntimeException failure : Unprintable.all()) {
      Supervisor supervisor = Supervisor.builder().maxRestarts(0, SECOND).build();
      supervisor.add(
          "a",
          () -> {
            throw failure;
          });

      assertThatThrownBy(start(supervisor)::await)
          .isInstanceOf(RestartLimitException.class)
          .hasMessageContaining(failure.getClass().getName())
          .hasCause(failure);
    }
  }
}
