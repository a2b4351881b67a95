package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class CallbackFailureTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final List<String> calls = new CopyOnWriteArrayList<>();

  @Test
  @DisplayName("EXC-12: the same callback registered twice runs twice")
  void theSameCallbackRegisteredTwiceRunsTwice() throws Exception {
    var release = new CountDownLatch(1);
    Consumer<Task<?, ?>> callback = task -> calls.add("called");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> release.await());
      task.onDone(callback).onDone(callback);

      release.countDown();
      task.await();
    }

    assertThat(calls).containsExactly("called", "called");
  }

  @Test
  @DisplayName("EXC-12: a callback that registers another during the dispatch is safe")
  void aCallbackMayRegisterAnother() throws Exception {
    var release = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> release.await());
      task.onDone(
              ended -> {
                calls.add("first");
                ended.onDone(again -> calls.add("third"));
              })
          .onDone(ended -> calls.add("second"));

      release.countDown();
      task.await();
    }

    assertThat(calls).containsExactly("first", "second", "third");
  }

  @Test
  @DisplayName("EXC-13, L10: a callback that throws goes to the handler and changes nothing else")
  void aCallbackThatThrowsChangesNothingElse() throws Exception {
    var release = new CountDownLatch(1);
    var broken = new IllegalArgumentException("callback");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            release.await();
            return "value";
          });
      task.onDone(
              ended -> {
                throw broken;
              })
          .onDone(ended -> calls.add("later"));

      release.countDown();

      assertThat(task.await()).isEqualTo("value");
    }
    assertThat(calls).containsExactly("later");
    assertThat(reported.exceptions()).containsExactly(broken);
    ExceptionContext context = reported.contexts.element();
    assertThat(context.message()).contains("callback");
    assertThat(context.future()).isNotNull();
  }

  @Test
  @DisplayName("L10: a completion callback throws: handler; outcome and later callbacks untouched")
  void l10ACompletionCallbackThrows() throws Exception {
    var broken = new StackOverflowError("callback");
    var value =
        Threads.<String, Exception>run(
            reported,
            loop -> {
              try (TaskScope<IOException> scope = TaskScope.open()) {
                var release = new CountDownLatch(1);
                Task<String, IOException> child =
                    scope.fork(() -> {
                      release.await();
                      return "value";
                    });
                child
                    .onDone(ended -> {
                      throw broken;
                    })
                    .onDone(ended -> calls.add("later"));
                release.countDown();
                scope.join();
                assertThat(calls).containsExactly("later");
                assertThat(reported.exceptions()).containsExactly(broken);
                return child.result();
              }
            });

    assertThat(value).isEqualTo("value");
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("EXC-13: on an ended task a callback runs at once in the caller, failing or not")
  void onAnEndedTaskTheCallbackRunsAtOnceInTheCaller() throws Exception {
    var broken = new IllegalArgumentException("late callback");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> task = loop.createTask(() -> "value");
      task.await();

      task.onDone(ended -> calls.add(Thread.currentThread().getName()));
      task.onDone(ended -> {
        throw broken;
      });

      assertThat(calls).containsExactly(Thread.currentThread().getName());
      assertThat(reported.exceptions()).containsExactly(broken);
      assertThat(task.result()).isEqualTo("value");
    }
  }

  @Test
  @DisplayName("EXC-13: every broken callback of a failed task is reported, and the failure too")
  void aFailureAndItsBrokenCallbacksAreAllReported() {
    var failure = new IOException("body");
    var one = new IllegalArgumentException("one");
    var two = new AssertionError("two");
    var registered = new CountDownLatch(1);
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Object, IOException> task =
          loop.createTask(() -> {
            assertThat(registered.await(10, TimeUnit.SECONDS)).isTrue();
            throw failure;
          });
      task.onDone(
              ended -> {
                throw one;
              })
          .onDone(ended -> {
            throw two;
          });
      registered.countDown();
      await().until(task::isDone);
    }

    assertThat(reported.exceptions()).containsExactly(one, two, failure);
  }

  @Test
  @DisplayName("a scope that a callback leaves open is closed before the next one is called")
  void aScopeLeftOpenByACallback() throws Exception {
    var gate = new Gate();
    var left = new AtomicReference<TaskScope<Exception>>();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> task = loop.createTask(gate::pass);
      task.onDone(_ -> left.set(TaskScope.open()));
      task.onDone(_ -> calls.add(left.get().isClosed() ? "closed" : "open"));
      gate.open();
      task.await();
    }

    assertThat(calls).containsExactly("closed");
  }
}
