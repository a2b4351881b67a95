package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A thread factory that fails at the n-th call, for each n. */
@ExtendWith(Oracle.class)
class BadFactoryTest {
  private static final int FORKS = 5;

  /** How a factory fails. */
  enum Fault {
    NULL,
    THROWS,
    OUT_OF_MEMORY,
    CANNOT_START;

    Thread thread(Runnable task) {
      return switch (this) {
        case NULL -> null;
        case THROWS -> throw new IllegalStateException("a broken factory");
        case OUT_OF_MEMORY -> throw new OutOfMemoryError("unable to create native thread");
        case CANNOT_START ->
            new Thread(task) {
              @Override
              public void start() {
                throw new OutOfMemoryError("unable to create native thread");
              }
            };
      };
    }
  }

  private final Threads.Reported reported = new Threads.Reported();
  private final List<IOException> thrown = new ArrayList<>();

  private static Stream<Arguments> faults() {
    return Stream.of(Fault.values())
        .flatMap(fault -> IntStream.rangeClosed(1, FORKS).mapToObj(n -> Arguments.of(fault, n)));
  }

  private Loop open(Fault fault, int n) {
    var calls = new AtomicInteger();
    ThreadFactory threads =
        Threads.PLATFORM ? Thread.ofPlatform().daemon().factory() : Thread.ofVirtual().factory();
    return Loop.builder()
        .handleSignals(false)
        .exceptionHandler(reported)
        .threadFactory(
            task -> calls.incrementAndGet() == n ? fault.thread(task) : threads.newThread(task))
        .build();
  }

  private Body<Void, IOException> failing(int number) {
    var failure = new IOException("failure " + number);
    return () -> {
      synchronized (thrown) {
        thrown.add(failure);
      }
      throw failure;
    };
  }

  @ParameterizedTest
  @MethodSource("faults")
  @DisplayName("L14: of a loop's tasks the n-th is refused, and the failures of the others arrive")
  void tasksOfALoop(Fault fault, int n) throws Exception {
    int refused = 0;
    try (Loop loop = open(fault, n)) {
      for (int i = 1; i <= FORKS; i++) {
        try {
          loop.createTask(failing(i)).onDone(_ -> {}).awaitDone();
        } catch (RejectedExecutionException e) {
          refused = i;
        }
      }
      assertThat(loop.allTasks()).isEmpty();
    }

    assertThat(refused).isEqualTo(n);
    assertThat(thrown).hasSize(FORKS - 1);
    assertThat(reported.exceptions()).containsExactlyInAnyOrderElementsOf(thrown);
  }

  @ParameterizedTest
  @MethodSource("faults")
  @DisplayName("L14: of a scope's forks, or main itself, the n-th is refused; nothing is lost")
  void forksOfAScope(Fault fault, int n) throws Exception {
    var refused = new AtomicInteger();
    var scopesOwn = new ArrayList<Throwable>();
    try (Loop loop = open(fault, n)) {
      loop.runUntilComplete(() -> {
        try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
          for (int i = 2; i <= FORKS; i++) {
            try {
              var unused = scope.fork(failing(i));
            } catch (RejectedExecutionException e) {
              refused.set(i);
            }
          }
          scope.join();
        }
      });
    } catch (RejectedExecutionException main) {
      refused.set(1);
      scopesOwn.add(main);
    }

    assertThat(refused).hasValue(n);
    assertThat(thrown).hasSize(n == 1 ? 0 : FORKS - 2);
    assertThat(reported.exceptions()).containsExactlyInAnyOrderElementsOf(thrown);
  }

  @Test
  @DisplayName(
      "a thread that fails before it runs its task: the task fails with that, and has ended")
  void aThreadThatFailsBeforeItsTask() throws Exception {
    var broken = new IllegalStateException("cannot set up the thread");
    ThreadFactory threads =
        task ->
            Thread.ofVirtual()
                .unstarted(() -> {
                  if (task != null) {
                    throw broken;
                  }
                });
    try (Loop loop =
        Loop.builder()
            .handleSignals(false)
            .exceptionHandler(reported)
            .threadFactory(threads)
            .build()) {
      Task<String, RuntimeException> awaited = loop.createTask(() -> "never");
      assertThat(catchThrowable(awaited::await)).isSameAs(broken);
      assertThat(awaited.state()).isEqualTo(Future.State.FAILED);
      loop.launch("launched", () -> {});
    }
    assertThat(reported.exceptions()).containsExactly(broken);
  }
}
