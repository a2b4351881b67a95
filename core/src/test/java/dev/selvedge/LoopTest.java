package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The arguments of a loop, its threads, and what it says about itself. */
@ExtendWith(Oracle.class)
class LoopTest {
  private final Threads.Reported reported = new Threads.Reported();

  @Test
  @DisplayName("The builder refuses null")
  void theBuilderRefusesNull() {
    Loop.Builder builder = Loop.builder();

    List<Runnable> calls =
        List.of(
            () -> builder.name(null),
            () -> builder.exceptionHandler(null),
            () -> builder.threadFactory(null),
            () -> builder.shutdownTimeout(null),
            () -> builder.stragglerWarning(null),
            () -> builder.orphanAfter(null));

    assertThat(calls)
        .allSatisfy(call -> assertThatThrownBy(call::run).isInstanceOf(NullPointerException.class));
  }

  @Test
  @DisplayName("The builder refuses negative durations, and zero where it means nothing")
  void theBuilderRefusesNegatives() {
    Loop.Builder builder = Loop.builder();
    Duration negative = Duration.ofNanos(-1);

    List<Runnable> calls =
        List.of(
            () -> builder.shutdownTimeout(negative),
            () -> builder.stragglerWarning(negative),
            () -> builder.stragglerWarning(Duration.ZERO),
            () -> builder.orphanAfter(negative),
            () -> builder.orphanAfter(Duration.ZERO));

    assertThat(calls)
        .allSatisfy(
            call -> assertThatThrownBy(call::run).isInstanceOf(IllegalArgumentException.class));
    builder.shutdownTimeout(Duration.ZERO).build().close();
  }

