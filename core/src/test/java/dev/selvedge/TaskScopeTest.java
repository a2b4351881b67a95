package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Oracle.class)
class TaskScopeTest {
  private final Threads.Reported reported = new Threads.Reported();

  private void inTask(Action<Exception> body) throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.<Exception>runUntilComplete(body);
    }
  }

  @Test
  @DisplayName("join may be called twice, and forks may follow it")
  void joinTwiceAndForkAfterJoin() throws Exception {
    inTask(() -> {
      try (var scope = TaskScope.<IOException>open()) {
        scope.join();
        Task<String, IOException> first = scope.fork(() -> "first");
        scope.join();
        scope.join();
        Task<String, IOException> second = scope.fork("named", () -> first.await() + ", second");
        scope.join();
        assertThat(second.result()).isEqualTo("first, second");
        assertThat(second.name()).isEqualTo("named");
      }
    });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("every join after a failure throws the same exception")
  void everyJoinThrowsTheSame() throws Exception {
    var failure = new IOException("first");
    inTask(() -> {
      try (var scope = TaskScope.<IOException>open()) {
        Task<Void, IOException> child =
            scope.fork(() -> {
              throw failure;
            });
        assertThatThrownBy(scope::join).isSameAs(failure);
        assertThatThrownBy(scope::join).isSameAs(failure);
        assertThatThrownBy(child::await).isSameAs(failure);
      }
    });
    assertThat(Suppressed.in(failure)).isEmpty();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("children and foreign threads may fork")
  void forkFromOtherThreads() throws Exception {
    inTask(() -> {
      try (var scope = TaskScope.<Exception>open()) {
        Task<Task<String, Exception>, Exception> child =
            scope.fork(() -> scope.fork(() -> "by a child"));
        var foreign = new CompletableFuture<Task<String, Exception>>();
        Thread thread =
            Thread.ofVirtual().start(() -> foreign.complete(scope.fork(() -> "by a thread")));
        thread.join();
        scope.join();
        assertThat(child.result().result()).isEqualTo("by a child");
        assertThat(foreign.join().result()).isEqualTo("by a thread");
      }
    });
  }

  @Test
  @DisplayName("join and close belong to the thread that opened the scope")
  void joinAndCloseBelongToTheOwner() throws Exception {
    inTask(() -> {
      try (var scope = TaskScope.<Exception>open()) {
        Task<Void, Exception> child =
            scope.fork(() -> {
              assertThatThrownBy(scope::join).isInstanceOf(WrongThreadException.class);
              assertThatThrownBy(scope::close).isInstanceOf(WrongThreadException.class);
            });
        child.await();
      }
    });
  }

  @Test
  @DisplayName("a closed scope refuses fork and join, and may be closed again")
  void aClosedScope() throws Exception {
    inTask(() -> {
      var scope = TaskScope.<Exception>open();
      scope.close();

      assertThatThrownBy(() -> scope.fork(() -> "late")).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(scope::join).isInstanceOf(IllegalStateException.class);
      scope.close();
      assertThat(scope.toString()).contains("closed");
    });
  }

  @Test
  @DisplayName("cancel(message) cancels the children with that reason; join returns normally")
  void cancelWithAMessage() throws Exception {
    inTask(() -> {
      try (var scope = TaskScope.<Exception>open()) {
        Task<Void, Exception> child = scope.fork(() -> Thread.sleep(60_000));
        scope.cancel("enough");
        scope.cancel("again");
        scope.join();

        assertThat(child.isCancelled()).isTrue();
        assertThat(child.cancelRequests()).isOne();
        assertThat(child.cancelReason()).map(CancelReason::message).contains("enough");
        assertThat(scope.toString()).contains("enough");
      }
    });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("close cancels what is left and waits for it, also when interrupted")
  void closeCancelsAndWaits() throws Exception {
    var gate = new Gate();
    var started = new CountDownLatch(1);
    var cancelled = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    inTask(() -> {
      Thread owner = Thread.currentThread();
      Task<Void, Exception> child;
      try (var scope = TaskScope.<Exception>open()) {
        child =
            scope.fork(() -> {
              started.countDown();
              try {
                Thread.sleep(60_000);
              } finally {
                cancelled.countDown();
                gate.pass();
                ended.countDown();
              }
            });
        started.await();
        var unused =
            Thread.ofVirtual()
                .start(() -> {
                  Awaitility.await().until(() -> cancelled.getCount() == 0);
                  owner.interrupt();
                  gate.open();
                });
      }
      assertThat(ended.getCount()).isZero();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(child.isCancelled()).isTrue();
    });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("cancelling the owner cancels every descendant, with the message of the request")
  void cancellationGoesDown() throws Exception {
    var grandchild = new CompletableFuture<Task<?, ?>>();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, Exception> owner =
          loop.createTask(() -> {
            try (var outer = TaskScope.<Exception>open()) {
              Task<Void, Exception> unused =
                  outer.fork(() -> {
                    try (var inner = TaskScope.<Exception>open()) {
                      grandchild.complete(inner.fork(() -> Thread.sleep(60_000)));
                      inner.join();
                    }
                  });
              outer.join();
            }
          });
      Task<?, ?> deepest = grandchild.get();

      owner.cancel("from above");

      assertThatThrownBy(owner::await).isInstanceOf(TaskCancelledException.class);
      assertThat(deepest.isCancelled()).isTrue();
      assertThat(deepest.cancelRequests()).isOne();
      assertThat(deepest.cancelReason())
          .contains(new CancelReason(CancelReason.Source.PARENT, "from above", null));
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a join throws although the children end before their owner's interrupt is sent")
  void cancelledWithItsChildren() throws Exception {
    var gate = new Gate();
    var joined = new CountDownLatch(1);
    LoopListener slow =
        new LoopListener() {
          @Override
          public void cancelled(Task<?, ?> task, CancelReason reason) {
            if (task.name().equals("child")) {
              gate.open();
              try {
                task.awaitDone();
                assertThat(joined.await(20, TimeUnit.MILLISECONDS)).isFalse();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            }
          }
        };
    try (Loop loop = Threads.builder().exceptionHandler(reported).listener(slow).build()) {
      loop.<Exception>runUntilComplete(() -> {
        try (var outer = TaskScope.<RuntimeException>open()) {
          Task<Void, RuntimeException> owner =
              outer.fork(() -> {
                try (var scope = TaskScope.<RuntimeException>open(TaskScope.Policy.SUPERVISE)) {
                  scope.fork("child", gate::pass);
                  scope.join();
                  joined.countDown();
                }
              });
          Gate.awaitBlocked(owner);
          outer.cancel("both");
          assertThatThrownBy(owner::await).isInstanceOf(TaskCancelledException.class);
        }
      });
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("SUPERVISE: join throws nothing and siblings go on; close reports what nobody read")
  void supervise() throws Exception {
    var read = new IOException("read");
    var unread = new IOException("unread");
    inTask(() -> {
      Task<Void, IOException> unreadTask;
      try (var scope = TaskScope.<IOException>open(TaskScope.Policy.SUPERVISE)) {
        Task<Void, IOException> readTask =
            scope.fork(() -> {
              throw read;
            });
        unreadTask =
            scope.fork(() -> {
              throw unread;
            });
        assertThatThrownBy(readTask::await).isSameAs(read);
        Task<String, IOException> sibling = scope.fork(() -> "untouched");
        scope.join();
        assertThat(sibling.result()).isEqualTo("untouched");
        assertThat(reported.contexts).isEmpty();
      }
      assertThat(reported.exceptions()).containsExactly(unread);
      assertThatThrownBy(unreadTask::result).isSameAs(unread);
    });
    assertThat(reported.exceptions()).containsExactly(unread);
    assertThat(Suppressed.in(unread)).isEmpty();
  }

  @Test
  @DisplayName("SUPERVISE: a cancelled child is neither a failure nor a report")
  void superviseWithACancelledChild() throws Exception {
    inTask(() -> {
      try (var scope = TaskScope.<IOException>open(TaskScope.Policy.SUPERVISE)) {
        Task<Void, IOException> child = scope.fork(() -> Thread.sleep(60_000));
        child.cancel("not needed");
        scope.join();
        assertThat(child.isCancelled()).isTrue();
      }
    });
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("a cancelled child does not cancel its siblings nor fail the join")
  void aCancelledChildLeavesItsSiblingsAlone() throws Exception {
    inTask(() -> {
      try (var scope = TaskScope.<IOException>open()) {
        Task<Void, IOException> cancelled = scope.fork(() -> Thread.sleep(60_000));
        cancelled.cancel();
        Task<String, IOException> sibling = scope.fork(() -> "untouched");
        scope.join();
        assertThat(sibling.result()).isEqualTo("untouched");
      }
    });
    assertThat(reported.contexts).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"3|user, orders\\n, basket", "5|user, orders\\n, basket and 2 more"})
  @DisplayName("what an interrupted join throws names the children that it waited for")
  void anInterruptedJoinNamesWhatItWaitedFor(int children, String named) throws Exception {
    List<String> names = List.of("user", "orders\n", "basket", "offers", "news");
    var begun = new CountDownLatch(children);
    try (Loop loop = Threads.builder().build()) {
      Task<Void, Exception> task =
          loop.createTask(() -> {
            try (TaskScope<InterruptedException> scope =
                TaskScope.open(TaskScope.Policy.SUPERVISE, "page")) {
              scope.fork("quick", () -> "value");
              scope.join();
              for (String name : names.subList(0, children)) {
                scope.fork(
                    name,
                    () -> {
                      begun.countDown();
                      Thread.sleep(60_000);
                    });
              }
              scope.join();
            }
          });
      begun.await();
      Gate.awaitBlocked(task);

      task.cancel("enough");

      assertThatThrownBy(task::await)
          .cause()
          .isInstanceOf(InterruptedException.class)
          .hasMessageStartingWith("interrupted while joining TaskScope[page, SUPERVISE, ")
          .hasMessageEndingWith(", which waited for " + named);
    }
  }
}
