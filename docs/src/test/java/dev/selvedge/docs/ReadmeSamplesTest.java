package dev.selvedge.docs;

import static dev.selvedge.gather.Gather.gather;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.selvedge.Loop;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ReadmeSamplesTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final CountDownLatch sending = new CountDownLatch(1);
  private List<String> missing = List.of();

  // @start region="front-page"
  String frontPage() throws IOException, InterruptedException {
    return Loop.run(loop -> {
      loop.setExceptionHandler((of, context) -> log(context.message(), context.exception()));
      loop.launch("metrics", this::sendMetrics); // nobody awaits it: failures go to the handler
      List<String> parts = gather(() -> fetch("/head"), () -> fetch("/body"));
      return String.join("", parts); // the first failure cancels the other and is thrown
    });
  }

  // @end

  @Test
  void theFrontPageIsMadeOfBothParts() throws Exception {
    assertThat(frontPage()).isEqualTo("<head><body>");
    assertThat(log).containsExactly("Task exception was never retrieved: no metrics today");
  }

  @Test
  void aFailedPartIsThrownAndTheMetricsAreReported() {
    missing = List.of("/body");

    assertThatIOException()
        .isThrownBy(this::frontPage)
        .isInstanceOf(FileNotFoundException.class)
        .withMessage("/body");
    assertThat(log).containsExactly("Task exception was never retrieved: no metrics today");
  }

  private String fetch(String path) throws IOException, InterruptedException {
    sending.await();
    if (missing.contains(path)) {
      throw new FileNotFoundException(path);
    }
    return "<" + path.substring(1) + ">";
  }

  private void sendMetrics() {
    sending.countDown();
    throw new IllegalStateException("no metrics today");
  }

  private void log(String message, @Nullable Throwable exception) {
    log.add(exception == null ? message : message + ": " + exception.getMessage());
  }
}
