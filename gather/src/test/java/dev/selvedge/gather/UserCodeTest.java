package dev.selvedge.gather;

import static dev.selvedge.gather.Gather.any;
import static dev.selvedge.gather.Gather.gather;
import static dev.selvedge.gather.Gather.map;
import static dev.selvedge.gather.Gather.settle;
import static dev.selvedge.gather.Gather.shield;
import static dev.selvedge.gather.Gather.zip;
import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Action;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import dev.selvedge.Timeout;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The shapes of code that users write against gather: they compile without a warning, and they
 * work.
 */
class UserCodeTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  record Page(String title, int visits) {}

  private static final AtomicInteger POLLS = new AtomicInteger();

  private static String fetch(String url) throws IOException {
    if (url.equals("bad")) {
      throw new IOException(url);
    }
    return url;
  }

  private static int count(String url) throws SQLException {
    if (url.equals("bad")) {
      throw new SQLException(url);
    }
    return url.length();
  }

  private static void poll() throws IOException {
    POLLS.incrementAndGet();
  }

  private static void inTask(Action<Exception> body) throws Exception {
    try (Loop loop = Threads.builder().build()) {
      loop.<Exception>runUntilComplete(body);
    }
  }

  private static List<String> together() throws InterruptedException, IOException {
    List<String> pages = gather(() -> fetch("a"), () -> fetch("b"));
    List<String> mapped = map(List.of("a", "b"), 8, UserCodeTest::fetch);
    List<Integer> lengths = map(List.of("a", "b"), 8, String::length);
    assertThat(mapped).isEqualTo(pages);
    assertThat(lengths).containsExactly(1, 1);
    return pages;
  }

  private static List<String> mixed(Task<String, IOException> running)
      throws InterruptedException, IOException {
    gather(UserCodeTest::poll, UserCodeTest::poll);
    gather(List.of(running, running));
    return gather(running, () -> fetch("b"));
  }

  @Test
  @DisplayName("Bodies, tasks, actions and inputs gather with the checked type that they throw")
  void gathers() throws Exception {
    int before = POLLS.get();
    inTask(() -> {
      assertThat(together()).containsExactly("a", "b");
      assertThat(mixed(Task.create(() -> fetch("a")))).containsExactly("a", "b");
    });
    assertThat(POLLS.get() - before).isEqualTo(2);
  }

  private static Page zipped(String title, String visits) throws InterruptedException {
    try {
      return zip(() -> fetch(title), () -> count(visits), Page::new);
    } catch (IOException e) {
      return new Page("no page", 0);
    } catch (SQLException e) {
      return new Page("no count", 0);
    }
  }

  @Test
  @DisplayName("Each of two zipped bodies keeps its checked exception")
  void zips() throws Exception {
    inTask(() -> {
      assertThat(zipped("a", "ab")).isEqualTo(new Page("a", 2));
      assertThat(zipped("bad", "ab")).isEqualTo(new Page("no page", 0));
      assertThat(zipped("a", "bad")).isEqualTo(new Page("no count", 0));
    });
  }

  @Test
  @DisplayName("Outcomes are read by a switch over records")
  void settles() throws Exception {
    var texts = new ArrayList<String>();
    inTask(() -> {
      List<Outcome<String>> outcomes = settle(() -> fetch("ok"), () -> fetch("bad"));
      for (Outcome<String> outcome : outcomes) {
        texts.add(
            switch (outcome) {
              case Outcome.Success<String>(var value) -> value;
              case Outcome.Failure<String>(var exception) -> exception.getMessage();
              case Outcome.Cancelled<String>(var exception) -> exception.reason().message();
            });
      }
    });
    assertThat(texts).containsExactly("ok", "bad");
  }

  private static String first() throws InterruptedException, ExceptionGroup {
    return any(() -> fetch("bad"), () -> fetch("mirror-2"));
  }

  private static String limited() throws InterruptedException, IOException {
    try {
      var task = Task.create(() -> fetch("slow"));
      Timeout.waitFor(shield(task), Duration.ofSeconds(10));
      return Timeout.within(Duration.ofSeconds(20), () -> fetch("slow"));
    } catch (TimeoutException e) {
      return "too slow";
    }
  }

  private static String grouped(String url) throws InterruptedException, IOException {
    try {
      return TaskGroup.call(group -> {
        var page = group.createTask(() -> fetch(url));
        group.createTask(UserCodeTest::poll);
        return page.await();
      });
    } catch (ExceptionGroup e) {
      e.throwIf(IOException.class);
      throw new IllegalStateException(e);
    }
  }

  @Test
  @DisplayName("any, shield and groups")
  void theOthers() throws Exception {
    inTask(() -> {
      assertThat(first()).isEqualTo("mirror-2");
      assertThat(limited()).isEqualTo("slow");
      assertThat(grouped("a")).isEqualTo("a");
      TaskGroup.run(group -> {
        group.createTask(UserCodeTest::poll);
      });
      String text = "";
      try {
        text = grouped("bad");
      } catch (IOException e) {
        text = "thrown: " + e.getMessage();
      }
      assertThat(text).isEqualTo("thrown: bad");
    });
  }
}
