package dev.selvedge.testkit;

import static dev.selvedge.testkit.SelvedgeAssertions.assertThat;
import static dev.selvedge.testkit.SelvedgeAssertions.expectOrphan;
import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The samples of the Javadoc. */
class SamplesTest {
  private static String fetch(String path) throws IOException {
    if (path.isEmpty()) {
      throw new IOException("nothing to fetch");
    }
    return "<" + path + ">";
  }

  @Nested
  // @start region="extension"
  @ExtendWith(SelvedgeExtension.class)
  class FrontPageTest {
    @Test
    void partsAreFetchedTogether() throws Exception {
      try (TaskScope<IOException> scope = TaskScope.open()) { // belongs to the test's loop
        Task<String, IOException> head = scope.fork(() -> fetch("head"));
        Task<String, IOException> body = scope.fork(() -> fetch("body"));
        scope.join();
        assertThat(head.result() + body.result()).isEqualTo("<head><body>");
      }
    } // fails if a task is still alive, or a failure was read by nobody
  }

  // @end

  @Nested
  class RegisteredTest {
    // @start region="registered"
    @RegisterExtension
    final SelvedgeExtension selvedge =
        SelvedgeExtension.builder()
            .loop(loop -> loop.name("orders").debug(true))
            .clock(ManualClock::new)
            .limit(Duration.ofSeconds(5))
            .build();

    // @end

    @Test
    void named(Loop loop) {
      assertThat(loop.name()).isEqualTo("orders");
    }
  }

  @Nested
  @ExtendWith(SelvedgeExtension.class)
  class Others {
    // @start region="clock"
    @Test
    void givesUpAfterAnHour(Loop loop, ManualClock clock) {
      Task<Void, Exception> order =
          loop.createTask(
              () -> Timeout.within(Duration.ofHours(1), () -> new CountDownLatch(1).await()));

      assertThat(order).failedWith(TimeoutException.class); // everybody waits: the clock jumps
      assertThat(clock.elapsed()).isEqualTo(Duration.ofHours(1));
    }

    // @end

    // @start region="orphan"
    @Test
    void aFailureInTheBackgroundIsReported(Loop loop) throws Exception {
      loop.launch("metrics", () -> fetch(""));

      assertThat(expectOrphan(IOException.class)).hasMessage("nothing to fetch");
    }

    // @end

    @Test
    void assertions(Loop loop) {
      Task<Void, RuntimeException> waiting =
          loop.createTask("waiting", () -> new CountDownLatch(1).await());
      // @start region="assertions"
      Task<String, IOException> good = loop.createTask(() -> fetch("head"));
      Task<String, IOException> bad = loop.createTask(() -> fetch(""));
      assertThat(good).succeededWith("<head>");
      assertThat(bad).failedWith(IOException.class).hasMessage("nothing to fetch");
      assertThat(waiting).isRunning();
      waiting.cancel("enough");
      assertThat(waiting).wasCancelledBecause(CancelReason.Source.REQUEST, "enough");
      // @end
    }

    @Test
    void sequencer(Loop loop) throws Exception {
      List<String> log = new CopyOnWriteArrayList<>();
      // @start region="sequencer"
      var sequencer = new Sequencer();
      loop.createTask("reader", () -> sequencer.step(2, () -> log.add("read")));
      loop.createTask("writer", () -> sequencer.step(1, () -> log.add("written")));
      sequencer.await(2);
      assertThat(log).containsExactly("written", "read");
      // @end
    }
  }

  @Test
  void recording() throws Exception {
    // @start region="recording"
    var handler = new RecordingHandler();
    try (Loop loop = Loop.builder().exceptionHandler(handler).build()) {
      loop.launch(() -> fetch(""));
      handler.expectOrphan(IOException.class); // else the close may cancel it before it begins
    }
    assertThat(handler.exceptions()).hasSize(1);
    assertThat(handler.messages()).containsExactly("Task exception was never retrieved");
    // @end
  }

  @Test
  void quiescence() throws Exception {
    // @start region="quiescence"
    try (Loop loop = Loop.create()) {
      loop.createTask(() -> fetch("head")).await();
      Quiescence.assertQuiescent(loop); // this loop
    }
    Quiescence.assertQuiescent(); // the whole process
    // @end
  }
}
