package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class ListedTest {
  private static final int FORKERS = 8;
  private static final int EACH = Threads.times(Threads.PLATFORM ? 100 : 2_000);

  @Test
  @DisplayName("tasks that several threads fork at once are all found, and all cancelled")
  void allAreFound() throws Exception {
    var begun = new CountDownLatch(FORKERS * EACH);
    var ended = new CountDownLatch(FORKERS * EACH);
    try (Loop loop = Threads.builder().build()) {
      var forkers = new ArrayList<Thread>();
      for (int i = 0; i < FORKERS; i++) {
        forkers.add(
            Thread.ofVirtual()
                .start(() -> {
                  for (int j = 0; j < EACH; j++) {
                    loop.launch(() -> {
                      begun.countDown();
                      try {
                        new CountDownLatch(1).await();
                      } finally {
                        ended.countDown();
                      }
                    });
                  }
                }));
      }
      for (Thread forker : forkers) {
        forker.join();
      }
      begun.await();

      List<Long> ids = loop.unendedTasks().stream().map(TaskImpl::id).toList();

      assertThat(ids).hasSize(FORKERS * EACH).doesNotHaveDuplicates();
      assertThat(ids).isSortedAccordingTo((a, b) -> Long.compare(b, a));
    }
    assertThat(ended.getCount()).isZero();
  }

  @Test
  @DisplayName("a busy loop holds no task that has ended, nor its value")
  void nothingHoldsTheEnded() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      var open = new CountDownLatch(1);
      Task<?, ?> busy = loop.createTask(() -> open.await());
      var value = new WeakReference<>(valueOfEnded(loop));

      Awaitility.await()
          .untilAsserted(() -> {
            System.gc();
            assertThat(value.get()).isNull();
          });

      open.countDown();
      busy.awaitDone();
    }
  }

  @Test
  @DisplayName("the handle of an ended task holds nothing of its loop's list")
  void handlesHoldNothing() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      Task<String, RuntimeException> kept = loop.createTask(() -> "value");
      kept.await();

      Awaitility.await().until(() -> ((ListedTask<?, ?>) kept).chunk == null);
    }
  }

  @Test
  @DisplayName("an open scope of many forks lets go of those that have ended, and of no other")
  void scopesForget() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      loop.runUntilComplete(() -> {
        var gate = new Gate();
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          var early = (TaskImpl<?, ?>) scope.fork(gate::pass);
          var value = new WeakReference<>(scope.fork(Object::new).await());
          for (int i = 0; i < 3_000; i++) {
            scope.fork(() -> "short").await();
          }

          Awaitility.await()
              .untilAsserted(() -> {
                System.gc();
                assertThat(value.get()).isNull();
              });
          assertThat(scope.unendedTasks()).contains(early);
          gate.open();
          scope.join();
        }
      });
    }
  }

  private static Object valueOfEnded(Loop loop) throws InterruptedException {
    return loop.createTask(() -> new Object()).await();
  }
}
