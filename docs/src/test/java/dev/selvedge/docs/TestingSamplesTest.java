package dev.selvedge.docs;

import static dev.selvedge.testkit.SelvedgeAssertions.assertThat;
import static dev.selvedge.testkit.SelvedgeAssertions.expectOrphan;
import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.gather.Backoff;
import dev.selvedge.gather.Gather;
import dev.selvedge.gather.RestartLimitException;
import dev.selvedge.gather.Supervisor;
import dev.selvedge.testkit.ManualClock;
import dev.selvedge.testkit.Quiescence;
import dev.selvedge.testkit.SelvedgeExtension;
import dev.selvedge.testkit.Sequencer;
import dev.selvedge.testkit.TimeLimit;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The samples of guide/testing.md. */
class TestingSamplesTest {
  private static String fetch(String path) throws IOException {
    if (path.isEmpty()) {
      throw new IOException("no such page");
    }
    return "<" + path + ">";
  }

  @Nested
  // @start region="extension"
  @ExtendWith(SelvedgeExtension.class)
  class FrontPageTest {
    @Test
    void partsAreInOrder() throws Exception {
      List<String> parts = Gather.gather(() -> fetch("head"), () -> fetch("body"));

      assertThat(parts).containsExactly("<head>", "<body>");
    }
  }

  // @end

  @Nested
  @ExtendWith(SelvedgeExtension.class)
  class Others {
    private int attempts;

    // @start region="orphan"
    @Test
    @TimeLimit(5) // seconds
    void aFailureOfMetricsIsReported(Loop loop) throws Exception {
      loop.launch("metrics", () -> fetch(""));

      assertThat(expectOrphan(IOException.class)).hasMessage("no such page");
    }

    // @end

    private String poll() throws IOException {
      return fetch(++attempts < 5 ? "" : "ready");
    }

    // @start region="backoff"
    private String pollUntilReady() throws InterruptedException {
      for (Duration wait = Duration.ofSeconds(1); ; wait = wait.multipliedBy(2)) {
        try {
          return poll();
        } catch (IOException notYet) {
          Task.sleep(wait);
        }
      }
    }

    @Test
    void waitsTwiceAsLongEachTime(Loop loop, ManualClock clock) {
      Task<String, RuntimeException> page = loop.createTask(this::pollUntilReady);

      assertThat(page).succeededWith("<ready>");
      assertThat(clock.elapsed()).isEqualTo(Duration.ofSeconds(1 + 2 + 4 + 8));
    }

    // @end

    // @start region="elapse"
    @Test
    void refreshesEachMinute(Loop loop, ManualClock clock) throws Exception {
      List<Duration> refreshed = new CopyOnWriteArrayList<>();
      Task<Void, RuntimeException> refresh =
          loop.createTask(
              () -> Gather.every(Duration.ofMinutes(1), () -> refreshed.add(clock.elapsed())));

      clock.elapse(Duration.ofMinutes(2));

      assertThat(refreshed)
          .containsExactly(Duration.ZERO, Duration.ofMinutes(1), Duration.ofMinutes(2));
      refresh.cancel();
    }

    // @end

    // @start region="supervisor"
    @Test
    void connectsAgainAfterOneSecondAndThenTwo(Loop loop, ManualClock clock) throws Exception {
      List<Duration> connected = new CopyOnWriteArrayList<>();
      Supervisor supervisor =
          Supervisor.builder()
              .backoff(Backoff.exponential(Duration.ofSeconds(1), Duration.ofMinutes(1)).jitter(0))
              .build()
              .add(
                  "connection",
                  () -> {
                    connected.add(clock.elapsed());
                    fetch(connected.size() < 3 ? "" : "page");
                    new CountDownLatch(1).await();
                  });
      Task<Void, RestartLimitException> task = loop.createTask(supervisor);

      clock.elapse(Duration.ofMinutes(1));

      assertThat(connected)
          .containsExactly(Duration.ZERO, Duration.ofSeconds(1), Duration.ofSeconds(3));
      expectOrphan(IOException.class); // the handler is told of each failure of a child
      expectOrphan(IOException.class);
      task.cancel();
    }

    // @end

    @Test
    void hedgesGoByTheClock(ManualClock clock) throws Exception {
      var never = new CountDownLatch(1);
      var attempts = new AtomicInteger();
      assertThat(
              Gather.<Integer, Exception>hedge(
                  Duration.ofHours(1),
                  2,
                  () -> {
                    int attempt = attempts.incrementAndGet();
                    if (attempt == 1) {
                      never.await();
                    }
                    return attempt;
                  }))
          .isEqualTo(2);
      assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
    }

    // @start region="injected"
    static final class Importer {
      private final Loop loop;

      Importer(Loop loop) { // in production the loop of the program, here the test's
        this.loop = loop;
      }

      void start(String page) {
        loop.launch("import " + page, () -> fetch(page));
      }
    }

    @Test
    void aFailedImportIsReported(Loop loop) throws Exception {
      new Importer(loop).start("");

      assertThat(expectOrphan(IOException.class)).hasMessage("no such page");
    }

    // @end

    // @start region="sequencer"
    @Test
    void theReaderSeesWhatTheWriterWrote(Loop loop) throws Exception {
      Sequencer steps = Sequencer.of("written", "read");
      List<String> page = new CopyOnWriteArrayList<>();
      Task<String, RuntimeException> reader =
          loop.createTask(
              "reader",
              () -> {
                steps.await("written");
                return page.getFirst();
              });
      loop.createTask("writer", () -> steps.step("written", () -> page.add("hello")));

      assertThat(reader).succeededWith("hello");
    }

    // @end

    @Test
    void assertions(Loop loop) {
      // @start region="assertions"
      Task<String, IOException> page = loop.createTask(() -> fetch("head"));
      Task<String, IOException> missing = loop.createTask(() -> fetch(""));
      Task<Void, RuntimeException> endless =
          loop.createTask("endless", () -> Thread.sleep(Duration.ofDays(1)));

      assertThat(page).succeededWith("<head>");
      assertThat(missing).failedWith(IOException.class).hasMessage("no such page");
      assertThat(endless).isBlocked().isRunning();
      endless.cancel("enough");
      assertThat(endless).wasCancelledBecause(CancelReason.Source.REQUEST, "enough");
      // @end
    }
  }

  @Nested
  class RegisteredTest {
    // @start region="registered"
    @RegisterExtension
    final SelvedgeExtension selvedge =
        SelvedgeExtension.builder()
            .loop(loop -> loop.debug(true)) // what is to be different about the loop
            .clock(ManualClock::new) // stands still until the test moves it
            .limit(Duration.ofSeconds(10))
            .build();

    // @end

    @Test
    void standsStill(ManualClock clock) {
      assertThat(clock.elapsed()).isZero();
    }
  }

  @Test
  void quiescence() throws Exception {
    // @start region="quiescence"
    Loop.run(loop -> Gather.gather(() -> fetch("head"), () -> fetch("body")));
    Quiescence.assertQuiescent(); // no task, scope, timer or unread failure in the process
    // @end
  }
}
