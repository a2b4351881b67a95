package dev.selvedge.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class QuiescenceTest {
  private final CountDownLatch gate = new CountDownLatch(1);

  @Test
  void whatIsLeftIsListed() throws Exception {
    var failure = new IllegalStateException("unread");
    var handler = new RecordingHandler();
    Loop loop =
        Loop.builder().name("orders").handleSignals(false).exceptionHandler(handler).build();
    LoopClock.Alarm alarm = LoopClock.system().schedule(() -> {}, Duration.ofHours(1));
    TaskScope<RuntimeException> scope = TaskScope.open();
    Loop byDefault = Loop.current();
    try {
      loop.createTask("waiter", () -> gate.await());
      Task<Void, RuntimeException> failed =
          loop.createTask(() -> {
            throw failure;
          });
      failed.awaitDone();
      byDefault.setExceptionHandler(handler);
      Thread.currentThread().interrupt();

      assertThat(catchThrowable(Quiescence::assertQuiescent))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("1 tasks are alive:\nloop orders")
          .hasMessageContaining("task waiter")
          .hasMessageContaining("scopes are open outside of tasks: [TaskScope[")
          .hasMessageContaining("failures are unread: [java.lang.IllegalStateException: unread]")
          .hasMessageContaining("1 timers are armed")
          .hasMessageContaining("the default loop has the handler RecordingHandler[]")
          .hasMessageContaining("the interrupt flag of main is set")
          .hasSuppressedException(failure);
      assertThat(catchThrowable(() -> Quiescence.assertQuiescent(loop)))
          .hasMessageContaining("task waiter")
          .hasMessageNotContaining("timers")
          .hasSuppressedException(failure);
      assertThat(failed.isDone()).isTrue();
    } finally {
      gate.countDown();
      byDefault.setExceptionHandler(null);
      scope.close();
      alarm.cancel();
      loop.close();
    }
    assertThat(handler.exceptions()).containsExactly(failure);
    Quiescence.assertQuiescent(loop);
    Quiescence.assertQuiescent();
  }

  @Test
  void whatIsAboutToEndIsGivenTime() {
    try (Loop loop = Loop.builder().handleSignals(false).build()) {
      loop.createTask(() -> Thread.sleep(50));
      Quiescence.assertQuiescent(loop);
    }
  }
}
