package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The four ways in which a failure counts as orphaned, and that it is reported once. */
@ExtendWith(Oracle.class)
@SuppressWarnings("try") // closes again on purpose
class OrphanTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final IOException failure = new IOException("body");

  @Test
  @DisplayName("orphan 1: a launched task's failure is reported at the moment it fails, once")
  void aLaunchedFailureIsReportedAtOnce() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.launch("fire and forget", this::fail);

      await().until(() -> !reported.contexts.isEmpty());

      ExceptionContext context = reported.contexts.element();
      assertThat(context.message()).isEqualTo("Task exception was never retrieved");
      assertThat(context.exception()).isSameAs(failure);
      assertThat(context.future()).isNotNull();
      assertThat(context.future().name()).isEqualTo("fire and forget");
      assertThatThrownBy(() -> context.future().result()).isSameAs(failure);
    }
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("orphan 2: at the close of the loop, in order, before close returns, once")
  void anUnreadFailureIsReportedAtClose() {
    var second = new IOException("second");
    Task<Object, IOException> first;
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      first = loop.createTask("first", this::fail);
      await().until(first::isDone);
      Task<Object, IOException> other =
          loop.createTask(() -> {
            throw second;
          });
      await().until(other::isDone);
      assertThat(reported.contexts).isEmpty();

      loop.close();

      assertThat(reported.exceptions()).containsExactly(failure, second);
      loop.close();
    }
    assertThat(reported.exceptions()).containsExactly(failure, second);
    assertThat(reported.contexts.element().future()).isSameAs(first);
    assertThatThrownBy(first::await).isSameAs(failure);
  }

  @Test
  @DisplayName("orphan 2: at the close of a scope, whatever its policy")
  void anUnreadFailureIsReportedAtTheCloseOfItsScope() throws Exception {
    for (TaskScope.Policy policy : TaskScope.Policy.values()) {
      reported.contexts.clear();
      Threads.<Object, Exception>run(
          reported,
          loop -> {
            try (TaskScope<IOException> scope = TaskScope.open(policy)) {
              Task<Object, IOException> child = scope.fork(this::fail);
              await().until(child::isDone);
              assertThat(reported.contexts).isEmpty();
            }
            assertThat(reported.exceptions()).containsExactly(failure);
            return null;
          });
      assertThat(reported.exceptions()).containsExactly(failure);
    }
  }

  @Test
  @DisplayName("orphan 3: when the handle is unreachable; the report has an equal, finished task")
  void anUnreachableHandleIsReported() {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      long id = failAndDrop(loop);

      collectUntilReported();

      ExceptionContext context = reported.contexts.element();
      Task<?, ?> future = context.future();
      assertThat(context.exception()).isSameAs(failure);
      assertThat(future).isNotNull();
      assertThat(future.id()).isEqualTo(id);
      assertThat(future.name()).isEqualTo("dropped");
      assertThat(future.isDone()).isTrue();
      assertThat(future.toString()).contains("dropped").contains("finished").contains("body");
      assertThatThrownBy(future::await).isSameAs(failure);
    }
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("orphan 3: the same in a SUPERVISE scope, while it is open")
  void anUnreachableHandleInASupervisingScopeIsReported() throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
            var done = new CountDownLatch(1);
            forkAndDrop(scope, done);
            done.await();

            collectUntilReported();

            assertThat(reported.exceptions()).containsExactly(failure);
          }
          return null;
        });
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("orphan 3: in another scope a dropped handle is no orphan: join throws its failure")
  void aDroppedHandleInAScopeWaitsForTheJoin() throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          try (TaskScope<IOException> scope = TaskScope.open()) {
            var done = new CountDownLatch(1);
            forkAndDrop(scope, done);
            done.await();
            System.gc();
            assertThatThrownBy(scope::join).isSameAs(failure);
          }
          return null;
        });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("orphan 4, MP-01: orphanAfter reports once, although the handle is held")
  void afterItsTimeAHeldFailureIsReported() {
    try (Loop loop =
        Threads.builder().exceptionHandler(reported).orphanAfter(Duration.ofMillis(1)).build()) {
      Task<Object, IOException> task = loop.createTask("held", this::fail);

      await().until(() -> !reported.contexts.isEmpty());

      assertThat(reported.contexts.element().future()).isSameAs(task);
      assertThatThrownBy(task::await).isSameAs(failure);
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  @Test
  @DisplayName(
      "MP-02: awaiting within the grace suppresses the report; after it, await still throws")
  void awaitingWithinTheGraceSuppressesTheReport() {
    try (Loop loop =
        Threads.builder().exceptionHandler(reported).orphanAfter(Duration.ofHours(1)).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);

      assertThatThrownBy(task::await).isSameAs(failure);
    }
    assertThat(reported.contexts).isEmpty();

    try (Loop loop =
        Threads.builder().exceptionHandler(reported).orphanAfter(Duration.ofMillis(1)).build()) {
      Task<Object, IOException> task = loop.createTask(this::fail);
      await().until(() -> !reported.contexts.isEmpty());

      assertThatThrownBy(task::await).isSameAs(failure);
    }
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName(
      "NRX-15: a pending task whose handle was dropped goes on, and its finally runs at close")
  void aDroppedPendingTaskIsNotLost() throws Exception {
    var cleaned = new AtomicBoolean();
    var started = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      parkAndDrop(loop, started, cleaned);
      started.await();

      System.gc();

      assertThat(loop.allTasks()).hasSize(1);
      assertThat(cleaned).isFalse();
    }
    assertThat(cleaned).isTrue();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("promise 5: an Error is an ordinary failure, reported once; the loop goes on")
  void anErrorIsReportedOnce() {
    var error = new OutOfMemoryError("not really");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.launch(() -> {
        throw error;
      });
      await().until(() -> !reported.contexts.isEmpty());
      assertThat(loop.isClosed()).isFalse();
    }
    assertThat(reported.exceptions()).containsExactly(error);
  }

  @Test
  @DisplayName("orphan 2: what the interrupted join of a cancelled, unread task left is reported")
  void failuresInsideACancelledTaskAreReported() throws Exception {
    var started = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task =
          loop.createTask(() -> {
            try (TaskScope<IOException> scope = TaskScope.open()) {
              scope.fork(() -> {
                try {
                  started.countDown();
                  Thread.sleep(60_000);
                } finally {
                  fail();
                }
              });
              scope.join();
            }
            return null;
          });
      started.await();
      assertThat(task.cancel()).isTrue();
      await().until(task::isDone);
      assertThat(task.isCancelled()).isTrue();
    }
    assertThat(reported.exceptions()).containsExactly(failure);
  }

  private Object fail() throws IOException {
    throw failure;
  }

  private long failAndDrop(Loop loop) {
    Task<Object, IOException> task = loop.createTask("dropped", this::fail);
    await().until(task::isDone);
    return task.id();
  }

  private void forkAndDrop(TaskScope<IOException> scope, CountDownLatch done) {
    scope.fork(this::fail).onDone(ended -> done.countDown());
  }

  private static void parkAndDrop(Loop loop, CountDownLatch started, AtomicBoolean cleaned) {
    var unused =
        loop.createTask(() -> {
          try {
            started.countDown();
            Thread.sleep(60_000);
          } finally {
            cleaned.set(true);
          }
        });
  }

  private void collectUntilReported() {
    await()
        .until(() -> {
          System.gc();
          return !reported.contexts.isEmpty();
        });
  }

  @Test
  @DisplayName("orphanAfter: a failure that is read takes its timer along")
  void readBeforeOrphanAfter() throws Exception {
    try (Loop loop =
        Threads.builder().exceptionHandler(reported).orphanAfter(Duration.ofHours(1)).build()) {
      Task<Object, IOException> task =
          loop.createTask(() -> {
            throw failure;
          });
      task.awaitDone();
      await().untilAsserted(() -> assertThat(Timers.armed()).isOne());

      assertThat(task.exception()).contains(failure);

      assertThat(Timers.armed()).isZero();
    }
    assertThat(reported.contexts).isEmpty();
  }
}
