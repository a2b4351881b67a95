package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the JDK's scope drops: each test is named after its line in the design's last table. */
@ExtendWith(Oracle.class)
@SuppressWarnings("try") // closes again on purpose
class ScopeFailureTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final IOException first = new IOException("first");
  private final IOException second = new IOException("second");

  @Test
  @DisplayName("L1: close without join, a child had failed: handler")
  void l1CloseWithoutJoin() throws Exception {
    inTask(() -> {
      try (TaskScope<IOException> scope = TaskScope.open()) {
        Task<Object, IOException> child = scope.fork(() -> fail(first));
        await().until(child::isDone);
      }
      assertThat(reported.exceptions()).containsExactly(first);
    });

    assertThat(reported.exceptions()).containsExactly(first);
  }

  @Test
  @DisplayName(
      "L2: the body throws before join, a child had failed: body's exception, child's to the"
          + " handler")
  void l2TheBodyThrowsBeforeJoin() throws Exception {
    var body = new IllegalStateException("body");
    inTask(() -> {
      Throwable thrown =
          catchThrowable(() -> {
            try (TaskScope<IOException> scope = TaskScope.open()) {
              Task<Object, IOException> child = scope.fork(() -> fail(first));
              await().until(child::isDone);
              throw body;
            }
          });
      assertThat(thrown).isSameAs(body).hasNoSuppressedExceptions();
    });

    assertThat(reported.exceptions()).containsExactly(first);
  }

  @Test
  @DisplayName("L3, MP-08: two children fail together: the other is suppressed in the first")
  void l3TwoChildrenFailTogether() throws Exception {
    inTask(() -> {
      try (TaskScope<IOException> scope = TaskScope.open()) {
        forkPair(scope);

        Throwable thrown = catchThrowable(scope::join);

        assertThat(thrown).isIn(first, second);
        assertThat(thrown.getSuppressed()).contains(thrown == first ? second : first);
      }
    });

    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L4, NRX-06: a cancelled sibling fails in its cleanup: suppressed")
  void l4ACancelledSiblingFailsInItsCleanup() throws Exception {
    inTask(() -> {
      try (TaskScope<IOException> scope = TaskScope.open()) {
        var started = new CountDownLatch(1);
        Task<Object, IOException> sibling =
            scope.fork(() -> {
              started.countDown();
              try {
                Thread.sleep(60_000);
              } catch (InterruptedException e) {
                return fail(second);
              }
              return null;
            });
        scope.fork(() -> {
          started.await();
          return fail(first);
        });

        assertThatThrownBy(scope::join).isSameAs(first);

        assertThat(first.getSuppressed()).contains(second);
        assertThat(sibling.cancelReason().orElseThrow().source())
            .isEqualTo(CancelReason.Source.SIBLING_FAILURE);
      }
    });

    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L5: all children fail under a wait-for-all policy: handler, at close")
  void l5AllFailUnderSupervise() throws Exception {
    inTask(() -> {
      try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
        Task<Object, IOException> one = scope.fork(() -> fail(first));
        Task<Object, IOException> two = scope.fork(() -> fail(second));
        scope.join();
        assertThat(one.isDone()).isTrue();
        assertThat(two.isDone()).isTrue();
        assertThat(reported.contexts).isEmpty();
      }
      assertThat(reported.exceptions()).containsExactlyInAnyOrder(first, second);
    });

    assertThat(reported.contexts).hasSize(2);
  }

  @Test
  @DisplayName(
      "L8: failures that sit on tasks after a partial wait: what was awaited is not reported")
  void l8OnlyTheUnreadAreReportedAtClose() throws Exception {
    inTask(() -> {
      try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
        Task<Object, IOException> read = scope.fork(() -> fail(first));
        Task<Object, IOException> unread = scope.fork(() -> fail(second));
        assertThatThrownBy(read::await).isSameAs(first);
        await().until(unread::isDone);
      }
    });

    assertThat(reported.exceptions()).containsExactly(second);
  }

  @Test
  @DisplayName(
      "L13: the owner catches join's exception inside the try: the others are suppressed in it")
  void l13TheOwnerCatchesJoinsException() throws Exception {
    inTask(() -> {
      try (TaskScope<IOException> scope = TaskScope.open()) {
        forkPair(scope);
        Throwable caught = null;
        try {
          scope.join();
        } catch (IOException e) {
          caught = e;
        }
        assertThat(caught).isIn(first, second);
        assertThat(caught.getSuppressed()).contains(caught == first ? second : first);
        assertThat(catchThrowable(scope::join)).isSameAs(caught);
      }
    });

    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L16: StackOverflowError in a child: the same Error, siblings cancelled at once")
  void l16AStackOverflowInAChild() throws Exception {
    inTask(() -> {
      try (TaskScope<RuntimeException> scope = TaskScope.open()) {
        Task<Void, RuntimeException> sibling = scope.fork(() -> Thread.sleep(60_000));
        Task<Object, RuntimeException> child = scope.fork(() -> overflow(0));
        await().until(sibling::isDone);
        assertThat(sibling.isCancelled()).isTrue();

        Throwable thrown = catchThrowable(scope::join);

        assertThat(thrown).isInstanceOf(StackOverflowError.class);
        assertThat(child.exception()).containsSame(thrown);
      }
    });

    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "NRX-07, NRX-12: whose join failed and is not awaited is reported once, its children not")
  void anUnreadParentIsReportedAndItsChildrenAreNot() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> parent =
          loop.createTask(
              "parent",
              () -> {
                try (TaskScope<IOException> scope = TaskScope.open()) {
                  scope.fork(() -> fail(first));
                  scope.join();
                }
                return null;
              });
      await().until(parent::isDone);
    }

    assertThat(reported.exceptions()).containsExactly(first);
    assertThat(reported.contexts.element().future()).isNotNull();
    assertThat(reported.contexts.element().future().name()).isEqualTo("parent");
  }

  @Test
  @DisplayName("L1, MP-12: a scope outside of tasks reports to the default loop's handler")
  void aScopeOutsideOfTasksReportsToTheDefaultLoop() {
    Loop.defaultLoop().setExceptionHandler(reported);
    try (TaskScope<IOException> scope = TaskScope.open()) {
      Task<Object, IOException> child = scope.fork(() -> fail(first));
      await().until(child::isDone);
      scope.close();
    } finally {
      Loop.defaultLoop().setExceptionHandler(null);
    }

    assertThat(reported.exceptions()).containsExactly(first);
  }

  private static Object overflow(int depth) {
    return overflow(depth + 1).toString() + depth;
  }

  private static Object fail(IOException failure) throws IOException {
    throw failure;
  }

  /** Two children that both fail, whichever is first. */
  private void forkPair(TaskScope<IOException> scope) {
    var together = new CountDownLatch(2);
    for (IOException failure : List.of(first, second)) {
      scope.fork(() ->
          Task.shielded(() -> {
            together.countDown();
            together.await();
            return fail(failure);
          }));
    }
  }

  private void inTask(Action<Exception> action) throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          action.run();
          return "done";
        });
  }
}
