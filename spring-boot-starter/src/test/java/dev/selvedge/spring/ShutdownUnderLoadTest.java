package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ChildJvm;
import dev.selvedge.spring.programs.BusyService;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** SIGTERM, with clients that go on asking. */
class ShutdownUnderLoadTest {
  private static final int CLIENTS = 8;
  private static final int BEFORE_SIGTERM = 400;

  @Test
  void noAcceptedRequestAndNoFailureIsLost() throws Exception {
    try (ChildJvm child =
        ChildJvm.startWith(
            List.of(),
            BusyService.class,
            "--server.port=0",
            "--server.address=127.0.0.1",
            "--spring.threads.virtual.enabled=true",
            "--spring.main.banner-mode=off",
            "--logging.level.root=warn")) {
      child.awaitLine("ready");
      List<String> lines = child.lines();
      URI page = URI.create("http://127.0.0.1:" + lines.get(lines.indexOf("port") + 1) + "/page");
      var answered = new AtomicLong();
      var enough = new CountDownLatch(BEFORE_SIGTERM);
      try (var clients = Executors.newVirtualThreadPerTaskExecutor();
          HttpClient http = HttpClient.newHttpClient()) {
        List<Future<?>> asking =
            IntStream.range(0, CLIENTS)
                .<Future<?>>mapToObj(_ ->
                    clients.submit(() -> {
                      ask(http, page, answered, enough);
                      return null;
                    }))
                .toList();
        enough.await();
        child.signal("TERM");
        for (Future<?> client : asking) {
          client.get();
        }
      }

      ChildJvm.Ended ended = child.awaitEnd();
      assertThat(ended.code()).as(ended.err()).isEqualTo(143);
      assertThat(ended.out())
          .contains("accepted " + answered, "thrown " + answered, "reported " + answered);
    }
  }

  /** Until the service does not take requests any more. */
  private static void ask(HttpClient http, URI page, AtomicLong answered, CountDownLatch enough)
      throws InterruptedException {
    try {
      while (true) {
        HttpResponse<String> response =
            http.send(HttpRequest.newBuilder(page).build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
          // Tomcat refuses what comes on an open connection while it shuts down.
          assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
          return;
        }
        assertThat(response.body()).isEqualTo("left right");
        answered.incrementAndGet();
        enough.countDown();
      }
    } catch (IOException refused) {
      assertThat(answered.get()).isPositive();
    }
  }
}