  @Test
  @DisplayName("Longest durations are no trouble")
  void longestDurations() throws Exception {
    Duration longest = Duration.ofSeconds(Long.MAX_VALUE);
    try (Loop loop =
        Threads.builder()
            .exceptionHandler(reported)
            .shutdownTimeout(longest)
            .stragglerWarning(longest)
            .orphanAfter(longest)
            .build()) {
      var failed =
          loop.createTask(() -> {
            throw new IllegalStateException("read below");
          });
      assertThatThrownBy(failed::await).isInstanceOf(IllegalStateException.class);
      var begun = new CountDownLatch(1);
      loop.launch(() -> {
        begun.countDown();
        Thread.sleep(Duration.ofDays(1));
      });
      begun.await();
    }

    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("Null bodies, names and contexts are refused at the call")
  void nullBodiesAreRefused() {
    try (Loop loop = Threads.builder().build()) {
      Body<String, RuntimeException> body = () -> "";
      Action<RuntimeException> action = () -> {};
      List<Callback> calls =
          List.of(
              () -> Loop.run((LoopBody<String, RuntimeException>) null),
              () -> Loop.run((Body<String, RuntimeException>) null),
              () -> Loop.run((Action<RuntimeException>) null),
              () -> loop.runUntilComplete((Body<String, RuntimeException>) null),
              () -> loop.runUntilComplete((Action<RuntimeException>) null),
              () -> loop.createTask((Body<String, RuntimeException>) null),
              () -> loop.createTask((Action<RuntimeException>) null),
              () -> loop.createTask(null, body),
              () -> loop.createTask(null, action),
              () -> loop.launch(null),
              () -> loop.launch(null, action),
              () -> loop.defaultExceptionHandler(null),
              () -> loop.callExceptionHandler(null));

      assertThat(calls)
          .allSatisfy(
              call -> assertThatThrownBy(call::call).isInstanceOf(NullPointerException.class));
      assertThat(loop.isRunning()).isFalse();
      assertThat(loop.allTasks()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"throws", "throws an Error", "returns null", "returns a started thread"})
  @DisplayName("A thread factory that fails: RejectedExecutionException, and nothing is counted")
  void aThreadFactoryThatFails(String how) {
    var ran = new AtomicBoolean();
    var cause = how.endsWith("Error") ? new OutOfMemoryError(how) : new IllegalStateException(how);
    ThreadFactory factory =
        body ->
            switch (how) {
              case "throws" -> throw (IllegalStateException) cause;
              case "throws an Error" -> throw (OutOfMemoryError) cause;
              case "returns null" -> null;
              default ->
                  Thread.ofPlatform().uncaughtExceptionHandler((thread, e) -> {}).start(body);
            };
    try (Loop loop =
        Loop.builder().handleSignals(false).name("poor").threadFactory(factory).build()) {

      assertThatThrownBy(() -> loop.createTask(() -> ran.set(true)))
          .isInstanceOf(RejectedExecutionException.class)
          .hasMessageContaining("the thread factory of Loop[poor]")
          .satisfies(e -> assertThat(e.getCause()).isSameAs(how.startsWith("t") ? cause : null));
      assertThatThrownBy(() -> loop.launch(() -> ran.set(true)))
          .isInstanceOf(RejectedExecutionException.class);

      assertThat(loop.allTasks()).isEmpty();
    }
    assertThat(ran).isFalse();
  }

  @Test
  @DisplayName(
      "A thread factory may wrap what it runs and set its own handler; names come from the task")
  void aThreadFactoryMayWrap() throws Exception {
    var wrapped = new AtomicBoolean();
    ThreadFactory factory =
        body ->
            Thread.ofPlatform()
                .daemon()
                .name("from the factory")
                .unstarted(() -> {
                  wrapped.set(true);
                  body.run();
                });
    try (Loop loop = Loop.builder().handleSignals(false).threadFactory(factory).build()) {
      var named = loop.createTask("named", () -> Thread.currentThread().getName());
      var unnamed = loop.createTask(() -> Thread.currentThread().getName());

      assertThat(named.await()).isEqualTo("named");
      assertThat(unnamed.await()).isEqualTo("from the factory");
    }
    assertThat(wrapped).isTrue();
  }

  @Test
  @DisplayName(
      "allTasks: exactly the unfinished tasks, those of scopes and the current one included")
  void allTasksAreTheUnfinishedOnes() throws Exception {
    var end = new CountDownLatch(1);
    Loop loop = Threads.builder().build();
    try (loop) {
      var done = loop.createTask("done", () -> "");
      assertThat(done.await()).isEmpty();
      loop.runUntilComplete(() -> {
        var waiting = loop.createTask("waiting", () -> end.await());
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          var child = scope.fork("child", () -> end.await());
          Set<Task<?, ?>> all = loop.allTasks();
          assertThat(all)
              .isEqualTo(Set.of(Task.current().orElseThrow(), waiting, child))
              .isUnmodifiable();

          end.countDown();
          scope.join();
          waiting.await();
          assertThat(all).hasSize(3);
          assertThat(loop.allTasks()).isEqualTo(Set.of(Task.current().orElseThrow()));
        }
      });
      assertThat(loop.allTasks()).isEmpty();
    }
    assertThat(loop.allTasks()).isEmpty();
  }

  @Test
  @DisplayName("The current loop is the task's own, and outside of tasks the default one")
  void theCurrentLoop() throws Exception {
    Loop outside = Loop.current();
    try (Loop loop = Threads.builder().build()) {
      var inside = loop.createTask(() -> Loop.current());

      assertThat(inside.await()).isSameAs(loop);
      assertThat(Loop.current()).isSameAs(outside).isNotSameAs(loop);
    }
  }

  @Test
  @DisplayName("A loop of Loop.create runs tasks on virtual threads")
  void aLoopOfCreate() throws Exception {
    try (Loop loop = Loop.create()) {
      assertThat(loop).hasToString("Loop[loop]");
      assertThat(loop.createTask(() -> Thread.currentThread().isVirtual()).await()).isTrue();
    }
  }

  @FunctionalInterface
  private interface Callback {
    void call() throws Exception;
  }
}
