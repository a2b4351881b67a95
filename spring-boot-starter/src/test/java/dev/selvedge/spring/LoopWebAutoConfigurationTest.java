package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Oracle;
import dev.selvedge.Timeout;
import dev.selvedge.gather.Gather;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A request's work ends with its deadline, or with its client. */
@ExtendWith(Oracle.class)
class LoopWebAutoConfigurationTest {
  @RestController
  static class Pages {
    final CountDownLatch interrupted = new CountDownLatch(2);
    final CountDownLatch started = new CountDownLatch(1);
    final CountDownLatch ended = new CountDownLatch(1);
    final CountDownLatch clientIsGone = new CountDownLatch(1);

    private String waitForEver() throws InterruptedException {
      try {
        new CountDownLatch(1).await();
        return "never";
      } catch (InterruptedException e) {
        interrupted.countDown();
        throw e;
      }
    }

    @GetMapping("/slow")
    String slow() throws InterruptedException {
      return String.join("", Gather.gather(this::waitForEver, this::waitForEver));
    }

    @GetMapping("/quick")
    String quick() {
      return "in time: " + Timeout.deadline().isPresent();
    }

    @GetMapping("/updates")
    void updates(HttpServletResponse response) throws IOException, InterruptedException {
      response.setContentType("text/event-stream");
      try {
        ClientStream.write(
            response.getOutputStream(),
            ClientStream.EVENT_STREAM,
            Duration.ofMillis(20),
            out -> {
              out.write("data: first\n\n".getBytes(StandardCharsets.UTF_8));
              out.flush();
              started.countDown();
              Gather.gather(this::waitForEver, this::waitForEver);
            });
      } catch (IOException e) {
        clientIsGone.countDown();
        throw e;
      } finally {
        ended.countDown();
      }
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(Pages.class)
  static class Application {}

  @Test
  void aGatherInAControllerEndsWhenTheDeadlineOfItsRequestPasses() throws Exception {
    try (var application = new WebApplication(Application.class, "selvedge.web.deadline=50ms")) {
      assertThat(application.get("/slow").statusCode()).isEqualTo(503);
      assertThat(application.bean(Pages.class).interrupted.await(5, TimeUnit.SECONDS)).isTrue();
      var quick = application.get("/quick");
      assertThat(quick.statusCode()).isEqualTo(200);
      assertThat(quick.body()).isEqualTo("in time: true");
    }
  }

  @Test
  void withoutADeadlineThereIsNoFilter() throws Exception {
    try (var application = new WebApplication(Application.class)) {
      assertThat(application.get("/quick").body()).isEqualTo("in time: false");
    }
  }

  @Test
  void whatAStreamingResponseWaitsForEndsWhenItsClientGoesAway() throws Exception {
    try (var application = new WebApplication(Application.class)) {
      Pages pages = application.bean(Pages.class);
      Socket client = application.ask("/updates");
      pages.started.await();
      client.close();

      assertThat(pages.ended.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(pages.clientIsGone.getCount()).isZero();
      assertThat(pages.interrupted.getCount()).isZero();
    }
  }

  @Test
  void aStreamHasItsWritersBytesAndHeartbeatsInBetween() throws Exception {
    var out = new ByteArrayOutputStream();
    ClientStream.write(
        out,
        ClientStream.LINE_FEED,
        Duration.ofMillis(1),
        shared -> {
          shared.write('a');
          while (size(out) < 3) {
            Thread.onSpinWait();
          }
          shared.write("bc".getBytes(StandardCharsets.UTF_8));
        });
    assertThat(out.toString(StandardCharsets.UTF_8)).startsWith("a\n").contains("bc");
  }

  private static int size(ByteArrayOutputStream out) {
    return out.size();
  }

  @Test
  void whatAWriterThrowsComesOut() {
    OutputStream out = OutputStream.nullOutputStream();
    var failure = new IllegalStateException("writer");
    assertThatThrownBy(() ->
            ClientStream.write(
                out,
                ClientStream.LINE_FEED,
                Duration.ofHours(1),
                _ -> {
                  throw failure;
                }))
        .isSameAs(failure);
    assertThatThrownBy(
            () -> ClientStream.write(out, ClientStream.LINE_FEED, Duration.ZERO, _ -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("PT0S");
  }

  @Test
  void onlyServletApplicationsHaveTheFilter() {
    var configurations =
        AutoConfigurations.of(LoopAutoConfiguration.class, LoopWebAutoConfiguration.class);
    new WebApplicationContextRunner()
        .withConfiguration(configurations)
        .withPropertyValues("selvedge.web.deadline=1s")
        .run(context -> assertThat(context).hasBean("requestDeadlineFilter"));
    new ApplicationContextRunner()
        .withConfiguration(configurations)
        .withPropertyValues("selvedge.web.deadline=1s")
        .run(context -> assertThat(context).doesNotHaveBean("requestDeadlineFilter"));
    new ApplicationContextRunner()
        .withConfiguration(configurations)
        .withClassLoader(new FilteredClassLoader("jakarta.servlet", "org.springframework.web"))
        .run(context -> assertThat(context).hasNotFailed());
  }
}
