package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class ShieldViewTest {
  private static final int TIMES = Threads.times(Threads.PLATFORM ? 300 : 2000);

  private final Threads.Reported reported = new Threads.Reported();
  private final Loop loop = Threads.builder().exceptionHandler(reported).build();
  private final Gate gate = new Gate();

  @AfterEach
  void close() {
    gate.open();
    loop.close();
  }

  private Task<String, IOException> running() {
    return loop.createTask(
        "inner",
        () -> {
          gate.pass();
          Task.checkCancelled();
          return fetch("value");
        });
  }

  private static String fetch(String value) throws IOException {
    if (value.isEmpty()) {
      throw new IOException("empty");
    }
    return value;
  }

  @Test
  @DisplayName("shielding a task that is done gives the task itself [SHIELD-03]")
  void aDoneTaskIsItsOwnShield() throws Exception {
    Task<String, IOException> done = loop.createTask(() -> fetch("value"));
    done.await();

    assertThat(done.shield()).isSameAs(done);
  }

  @Test
  @DisplayName("a view ends as its task does, with the same objects")
  void endsAsItsTask() throws Exception {
    Task<String, IOException> task = running();
    Task<String, IOException> view = task.shield();
    Task<String, IOException> failing =
        loop.createTask(() -> {
          gate.pass();
          return fetch("");
        });
    Task<String, IOException> failingView = failing.shield();
    assertThat(view.isDone()).isFalse();
    assertThat(view.state()).isEqualTo(Future.State.RUNNING);
    assertThat(view.awaitDone(Duration.ofMillis(1))).isFalse();
    assertThatThrownBy(() -> view.await(Duration.ZERO)).isInstanceOf(TimeoutException.class);
    assertThatThrownBy(view::result).isInstanceOf(IllegalStateException.class);

    gate.open();

    assertThat(view.await()).isEqualTo("value");
    assertThat(view.call()).isEqualTo("value");
    assertThat(view.await(Duration.ofSeconds(5))).isEqualTo("value");
    assertThat(view.outcome()).isEqualTo(new Outcome.Success<>("value"));
    assertThat(view.exception()).isEmpty();
    assertThat(view.state()).isEqualTo(Future.State.SUCCESS);
    assertThat(view.cancel("too late")).isFalse();
    assertThat(view.cancelReason()).isEmpty();
    assertThat(view.name()).isEqualTo("inner");
    assertThat(view.id()).isEqualTo(task.id());
    Throwable failure = catchThrowable(failingView::await);
    assertThat(failure).isInstanceOf(IOException.class);
    assertThat(failing.exception()).containsSame(failure);
    assertThat(failingView.exception()).containsSame(failure);
    assertThat(failingView.isCancelled()).isFalse();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("cancelling a view ends it and who waits for it at once; the task does not notice")
  void cancellingDoesNotReachTheTask() throws Exception {
    Task<String, IOException> task = running();
    Task<String, IOException> view = task.shield();
    Task<String, IOException> waiter = loop.createTask(() -> view.await());
    Gate.awaitBlocked(waiter);

    assertThat(view.cancel("enough")).isTrue();

    assertThatThrownBy(waiter::await)
        .isInstanceOfSatisfying(
            TaskCancelledException.class,
            cancelled -> assertThat(cancelled.reason().message()).isEqualTo("enough"));
    assertThat(view.cancel("again")).isFalse();
    assertThat(view.isDone()).isTrue();
    assertThat(view.isCancelled()).isTrue();
    assertThat(view.state()).isEqualTo(Future.State.CANCELLED);
    assertThat(view.cancelRequests()).isEqualTo(1);
    assertThat(view.uncancel()).isEqualTo(1);
    assertThat(view.cancelReason()).map(CancelReason::message).contains("enough");
    assertThat(view.outcome()).isInstanceOf(Outcome.Cancelled.class);
    assertThatThrownBy(view::exception).isInstanceOf(TaskCancelledException.class);
    assertThatThrownBy(view::result).isInstanceOf(TaskCancelledException.class);
    assertThat(view.toString()).startsWith("shield of Task[inner, ").contains("enough");
    assertThat(view.shield()).isSameAs(view);
    assertThat(task.cancelRequests()).isZero();
    assertThat(task.isDone()).isFalse();
    gate.open();
    assertThat(task.await()).isEqualTo("value");
    assertThat(view.isCancelled()).isTrue();
  }

  @Test
  @DisplayName("a cancelled view has read nothing: the task's failure is still reported")
  void aCancelledViewRetrievesNothing() {
    var failure = new IOException("unread");
    Task<String, IOException> task =
        loop.createTask(() -> {
          gate.pass();
          throw failure;
        });
    Task<String, IOException> view = task.shield();
    view.cancel();
    CompletableFuture<String> copy = view.toCompletableFuture();
    assertThatThrownBy(copy::join).isInstanceOf(CancellationException.class);

    Gate.awaitBlocked(task);
    gate.open();
    loop.close();

    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName("a view's failure may be ignored, and its copy as a future reads it")
  void ignoredAndCopied() {
    Task<String, IOException> ignored = failingAtTheGate();
    Task<String, IOException> copied = failingAtTheGate();
    ignored.shield().ignoreFailure();
    CompletableFuture<String> copy = copied.shield().toCompletableFuture();

    gate.open();

    assertThatThrownBy(copy::join).hasCauseInstanceOf(IOException.class);
    loop.close();
    assertThat(reported.contexts).isEmpty();
  }

  private Task<String, IOException> failingAtTheGate() {
    return loop.createTask(() -> {
      gate.pass();
      return fetch("");
    });
  }

  @Test
  @DisplayName("callbacks of a view are called once: at its cancellation, or at the task's end")
  void callbacksAreCalledOnce() throws Exception {
    List<String> calls = new CopyOnWriteArrayList<>();
    Task<String, IOException> task = running();
    Task<String, IOException> cancelled = task.shield();
    Task<String, IOException> passed = task.shield();
    cancelled.onDone(view -> calls.add("cancelled " + view.isCancelled()));
    cancelled.onDone(_ -> {
      throw new IllegalStateException("broken callback");
    });
    passed.onDone(view -> calls.add("passed " + view.isCancelled()));

    cancelled.cancel();
    cancelled.onDone(_ -> calls.add("late"));

    assertThat(calls).containsExactly("cancelled true", "late");
    gate.open();
    task.await();
    await().until(() -> calls.size() == 3);
    assertThat(calls).endsWith("passed false");
    await().until(() -> !reported.contexts.isEmpty());
    assertThat(reported.messages()).containsExactly("Exception in a callback of a task");
    loop.close();
    assertThat(calls).hasSize(3);
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("a view shows where its task is, and that it is a shield")
  void showsItsTask() throws Exception {
    Task<String, IOException> task = running();
    Task<String, IOException> view = task.shield();
    await().until(() -> !view.stackTrace().isEmpty());
    assertThat(view.toString()).contains("inner");
    assertThat(view.toString()).contains("shield");

    gate.open();
    task.await();

    assertThat(view.stackTrace()).isEmpty();
  }

  @Test
  @DisplayName("waitFor on a view stops at the limit and leaves the task alone [SHIELD-01]")
  void waitForLeavesTheTaskAlone() throws Exception {
    Task<String, IOException> task = running();

    assertThatThrownBy(() -> Timeout.waitFor(task.shield(), Duration.ofMillis(5)))
        .isInstanceOf(TimeoutException.class)
        .hasCauseInstanceOf(TaskCancelledException.class);

    assertThat(task.cancelRequests()).isZero();
    gate.open();
    assertThat(task.await()).isEqualTo("value");
  }

  @Test
  @DisplayName("a waiter of a view that is cancelled itself leaves at once, the task goes on")
  void aCancelledWaiterLeaves() throws Exception {
    Task<String, IOException> task = running();
    Task<String, Exception> waiter =
        loop.createTask(() -> Timeout.waitFor(task.shield(), Duration.ofMinutes(1)));
    Gate.awaitBlocked(waiter);

    waiter.cancel("enough");

    assertThatThrownBy(waiter::await).isInstanceOf(TaskCancelledException.class);
    assertThat(task.cancelRequests()).isZero();
    assertThat(task.isDone()).isFalse();
  }

  @Test
  @DisplayName(
      "a circle of awaits through a view is refused; once the view is cancelled there is none")
  void circlesThroughAView() throws Exception {
    var handle = new CompletableFuture<Task<String, RuntimeException>>();
    Task<String, RuntimeException> task =
        loop.createTask(() -> {
          Task<String, RuntimeException> self = handle.join();
          assertThatThrownBy(() -> self.shield().await())
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("awaits itself");
          Task<String, RuntimeException> view = self.shield();
          view.cancel("no circle");
          assertThatThrownBy(view::await).isInstanceOf(TaskCancelledException.class);
          return "done";
        });
    handle.complete(task);

    assertThat(task.await()).isEqualTo("done");
  }

  @Test
  @Tag("race")
  @DisplayName("the cancellation of a view races with the task's end: all see one of them")
  void cancelRacesWithTheEnd() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      var go = new Gate();
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            go.pass();
            return "value";
          });
      Task<String, RuntimeException> view = task.shield();
      var seen = new LinkedBlockingQueue<Future.State>();
      view.onDone(ended -> seen.add(ended.state()));
      Task<Future.State, RuntimeException> waiter =
          loop.createTask(() -> {
            view.awaitDone();
            return view.state();
          });
      Task<Boolean, RuntimeException> canceller =
          loop.createTask(() -> {
            go.pass();
            return view.cancel();
          });

      go.open();

      Future.State expected = canceller.await() ? Future.State.CANCELLED : Future.State.SUCCESS;
      assertThat(waiter.await()).isEqualTo(expected);
      assertThat(view.state()).isEqualTo(expected);
      assertThat(task.await()).isEqualTo("value");
      assertThat(seen.take()).isEqualTo(expected);
      assertThat(seen).isEmpty();
    }
  }

  @Test
  @DisplayName("what returns the task returns the view, which tells of the task")
  void returnsItself() {
    Task<String, IOException> task = running();
    Task<String, IOException> view = task.shield();
    Task<String, IOException> unnamed =
        loop.<String, IOException>createTask(() -> {
          gate.pass();
          return "value";
        });

    assertThat(view.ignoreFailure()).isSameAs(view);
    assertThat(view.onDone(_ -> {})).isSameAs(view);
    assertThat(((Handle<?, ?>) view).isNamed()).isTrue();
    assertThat(((Handle<?, ?>) unnamed.shield()).isNamed()).isFalse();
    assertThat(((Handle<?, ?>) view).ownerName()).isEqualTo(loop.name());
    gate.open();
  }

  @Test
  @DisplayName("cancelling a view wakes a thread that is no task and waits through it")
  void cancellingWakesAThread() throws Exception {
    Task<String, IOException> view = running().shield();
    var woken = new LinkedBlockingQueue<Throwable>();
    Thread waiter = Thread.ofVirtual().start(() -> woken.add(catchThrowable(() -> view.await())));
    Gate.awaitState(waiter, Thread.State.WAITING);

    view.cancel("enough");

    assertThat(woken.take()).isInstanceOf(TaskCancelledException.class);
    waiter.join();
    gate.open();
  }

  @Test
  @DisplayName(
      "a failure counts as read when it is suppressed through a view that is not cancelled")
  void suppressedThroughAView() throws Exception {
    List<Task<String, IOException>> failing =
        List.of(loop.createTask(this::failLater), loop.createTask(this::failLater));
    List<Task<String, IOException>> views = failing.stream().map(Task::shield).toList();
    views.getLast().cancel("enough");
    gate.open();
    for (Task<?, ?> task : failing) {
      task.awaitDone();
    }

    views.forEach(view -> ((Handle<?, ?>) view).retrieveSuppressed());
    loop.close();

    assertThat(reported.contexts)
        .singleElement()
        .extracting(ExceptionContext::future)
        .isEqualTo(failing.getLast());
  }

  @Test
  @DisplayName("what was attached to a view does not stay with the task when the view is cancelled")
  void aCancelledViewLeavesNothingBehind() throws Exception {
    Task<String, IOException> task = running();
    List<String> calls = new CopyOnWriteArrayList<>();
    task.onDone(_ -> calls.add("task"));
    Task<String, IOException> view = task.shield();
    Task<String, IOException> other = task.shield();
    view.onDone(_ -> calls.add("view"));
    other.onDone(_ -> calls.add("other"));
    CompletableFuture<String> copy = view.toCompletableFuture();

    view.cancel("enough");
    view.onDone(_ -> calls.add("late"));

    assertThat(((TaskImpl<?, ?>) task).cold().callbacks).hasSize(2);
    assertThat(calls).containsExactly("view", "late");
    assertThatThrownBy(copy::join).isInstanceOf(CancellationException.class);
    gate.open();
    task.await();
    await().until(() -> calls.size() == 4);
    assertThat(calls).containsExactly("view", "late", "task", "other");
  }

  @Test
  @Tag("race")
  @DisplayName("a callback that is attached to a view while that is cancelled is called once")
  void attachingRacesWithTheCancellation() throws Exception {
    Task<String, IOException> task = running();
    for (int i = 0; i < TIMES; i++) {
      var calls = new AtomicInteger();
      Task<String, IOException> view = task.shield();
      var go = new Gate();
      Thread canceller =
          Thread.startVirtualThread(() -> {
            go.pass();
            view.cancel();
          });
      go.open();
      view.onDone(_ -> calls.incrementAndGet());
      canceller.join();

      assertThat(calls).hasValue(1);
      assertThat(((TaskImpl<?, ?>) task).cold().callbacks).isNullOrEmpty();
    }
    gate.open();
  }

  @Test
  @DisplayName("a view of a view is one of the task: it goes on when the other is cancelled")
  void aViewOfAView() throws Exception {
    Task<String, IOException> view = running().shield();
    Task<String, IOException> second = view.shield();

    view.cancel("enough");

    assertThat(second.isDone()).isFalse();
    gate.open();
    assertThat(second.await()).isEqualTo("value");
  }

  private String failLater() throws IOException {
    gate.pass();
    return fetch("");
  }
}
