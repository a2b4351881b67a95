package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class AwaitCircleTest {
  private final Threads.Reported reported = new Threads.Reported();

  @Test
  @DisplayName("EXC-16: of two tasks that await each other one fails at once, naming the circle")
  void aCircleOfTwoFailsAtOnce() throws Exception {
    var known = new CountDownLatch(1);
    var other = new AtomicReference<Task<?, ?>>();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Throwable, RuntimeException> one =
          loop.createTask(
              "one",
              () -> {
                known.await();
                return catchThrowable(other.get()::await);
              });
      Task<Throwable, RuntimeException> two =
          loop.createTask("two", () -> catchThrowable(one::await));
      other.set(two);
      known.countDown();

      Throwable ofOne = one.await();
      Throwable ofTwo = two.await();

      assertThat(ofOne == null ? ofTwo : ofOne)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("one")
          .hasMessageContaining("two");
      assertThat(ofOne == null || ofTwo == null).isTrue();
    }
  }

  @Test
  @Tag("slow")
  @DisplayName("EXC-16: cancelling at the end of a long chain of awaits needs no stack")
  void aLongChainOfAwaitsIsNotWalkedRecursively() throws Exception {
    int length = Threads.PLATFORM ? 300 : 5_000;
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> last = loop.createTask(() -> Thread.sleep(60_000));
      Task<Throwable, RuntimeException> end = loop.createTask(() -> catchThrowable(last::await));
      for (int i = 0; i < length; i++) {
        Task<Throwable, RuntimeException> next = end;
        end = loop.createTask(() -> next.await());
      }

      assertThat(last.cancel("the end")).isTrue();

      assertThat(end.await()).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(reported.contexts).isEmpty();
  }
}
