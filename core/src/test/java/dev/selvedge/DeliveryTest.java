package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Listeners are told once of each failure what became of it, and how long each body ran. */
@ExtendWith(Oracle.class)
class DeliveryTest {
  private enum Fate {
    AWAITED,
    SUPPRESSED,
    TOLERATED,
    ORPHANED
  }

  private record Told(Fate fate, String task, Throwable failure) {}

  private final List<Told> told = new CopyOnWriteArrayList<>();
  private final Threads.Reported reported = new Threads.Reported();
  private final IOException failure = new IOException("body");

  private final LoopListener fates =
      new LoopListener() {
        @Override
        public void awaited(Task<?, ?> task, Throwable exception) {
          told.add(new Told(Fate.AWAITED, task.name(), exception));
        }

        @Override
        public void suppressed(Task<?, ?> task, Throwable exception) {
          told.add(new Told(Fate.SUPPRESSED, task.name(), exception));
        }

        @Override
        public void tolerated(Task<?, ?> task, Throwable exception) {
          told.add(new Told(Fate.TOLERATED, task.name(), exception));
        }

        @Override
        public void orphaned(Task<?, ?> task, Throwable exception) {
          told.add(new Told(Fate.ORPHANED, task.name(), exception));
        }
      };

  private Loop loop() {
    return Threads.builder().listener(fates).exceptionHandler(reported).build();
  }

  private Object fail() throws IOException {
    throw failure;
  }

  private static <X extends Exception> Object failWhenCancelled(CountDownLatch begun, X thrown)
      throws X {
    try {
      begun.countDown();
      new CountDownLatch(1).await();
    } catch (InterruptedException cancelled) {
      throw thrown;
    }
    throw new AssertionError();
  }

  @Test
  @DisplayName("awaited: told once, however often it is awaited")
  void awaitedOnce() {
    try (Loop loop = loop()) {
      Task<Object, IOException> task = loop.createTask("failing", this::fail);
      assertThatThrownBy(task::await).isSameAs(failure);
      assertThatThrownBy(task::result).isSameAs(failure);
      assertThat(task.exception()).containsSame(failure);
    }
    assertThat(told).containsExactly(new Told(Fate.AWAITED, "failing", failure));
  }

  @Test
  @DisplayName("awaited before it failed: told all the same")
  void retrievedBeforeTheEnd() throws Exception {
    var release = new CountDownLatch(1);
    try (Loop loop = loop()) {
      Task<Object, IOException> task =
          loop.createTask(
              "late",
              () -> {
                release.await();
                return fail();
              });
      ((Handle<?, ?>) task).retrieve();
      release.countDown();
      task.awaitDone();
    }
    assertThat(told).containsExactly(new Told(Fate.AWAITED, "late", failure));
  }

