package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Promise 6: a failure shows where it was thrown and where it was awaited. */
@ExtendWith(Oracle.class)
class AwaitTraceTest {
  private final Threads.Reported reported = new Threads.Reported();

  /** Takes no suppressed exceptions. */
  private static final class Refusing extends Exception {
    private static final long serialVersionUID = 1L;

    Refusing() {
      super("refusing", null, false, true);
    }
  }

  static List<TaskTrace> traces(Throwable thrown, TaskTrace.Kind kind) {
    return Stream.of(thrown.getSuppressed())
        .filter(TaskTrace.class::isInstance)
        .map(TaskTrace.class::cast)
        .filter(trace -> trace.kind() == kind)
        .toList();
  }

  private static List<TaskTrace> awaited(Throwable thrown) {
    return traces(thrown, TaskTrace.Kind.AWAITED);
  }

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  private static <X extends Exception> Task<Void, X> failing(Loop loop, X failure) {
    return loop.createTask(
        "failing",
        () -> {
          throw failure;
        });
  }

  private static Throwable awaitHere(Task<?, ?> task) {
    return catchThrowable(task::await);
  }

  @Test
  @DisplayName("a failure that is awaited shows the awaiter's frames, and who that was")
  void theAwaitersFrames() throws Exception {
    var failure = new IOException("broken");
    try (Loop loop = open()) {
      Task<Void, IOException> failing = failing(loop, failure);
      Task<Throwable, RuntimeException> awaiter =
          loop.createTask("awaiter", () -> awaitHere(failing));

      assertThat(awaiter.await()).isSameAs(failure);
    }
    assertThat(awaited(failure)).hasSize(1);
    TaskTrace trace = awaited(failure).getFirst();
    assertThat(trace).hasMessage("awaited here by awaiter").hasNoCause();
    assertThat(trace.getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals("awaitHere"))
        .noneMatch(frame -> frame.getMethodName().equals("failing"));
    assertThat(failure.getStackTrace())
        .noneMatch(frame -> frame.getMethodName().equals("awaitHere"));
    var printed = new StringWriter();
    failure.printStackTrace(new PrintWriter(printed));
    assertThat(printed.toString())
        .contains("java.io.IOException: broken")
        .contains("Suppressed: dev.selvedge.TaskTrace: awaited here by awaiter");
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a thread that is no task is named too")
  void awaitedByAPlainThread() {
    var failure = new IOException("broken");
    try (Loop loop = open()) {
      assertThat(awaitHere(failing(loop, failure))).isSameAs(failure);
    }
    assertThat(awaited(failure))
        .extracting(Throwable::getMessage)
        .containsExactly("awaited here by thread " + Thread.currentThread().getName());
  }

  @Test
  @DisplayName("however often it is awaited or read, the frames are those of the first time")
  void onlyTheFirst() {
    var failure = new IOException("broken");
    try (Loop loop = open()) {
      Task<Void, IOException> failing = failing(loop, failure);
      assertThat(awaitHere(failing)).isSameAs(failure);
      Throwable[] first = failure.getSuppressed();
      for (int i = 0; i < 10; i++) {
        assertThatThrownBy(failing::await).isSameAs(failure);
        assertThatThrownBy(failing::result).isSameAs(failure);
        assertThatThrownBy(failing::call).isSameAs(failure);
      }

      assertThat(failure.getSuppressed()).containsExactly(first).hasSize(1);
    }
  }

  @Test
  @DisplayName("awaited by many at the same time it has one trace")
  void awaitedByManyAtOnce() throws Exception {
    for (int round = 0; round < 20; round++) {
      var failure = new IOException("broken");
      var ready = new CountDownLatch(16);
      var go = new Gate();
      try (Loop loop = open()) {
        Task<Void, IOException> failing =
            loop.createTask(() -> {
              go.pass();
              throw failure;
            });
        var awaiters = new ArrayList<Task<Throwable, RuntimeException>>();
        for (int i = 0; i < 16; i++) {
          awaiters.add(
              loop.createTask(() -> {
                ready.countDown();
                return awaitHere(failing);
              }));
        }
        ready.await();
        go.open();
        for (Task<Throwable, RuntimeException> awaiter : awaiters) {
          assertThat(awaiter.await()).isSameAs(failure);
        }
      }
      assertThat(failure.getSuppressed()).hasSize(1).allMatch(TaskTrace.class::isInstance);
    }
  }

  @Test
  @DisplayName("a failure that passes through several tasks shows the first await")
  void passedOnFromTaskToTask() throws Exception {
    var failure = new IOException("broken");
    try (Loop loop = open()) {
      Task<Void, IOException> first = failing(loop, failure);
      Task<Void, IOException> second = loop.createTask("second", () -> first.await());
      Task<Void, IOException> third = loop.createTask("third", () -> second.await());

      assertThatThrownBy(third::await).isSameAs(failure);
    }
    assertThat(awaited(failure))
        .extracting(Throwable::getMessage)
        .containsExactly("awaited here by second");
  }

  @Test
  @DisplayName("a shared singleton does not grow, whoever throws and awaits it")
  void aSharedSingletonDoesNotGrow() {
    var singleton = new IOException("singleton");
    try (Loop loop = open()) {
      for (int i = 0; i < 200; i++) {
        assertThatThrownBy(failing(loop, singleton)::await).isSameAs(singleton);
      }
    }
    assertThat(singleton.getSuppressed()).hasSize(1);
  }

  @Test
  @DisplayName("an exception that refuses suppression has none, and is thrown as it is")
  void anExceptionThatRefuses() {
    var refusing = new Refusing();
    try (Loop loop = open()) {
      Task<Void, Refusing> task = failing(loop, refusing);

      assertThatThrownBy(task::await).isSameAs(refusing);
      assertThatThrownBy(task::await).isSameAs(refusing).hasNoSuppressedExceptions();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a trace that is thrown itself does not suppress itself")
  void aTraceThatIsThrown() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).debug(true).build()) {
      var failure = new IOException("broken");
      assertThat(awaitHere(failing(loop, failure))).isSameAs(failure);
      for (Throwable trace : failure.getSuppressed()) {
        Task<Void, RuntimeException> throwing =
            loop.createTask(() -> {
              throw Failures.<RuntimeException>sneak(trace);
            });
        assertThat(awaitHere(throwing)).isSameAs(trace).hasNoSuppressedExceptions();
      }
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a trace takes none of the 16 places of other failures")
  void notCountedAmongTheSixteen() throws Exception {
    var full = new IOException("full");
    try (Loop loop = open()) {
      assertThat(awaitHere(failing(loop, full))).isSameAs(full);
      var others = new ArrayList<Throwable>();
      for (int i = 0; i < 16; i++) {
        var other = new IOException("other " + i);
        others.add(other);
        assertThat(Failures.suppress(full, other)).isTrue();
      }
      assertThat(Failures.suppress(full, new IOException("too many"))).isFalse();

      assertThat(Suppressed.in(full)).isEqualTo(others);
      assertThat(awaited(full)).hasSize(1);
    }
  }

  @Test
  @DisplayName("an exception that is full of others still gets its trace")
  void aFullExceptionGetsItsTrace() {
    var full = new IOException("full");
    for (int i = 0; i < 20; i++) {
      full.addSuppressed(new IOException("its own " + i));
    }
    try (Loop loop = open()) {
      assertThat(awaitHere(failing(loop, full))).isSameAs(full);
    }
    assertThat(awaited(full)).hasSize(1);
    assertThat(Suppressed.in(full)).hasSize(20);
  }

  @Test
  @DisplayName("join leaves the frames of the joining task, once, and after the other failures")
  void joinAddsItsFrames() throws Exception {
    var failure = new IOException("child");
    Throwable thrown =
        Threads.<Throwable, Exception>run(
            reported,
            loop -> {
              try (var scope = TaskScope.<IOException>open()) {
                Task<Void, IOException> child =
                    scope.fork(() -> {
                      throw failure;
                    });
                Throwable first = catchThrowable(scope::join);
                assertThatThrownBy(scope::join).isSameAs(first);
                assertThatThrownBy(child::await).isSameAs(first);
                return first;
              }
            });

    assertThat(thrown).isSameAs(failure);
    assertThat(awaited(failure))
        .extracting(Throwable::getMessage)
        .containsExactly("awaited here by main");
    assertThat(awaited(failure).getFirst().getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals("join"));
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("awaiting a cancelled task leaves the frames in its TaskCancelledException, once")
  void aTaskCancelledExceptionHasIt() {
    try (Loop loop = open()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> Thread.sleep(60_000));
      task.cancel("no more");
      Throwable thrown = awaitHere(task);
      assertThatThrownBy(task::await).isSameAs(thrown);

      assertThat(thrown).isInstanceOf(TaskCancelledException.class);
      assertThat(awaited(thrown)).hasSize(1);
      assertThat(awaited(thrown).getFirst().getStackTrace())
          .anyMatch(frame -> frame.getMethodName().equals("awaitHere"));
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a trace in what ended a cancelled task is no failure: nothing is reported")
  void tracesAreNotReported() throws Exception {
    var failure = new IOException("broken");
    var running = new CountDownLatch(1);
    try (Loop loop = open()) {
      assertThat(awaitHere(failing(loop, failure))).isSameAs(failure);
      Task<Void, Exception> cancelled =
          loop.<Exception>createTask(() -> {
            running.countDown();
            try {
              Thread.sleep(60_000);
            } catch (InterruptedException e) {
              Stream.of(failure.getSuppressed()).forEach(e::addSuppressed);
              throw e;
            }
          });
      running.await();
      cancelled.cancel();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a trace among failures in what ended a cancelled task: only the failures are told")
  void onlyTheFailuresAreTold() throws Exception {
    var failure = new IOException("broken");
    var other = new IOException("other");
    var running = new CountDownLatch(1);
    try (Loop loop = open()) {
      assertThat(awaitHere(failing(loop, failure))).isSameAs(failure);
      loop.<Exception>createTask(() -> {
        running.countDown();
        try {
          Thread.sleep(60_000);
        } catch (InterruptedException e) {
          Stream.of(failure.getSuppressed()).forEach(e::addSuppressed);
          e.addSuppressed(other);
          throw e;
        }
      });
      running.await();
    }
    assertThat(reported.exceptions()).containsExactly(other);
  }

  @Test
  @DisplayName("exception() and outcome(), the state and the printed form leave no frames")
  void readingLeavesNoFrames() throws Exception {
    var failure = new IOException("broken");
    try (Loop loop = open()) {
      Task<Void, IOException> task = failing(loop, failure);
      Awaitility.await().until(task::isDone);

      assertThat(task.exception()).containsSame(failure);
      assertThat(task.outcome()).isEqualTo(new Outcome.Failure<>(failure));
      assertThat(task.toString()).contains("broken");
      assertThat(task.state().name()).isEqualTo("FAILED");
      assertThat(failure).hasNoSuppressedExceptions();
    }
  }

  @Test
  @DisplayName("a failure that nobody awaited is reported without frames of an await")
  void reportedWithoutFrames() {
    var failure = new IOException("broken");
    try (Loop loop = open()) {
      Awaitility.await().until(failing(loop, failure)::isDone);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
    assertThat(failure).hasNoSuppressedExceptions();
  }
}
