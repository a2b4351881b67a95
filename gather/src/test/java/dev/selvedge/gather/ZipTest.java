package dev.selvedge.gather;

import static dev.selvedge.gather.Gather.zip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ZipTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  record Page(String title, int visits) {}

  private static String fetch(String url) throws IOException {
    if (url.isEmpty()) {
      throw new IOException("no page");
    }
    return url;
  }

  private static int count(String url) throws SQLException {
    if (url.isEmpty()) {
      throw new SQLException("no count");
    }
    return url.length();
  }

  private static Page page(String page, String counted) throws InterruptedException {
    try {
      return zip(() -> fetch(page), () -> count(counted), Page::new);
    } catch (IOException e) {
      return new Page(e.getMessage(), 0);
    } catch (SQLException e) {
      return new Page(e.getMessage(), -1);
    }
  }

  @Test
  @DisplayName("two bodies of different types, each with a checked exception of its own")
  void eachKeepsItsException() throws Exception {
    assertThat(page("a", "abc")).isEqualTo(new Page("a", 3));
    assertThat(page("", "abc")).isEqualTo(new Page("no page", 0));
    assertThat(page("a", "")).isEqualTo(new Page("no count", -1));
  }

  @Test
  @DisplayName("three, four and five bodies run at the same time")
  void moreBodies() throws Exception {
    var three = new CountDownLatch(3);
    var four = new CountDownLatch(4);
    var five = new CountDownLatch(5);

    String of3 =
        zip(
            () -> meet(three, "a"),
            () -> meet(three, 2),
            () -> meet(three, 'c'),
            (a, b, c) -> a + b + c);
    String of4 =
        zip(
            () -> meet(four, "a"),
            () -> meet(four, 2),
            () -> meet(four, 'c'),
            () -> meet(four, 4L),
            (a, b, c, d) -> a + b + c + d);
    String of5 =
        zip(
            () -> meet(five, "a"),
            () -> meet(five, 2),
            () -> meet(five, 'c'),
            () -> meet(five, 4L),
            () -> meet(five, "e"),
            (a, b, c, d, e) -> a + b + c + d + e);

    assertThat(of3).isEqualTo("a2c");
    assertThat(of4).isEqualTo("a2c4");
    assertThat(of5).isEqualTo("a2c4e");
  }

  private static <T> T meet(CountDownLatch others, T value) throws InterruptedException {
    others.countDown();
    others.await();
    return value;
  }

  @Test
  @DisplayName("the failure of one cancels the other, as in gather")
  void oneFails() {
    var begun = new CountDownLatch(1);
    var cancelled = new AtomicInteger();

    assertThatThrownBy(() ->
            zip(
                () -> {
                  begun.countDown();
                  try {
                    Thread.sleep(Duration.ofDays(1));
                  } catch (InterruptedException e) {
                    cancelled.incrementAndGet();
                    throw e;
                  }
                  return "never";
                },
                () -> {
                  begun.await();
                  return count("");
                },
                Page::new))
        .isInstanceOf(SQLException.class);
    assertThat(cancelled).hasValue(1);
  }

  @Test
  @DisplayName("a combination that throws, throws; a missing one is refused before anything starts")
  void theCombination() {
    var started = new AtomicInteger();
    BiFunction<Integer, Integer, String> none = null;

    assertThatThrownBy(() ->
            zip(
                () -> "a",
                () -> "b",
                (a, b) -> {
                  throw new IllegalStateException(a + b);
                }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("ab");
    assertThatThrownBy(() -> zip(started::incrementAndGet, started::incrementAndGet, none))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("combine");
    assertThatThrownBy(() -> zip(started::incrementAndGet, null, (a, b) -> a))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("b");
    assertThat(started).hasValue(0);
  }

  @Test
  @DisplayName("with a limit in time")
  void limited() {
    assertThatThrownBy(() ->
            Gather.options()
                .limit(Duration.ofMillis(1))
                .zip(
                    () -> {
                      Thread.sleep(Duration.ofDays(1));
                      return "never";
                    },
                    () -> count("abc"),
                    Page::new))
        .isInstanceOf(TimeoutException.class);
  }
}
