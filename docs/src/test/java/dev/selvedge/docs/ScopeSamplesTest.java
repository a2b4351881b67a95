package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.selvedge.Admission;
import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The samples of guide/scopes.md. */
@Timeout(30)
class ScopeSamplesTest {
  private final List<String> log = new CopyOnWriteArrayList<>();

  record Profile(String user, String orders) {}

  // @start region="join"
  Profile profile(String id) throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open()) {
      var user = scope.fork("user", () -> load("user/" + id));
      var orders = scope.fork("orders", () -> load("orders/" + id));
      scope.join();
      return new Profile(user.result(), orders.result());
    }
  }

  // @end

  @Test
  void twoChildrenAreJoined() throws Exception {
    assertThat(Loop.run(() -> profile("7"))).isEqualTo(new Profile("user/7", "orders/7"));
  }

  @Test
  void theFirstFailureIsThrown() {
    assertThatIOException()
        .isThrownBy(() -> Loop.run(() -> profile("missing")))
        .isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aFailingCleanUpIsSuppressedInTheFirstFailure() throws Exception {
    var waiting = new CountDownLatch(1);

    Loop.run(() -> {
      // @start region="suppressed"
      try (TaskScope<IOException> scope = TaskScope.open()) {
        scope.fork(() -> {
          waiting.await();
          throw new FileNotFoundException("user/7");
        });
        scope.fork(() -> {
          try {
            waiting.countDown();
            Thread.sleep(60_000); // interrupted: its sibling has failed
          } finally {
            deleteTemporaryFile();
          }
        });
        scope.join();
      } catch (FileNotFoundException e) {
        log.add(e.getMessage() + ", and then: " + e.getSuppressed()[0].getMessage());
      }
      // @end
    });

    assertThat(log).containsExactly("user/7, and then: cannot delete");
  }

  @Test
  void underSuperviseEachFailureBelongsToWhoeverAwaitsIt() throws Exception {
    List<String> found = new ArrayList<>();
    List<Throwable> reported = new CopyOnWriteArrayList<>();

    inLoop(loop -> {
      loop.setExceptionHandler((of, context) -> reported.add(context.exception()));
      // @start region="supervise"
      try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
        var loads = new ArrayList<Task<String, IOException>>();
        for (String key : List.of("a", "missing", "b")) {
          loads.add(scope.fork(key, () -> load(key)));
        }
        scope.join(); // waits for all of them and throws no failure
        for (var load : loads) {
          load.exception()
              .ifPresentOrElse(
                  failure -> log.add(load.name() + " failed"),
                  () -> log.add(load.name() + " loaded"));
        }
      }
      // @end
      found.addAll(log);
    });

    assertThat(found).containsExactly("a loaded", "missing failed", "b loaded");
    assertThat(reported).isEmpty();
  }

  @Test
  void underSuperviseCloseReportsWhatNobodyRead() throws Exception {
    List<Throwable> reported = new CopyOnWriteArrayList<>();

    inLoop(loop -> {
      loop.setExceptionHandler((of, context) -> reported.add(context.exception()));
      // @start region="supervise-close"
      try (TaskScope<IOException> scope = TaskScope.open(TaskScope.Policy.SUPERVISE)) {
        scope.fork(() -> load("missing"));
        scope.join();
      } // nobody has read it: the handler gets the FileNotFoundException here
      // @end
      assertThat(reported).hasSize(1);
    });

    assertThat(reported).singleElement().isInstanceOf(FileNotFoundException.class);
  }

  @Test
  void aScopeThatHasEnoughIsCancelled() throws Exception {
    List<String> results = new ArrayList<>();

    Loop.run(() -> {
      // @start region="cancel"
      try (TaskScope<IOException> scope = TaskScope.open()) {
        var replica = scope.fork(() -> load("replica"));
        scope.fork(() -> load("slow"));
        String first = replica.await();
        scope.cancel("one answer is enough");
        scope.join(); // nobody has failed, so it returns
        results.add(first);
      }
      // @end
    });

    assertThat(results).containsExactly("replica");
  }

  @Test
  void aForkIntoACancelledScopeIsVisiblyCancelled() throws Exception {
    Loop.run(() -> {
      try (TaskScope<IOException> scope = TaskScope.open()) {
        // @start region="late-fork"
        scope.cancel("closing time");
        var late = scope.fork(() -> load("a"));

        assertThat(late.isCancelled()).isTrue();
        assertThat(late.cancelReason().map(CancelReason::message)).hasValue("closing time");
        // @end
      }
    });
  }

  @Test
  void aLimitMakesForksWait() throws Exception {
    var addresses = Collections.nCopies(20, "a");
    Loop.run(() -> {
      // @start region="admission"
      try (TaskScope<IOException> scope =
          TaskScope.open(Policy.CANCEL_ON_FAILURE, "downloads", Admission.block(8))) {
        for (String address : addresses) {
          scope.fork(() -> load(address)); // waits while eight are alive
        }
        scope.join();
      }
      // @end
    });
  }

  @Test
  void aValueThatWasComputedStaysReadable() throws Exception {
    Loop.run(() -> {
      // @start region="value-after-failure"
      try (TaskScope<IOException> scope = TaskScope.open()) {
        var good = scope.fork(() -> load("a"));
        good.await();
        scope.fork(() -> load("missing"));
        try {
          scope.join();
        } catch (IOException e) {
          log.add(good.result() + " is there, although " + e.getMessage() + " is not");
        }
      }
      // @end
    });

    assertThat(log).containsExactly("a is there, although missing is not");
  }

  private static void deleteTemporaryFile() throws IOException {
    throw new IOException("cannot delete");
  }

  private static String load(String key) throws IOException, InterruptedException {
    if (key.endsWith("missing")) {
      throw new FileNotFoundException(key);
    }
    if (key.equals("slow")) {
      Thread.sleep(60_000);
    }
    return key;
  }
}
