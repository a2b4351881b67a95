package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Action;
import dev.selvedge.Loop;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The examples of the Javadoc. */
class SamplesTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private static String fetch(String page) throws IOException {
    if (page.equals("missing")) {
      throw new IOException("no such page");
    }
    return "<" + page + ">";
  }

  @Test
  void gatherFailsAsTheFirst() throws Exception {
    assertThat(Loop.run(() -> both("a", "b"))).isEqualTo("<a><b>");
    assertThat(Loop.run(() -> both("a", "missing"))).isEqualTo("sorry: no such page");
  }

  private static String both(String first, String second) throws InterruptedException {
    // @start region="gather"
    try {
      List<String> pages = Gather.gather(() -> fetch(first), () -> fetch(second));
      return String.join("", pages);
    } catch (IOException e) { // the first failure itself; the other fetch was cancelled
      return "sorry: " + e.getMessage();
    }
    // @end
  }

  @Test
  void optionsComeBeforeTheVerb() throws Exception {
    assertThat(Loop.run(() -> all(List.of("a", "b", "c")))).containsExactly("<a>", "<b>", "<c>");
  }

  private static List<String> all(List<String> pages) throws IOException, InterruptedException {
    // @start region="options"
    try {
      return Gather.options()
          .name("pages")
          .limit(Duration.ofSeconds(2))
          .concurrency(8)
          .map(pages, SamplesTest::fetch);
    } catch (TimeoutException e) {
      return List.of();
    }
    // @end
  }

  @Test
  void everySurvivesFailures() throws Exception {
    var told = new LinkedBlockingQueue<String>();
    Loop.run(loop -> {
      loop.setExceptionHandler((_, context) -> told.add(context.message()));
      refreshing(loop, () -> fetch("missing"));
      return told.take();
    });
    assertThat(told).isEmpty();
  }

  private static void refreshing(Loop loop, Action<IOException> refresh) {
    // @start region="every"
    loop.launch("refresh", () -> Every.fixedRate(Duration.ofMinutes(1)).run(refresh));
    // @end
  }

  @Test
  void aGroupReturnsOrThrowsAllFailures() throws Exception {
    assertThat(Loop.run(() -> grouped("a"))).isEqualTo("<a>");
    assertThatThrownBy(() -> Loop.run(() -> grouped("missing")))
        .isInstanceOf(IOException.class)
        .hasMessage("no such page");
  }

  private static String grouped(String name) throws IOException, InterruptedException {
    try {
      // @start region="task-group"
      return TaskGroup.call(group -> {
        var page = group.createTask(() -> fetch(name));
        group.createTask(() -> fetch("style")); // waited for, although nobody reads it
        return page.await();
      });
      // @end
      // @start region="exception-group"
    } catch (ExceptionGroup group) {
      group.throwIf(IOException.class); // the first one, all others suppressed in it
      throw new IllegalStateException(group);
    }
    // @end
  }

  @Test
  void aSupervisorStartsWhatFailedAgain() throws Exception {
    try (Loop loop = Loop.builder().exceptionHandler((_, _) -> {}).build()) {
      assertThat(supervised(loop)).isEqualTo(2);
    }
  }

  private static int supervised(Loop loop) throws RestartLimitException, InterruptedException {
    var attempts = new AtomicInteger();
    // @start region="supervisor"
    var workers = Supervisor.create();
    workers.add(
        "poller",
        () -> {
          if (attempts.incrementAndGet() == 1) {
            throw new IOException("connection lost"); // reported, and it is started again
          }
          workers.stop();
        });
    loop.runUntilComplete(workers);
    // @end
    return attempts.get();
  }
}
