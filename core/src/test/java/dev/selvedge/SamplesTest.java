package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.TaskScope.Policy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The examples of the Javadoc. */
@ExtendWith(Oracle.class)
class SamplesTest {
  private static String fetch(String page) throws IOException {
    if (page.equals("missing")) {
      throw new IOException("no such page");
    }
    return "<" + page + ">";
  }

  @Test
  void aFailureIsThrownWhereTheTaskIsAwaited() throws Exception {
    String page = Loop.run(() -> fetchOrApologise("missing"));

    assertThat(page).isEqualTo("sorry: no such page");
  }

  private static String fetchOrApologise(String page) throws InterruptedException {
    // @start region="await"
    var task = Task.create(() -> fetch(page));
    try {
      return task.await();
    } catch (IOException e) {
      return "sorry: " + e.getMessage();
    }
    // @end
  }

  @Test
  void aScopeWaitsForItsChildren() throws Exception {
    assertThat(both()).isEqualTo("<a><b>");
  }

  private static String both() throws IOException, InterruptedException {
    // @start region="scope"
    try (TaskScope<IOException> scope = TaskScope.open()) {
      var a = scope.fork(() -> fetch("a"));
      var b = scope.fork(() -> fetch("b"));
      scope.join();
      return a.result() + b.result();
    }
    // @end
  }

  @Test
  void aCancelScopeEndsJustItsBody() throws Exception {
    assertThat(giveUp()).isEqualTo("gave up: too slow");
  }

  private static String giveUp() throws InterruptedException {
    // @start region="cancel-scope"
    CancelScope scope = CancelScope.create();
    try (TaskScope<RuntimeException> watchers = TaskScope.open()) {
      watchers.fork(() -> scope.cancel("too slow"));
      return scope.call(() -> {
        new CountDownLatch(1).await();
        return "never";
      });
    } catch (TaskCancelledException e) {
      return "gave up: " + e.reason().message();
    }
    // @end
  }

  @Test
  void runCancelsWhatIsLeftAndWaitsForIt() throws Exception {
    assertThat(runMain()).isEqualTo("<a>");
  }

  private static String runMain() throws IOException, InterruptedException {
    // @start region="run"
    return Loop.run(loop -> {
      loop.launch("heartbeat", () -> new CountDownLatch(1).await());
      return fetch("a");
    });
    // @end
  }

  @Test
  void aTimeoutCancelsItsBody() throws Exception {
    assertThat(limited()).isEqualTo("too slow");
  }

  private static String limited() throws InterruptedException {
    // @start region="timeout"
    try {
      return Timeout.within(
          Duration.ofMillis(10),
          () -> {
            new CountDownLatch(1).await();
            return "never";
          });
    } catch (TimeoutException e) {
      return "too slow";
    }
    // @end
  }

  @Test
  void aSnapshotShowsWhoAwaitsWhom() throws Exception {
    String drawing = Loop.run(SamplesTest::draw);

    assertThat(drawing).contains("task reader (").contains("awaits writer (");
  }

  private static String draw(Loop loop) throws InterruptedException {
    // @start region="snapshot"
    var writer = loop.createTask("writer", () -> new CountDownLatch(1).await());
    var reader = loop.createTask("reader", () -> writer.await());
    Gate.awaitBlocked(reader);
    return loop.snapshot().toString();
    // @end
  }

  @Test
  void anAdmissionLimitsALoop() throws Exception {
    assertThat(served()).isEqualTo(100);
  }

  private static int served() throws InterruptedException {
    var served = new AtomicInteger();
    // @start region="admission"
    try (var scope =
        TaskScope.<RuntimeException>open(Policy.SUPERVISE, "requests", Admission.block(8))) {
      for (int i = 0; i < 100; i++) {
        scope.fork(() -> served.incrementAndGet()); // waits while eight run
      }
      scope.join();
    }
    // @end
    return served.get();
  }

  @Test
  void aClockIsMovedByHand() throws Exception {
    assertThat(tomorrow()).isEqualTo("tomorrow");
  }

  private static String tomorrow() throws InterruptedException {
    // @start region="clock"
    var clock = new ManualClock(); // your own: a class that implements LoopClock
    try (Loop loop = Loop.builder().clock(clock).build()) {
      Task<String, RuntimeException> sleeper =
          loop.createTask(() -> {
            Task.sleep(Duration.ofDays(1));
            return "tomorrow";
          });
      clock.awaitArmed(1);
      clock.advance(Duration.ofDays(1));
      return sleeper.await();
    }
    // @end
  }

  private static final ThreadLocal<String> USER = new ThreadLocal<>();

  @Test
  void aCarrierTakesTheContextAlong() throws Exception {
    try (Loop loop = Loop.builder().carry(new UserCarrier()).build()) {
      USER.set("ada");
      try {
        assertThat(loop.createTask(USER::get).await()).isEqualTo("ada");
      } finally {
        USER.remove();
      }
    }
  }

  // @start region="carrier"
  private static final class UserCarrier implements ContextCarrier {
    @Override
    public <T extends @Nullable Object, X extends Exception> Body<T, X> carry(Body<T, X> body) {
      String user = USER.get();
      return () -> {
        String before = USER.get();
        USER.set(user);
        try {
          return body.call();
        } finally {
          USER.set(before);
        }
      };
    }
  }
  // @end
}
