package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.CancelReason;
import dev.selvedge.CancelScope;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The samples of guide/cancellation.md. */
@Timeout(30)
class CancellationSamplesTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch cleaning = new CountDownLatch(1);
  private final CountDownLatch again = new CountDownLatch(1);

  @Test
  void aCancelledTaskTellsWhy() throws Exception {
    inLoop(loop -> {
      var task = loop.createTask("poller", this::serve);
      begun.await();
      // @start region="cancel"
      task.cancel("the user went away");
      try {
        task.await();
      } catch (TaskCancelledException e) {
        CancelReason reason = e.reason();
        log.add(reason.source() + ": " + reason.message());
      }
      // @end
      assertThat(task.isCancelled()).isTrue();
    });

    assertThat(log).containsExactly("REQUEST: the user went away");
  }

  @Test
  void finallyRuns() throws Exception {
    inLoop(loop -> {
      var task =
          loop.createTask(() -> {
            // @start region="finally"
            log.add("open");
            try {
              serve(); // blocks
            } finally {
              log.add("close");
            }
            // @end
          });
      begun.await();
      task.cancel();
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });

    assertThat(log).containsExactly("open", "close");
  }

  @Test
  void aBodyMayDecline() throws Exception {
    inLoop(loop -> {
      // @start region="decline"
      var search =
          loop.createTask(() -> {
            try {
              serve(); // blocks
              return "the best answer";
            } catch (InterruptedException e) {
              return "the best answer so far"; // a value: not cancelled
            }
          });
      // @end
      begun.await();
      assertThat(search.cancel()).isTrue();
      assertThat(search.await()).isEqualTo("the best answer so far");
      assertThat(search.isCancelled()).isFalse();
      assertThat(search.cancelRequests()).isEqualTo(1);
    });
  }

  @Test
  void codeThatNeverBlocksLooksForItself() throws Exception {
    inLoop(loop -> {
      var task =
          loop.createTask(() -> {
            begun.countDown();
            return countPrimes(Long.MAX_VALUE);
          });
      begun.await();
      task.cancel();
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });
  }

  // @start region="check"
  long countPrimes(long limit) throws InterruptedException {
    long primes = 0;
    for (long n = 2; n < limit; n++) {
      if (n % 1000 == 0) {
        Task.checkCancelled();
      }
      if (isPrime(n)) {
        primes++;
      }
    }
    return primes;
  }

  // @end

  private static boolean isPrime(long n) {
    for (long d = 2; d * d <= n; d++) {
      if (n % d == 0) {
        return false;
      }
    }
    return true;
  }

  @Test
  void shieldedCleanUpIsNotInterrupted() throws Exception {
    inLoop(loop -> {
      var task =
          loop.createTask(() -> {
            // @start region="shielded"
            try {
              serve();
            } finally {
              Task.shielded(() -> {
                rollBack(); // blocks too, and a second cancel does not interrupt it
              });
            }
            // @end
          });
      begun.await();
      task.cancel("first");
      cleaning.await();
      task.cancel("second");
      again.countDown();
      assertThatThrownBy(task::await)
          .isInstanceOfSatisfying(
              TaskCancelledException.class,
              e -> assertThat(e.reason().message()).isEqualTo("first"));
      assertThat(task.cancelRequests()).isEqualTo(2);
    });

    assertThat(log).containsExactly("rolled back");
  }

  private void rollBack() throws InterruptedException {
    cleaning.countDown();
    again.await();
    log.add("rolled back");
  }

  @Test
  void theNarrowCatchLetsTheCancellationThrough() throws Exception {
    inLoop(loop -> {
      var task = loop.createTask(this::pollForEver);
      while (log.isEmpty()) {
        Thread.sleep(1);
      }
      task.cancel("enough");
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    });

    assertThat(log).contains("poll failed: no route to host");
  }

  // @start region="narrow-catch"
  void pollForEver() throws InterruptedException {
    while (true) {
      try {
        poll();
      } catch (IOException e) { // not Exception: that swallows the interrupt of a blocking call
        log.add("poll failed: " + e.getMessage());
      }
      Thread.sleep(10);
    }
  }

  // @end

  private void poll() throws IOException, InterruptedException {
    Thread.sleep(1);
    throw new IOException("no route to host");
  }

  @Test
  void aHandledRequestIsTakenBack() throws Exception {
    inLoop(loop -> {
      var task =
          loop.createTask(() -> {
            Task<?, ?> self = Task.current().orElseThrow();
            // @start region="uncancel"
            try {
              serve();
            } catch (InterruptedException e) {
              // this code knows who asked, and the request was meant for serve alone
              self.uncancel();
            }
            // @end
            return self.cancelRequests();
          });
      begun.await();
      task.cancel("wake up");
      assertThat(task.await()).isZero();
    });
  }

  @Test
  void aCancelScopeEndsOneBodyAndNoMore() throws Exception {
    inLoop(loop -> {
      // @start region="cancel-scope"
      CancelScope attempt = CancelScope.create();
      loop.createTask(
          "watchdog",
          () -> {
            awaitStall();
            attempt.cancel("no progress");
          });
      try {
        attempt.run(this::serve); // in this thread
      } catch (TaskCancelledException e) {
        log.add("gave up: " + e.reason().message());
      }
      log.add("still running"); // the task itself was not cancelled
      // @end
      Task.checkCancelled();
    });

    assertThat(log).containsExactly("gave up: no progress", "still running");
  }

  private void serve() throws InterruptedException {
    begun.countDown();
    Thread.sleep(60_000);
  }

  private void awaitStall() throws InterruptedException {
    begun.await();
  }

  @Test
  void cancellationGoesDownTheScopes() throws Exception {
    inLoop(loop -> {
      // @start region="downward"
      var parent =
          loop.createTask(
              "parent",
              () -> {
                try (TaskScope<RuntimeException> scope = TaskScope.open()) {
                  scope.fork("child", this::serveAndTell);
                  scope.join(); // waits for the child also when it is interrupted
                }
              });
      begun.await(); // the child is running
      parent.cancel("shift is over"); // interrupts parent and child
      // @end
      assertThatThrownBy(parent::await).isInstanceOf(TaskCancelledException.class);
    });

    assertThat(log).containsExactly("PARENT: shift is over");
  }

  private void serveAndTell() throws InterruptedException {
    try {
      serve();
    } finally {
      log.add(
          Task.current()
              .flatMap(Task::cancelReason)
              .map(reason -> reason.source() + ": " + reason.message())
              .orElse("not cancelled"));
    }
  }
}