  @Test
  @DisplayName("a scope: the failure that its join throws is awaited, those of siblings suppressed")
  void siblings() throws Exception {
    var second = new IllegalStateException("second");
    try (Loop loop = loop()) {
      loop.runUntilComplete(() -> {
        var begun = new CountDownLatch(1);
        try (TaskScope<IOException> scope = TaskScope.open()) {
          scope.fork("second", () -> failWhenCancelled(begun, second));
          begun.await();
          scope.fork("first", this::fail);
          assertThatThrownBy(scope::join).isSameAs(failure);
          assertThatThrownBy(scope::join).isSameAs(failure);
        }
      });
    }
    assertThat(told)
        .containsExactlyInAnyOrder(
            new Told(Fate.AWAITED, "first", failure), new Told(Fate.SUPPRESSED, "second", second));
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a limit: what the task throws when it is cancelled is suppressed in the timeout")
  void limits() throws Exception {
    var late = new IllegalStateException("late");
    try (Loop loop = loop()) {
      loop.runUntilComplete(() -> {
        var begun = new CountDownLatch(1);
        Task<Object, RuntimeException> task =
            loop.createTask("slow", () -> failWhenCancelled(begun, late));
        begun.await();
        Throwable thrown = catchThrowable(() -> Timeout.waitFor(task, Duration.ZERO));
        assertThat(thrown).isSameAs(late);
      });
      loop.runUntilComplete(() -> {
        var begun = new CountDownLatch(1);
        Task<Object, RuntimeException> task =
            loop.createTask(
                "nested",
                () -> {
                  try (TaskScope<RuntimeException> scope = TaskScope.open()) {
                    scope.fork("below", () -> failWhenCancelled(begun, late));
                    scope.join();
                  }
                  return "never";
                });
        begun.await();
        assertThatThrownBy(() -> Timeout.waitFor(task, Duration.ZERO))
            .isInstanceOf(TimeoutException.class)
            .hasSuppressedException(late);
      });
    }
    assertThat(told)
        .containsExactly(
            new Told(Fate.AWAITED, "slow", late),
            new Told(Fate.SUPPRESSED, "below", late),
            new Told(Fate.SUPPRESSED, "nested", late));
  }

  @Test
  @DisplayName("tolerated: before or after the end")
  void tolerated() throws Exception {
    try (Loop loop = loop()) {
      Task<Object, IOException> after = loop.createTask("after", this::fail);
      after.awaitDone();
      after.ignoreFailure();
      var release = new CountDownLatch(1);
      loop.createTask(
              "before",
              () -> {
                release.await();
                return fail();
              })
          .ignoreFailure();
      release.countDown();
      await().until(() -> told.size() == 2);
    }
    assertThat(told)
        .containsExactly(
            new Told(Fate.TOLERATED, "after", failure),
            new Told(Fate.TOLERATED, "before", failure));
  }

  @Test
  @DisplayName("orphaned: told before the report, and awaiting it later tells nothing more")
  void orphaned() throws Exception {
    Task<Object, IOException> task;
    try (Loop loop = loop()) {
      task = loop.createTask("orphan", this::fail);
      task.awaitDone();
      loop.launch("launched", () -> fail());
      await().until(() -> !told.isEmpty());
    }
    assertThatThrownBy(task::result).isSameAs(failure);
    assertThat(told)
        .containsExactlyInAnyOrder(
            new Told(Fate.ORPHANED, "orphan", failure),
            new Told(Fate.ORPHANED, "launched", failure));
    assertThat(reported.exceptions()).containsExactly(failure, failure);
  }

  @Test
  @DisplayName("whoever takes them, in a race: each failure is told once")
  @Tag("race")
  void eachOnce() throws Exception {
    int failures = 2_000;
    long seed = System.nanoTime();
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    var thrown = new ArrayList<Throwable>();
    // The close cancels tasks that have not begun, and these throw nothing.
    var begun = new CountDownLatch(failures);
    try (Loop loop = loop()) {
      for (int i = 0; i < failures; i++) {
        var own = new IOException("failure " + i);
        thrown.add(own);
        Task<Object, IOException> task =
            loop.createTask(() -> {
              begun.countDown();
              throw own;
            });
        switch (random.nextInt(4)) {
          case 0 -> assertThatThrownBy(task::await).isSameAs(own);
          case 1 -> task.ignoreFailure();
          case 2 -> loop.createTask(() -> catchThrowable(task::await));
          default -> {}
        }
      }
      begun.await();
    }
    assertThat(told).as("seed %d", seed).extracting(Told::failure).hasSameElementsAs(thrown);
    assertThat(told).as("seed %d", seed).hasSize(failures);
  }

  @Test
  @DisplayName("finished is told how long the body ran, by the clock of the loop")
  void durations() throws Exception {
    var clock = new ManualClock();
    var ran = new AtomicLong(-1);
    var listener =
        new LoopListener() {
          @Override
          public void finished(Task<?, ?> task, Throwable exception, long nanos) {
            ran.set(nanos);
          }
        };
    try (Loop loop = Threads.builder().clock(clock).listener(listener).build()) {
      loop.createTask(
              () -> {
                clock.advance(Duration.ofSeconds(3));
                return null;
              })
          .await();
    }
    assertThat(ran).hasValue(3_000_000_000L);
  }

  @Test
  @DisplayName("the close of a loop and of a scope returns when the handler has returned")
  void closeWaitsForTheHandler() throws Exception {
    Thread closer = Thread.currentThread();
    var handled = new AtomicInteger();
    LoopExceptionHandler slow =
        (_, _) -> {
          Gate.awaitState(closer, Thread.State.TIMED_WAITING);
          handled.incrementAndGet();
        };
    try (Loop loop = Threads.builder().exceptionHandler(slow).build()) {
      loop.asCurrent(() -> {
        try (TaskScope<IOException> scope = TaskScope.open()) {
          scope.fork(this::fail).awaitDone();
        }
        assertThat(handled).hasValue(1);
      });
      loop.createTask(this::fail).awaitDone();
    }

    assertThat(handled).hasValue(2);
  }
}
