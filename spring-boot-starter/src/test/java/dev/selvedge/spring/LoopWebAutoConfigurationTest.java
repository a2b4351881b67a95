package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.Timeout;
import dev.selvedge.gather.Gather;
import dev.selvedge.testkit.SelvedgeExtension;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.MDC;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A request's work ends with its deadline, or with its client. */
class LoopWebAutoConfigurationTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  @RestController
  static class Pages {
    final Loop loop;
    final CountDownLatch waiting = new CountDownLatch(2);
    final CountDownLatch interrupted = new CountDownLatch(2);
    final CountDownLatch ended = new CountDownLatch(1);
    final CountDownLatch clientIsGone = new CountDownLatch(1);

    Pages(Loop loop) {
      this.loop = loop;
    }

    private String waitForEver() throws InterruptedException {
      waiting.countDown();
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

    @GetMapping("/owner")
    String owner() throws InterruptedException {
      MDC.put("request", "r-1");
      try {
        return String.join(
            ", ",
            Gather.gather(
                () -> Loop.current().name(),
                () -> MDC.get("request"),
                () -> "its task: " + loop.allTasks().contains(Task.current().orElseThrow())));
      } finally {
        MDC.remove("request");
      }
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
  void aGatherInAControllerBelongsToTheApplicationsLoop() throws Exception {
    try (var application = new WebApplication(Application.class, "selvedge.name=shop")) {
      assertThat(application.get("/owner").body()).isEqualTo("shop, r-1, its task: true");
    }
  }

  @Test
  void aRequestThatIsStillRunningWhenTheLoopClosesIsCancelled() throws Exception {
    try (var application =
        new WebApplication(
            Application.class,
            "spring.lifecycle.timeout-per-shutdown-phase=100ms",
            "selvedge.shutdown.drain=1ms",
            "selvedge.shutdown.timeout=99ms")) {
      Pages pages = application.bean(Pages.class);
      try (Socket client = application.ask("/slow")) {
        pages.waiting.await();
        assertThat(client.isConnected()).isTrue();

        application.stop();

        assertThat(pages.interrupted.await(5, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  @Test
  void aRequestThatComesAfterTheShutdownOfTheLoopIsNotBegun() throws Exception {
    try (var application = new WebApplication(Application.class)) {
      application.bean(Loop.class).shutdown();
      assertThat(application.get("/quick").statusCode()).isEqualTo(503);
      application.bean(Loop.class).close();
      assertThat(application.get("/quick").statusCode()).isEqualTo(503);
    }
  }

  @Test
  void aCancelledRequestIsAnsweredWith503() throws Exception {
    Loop loop = Loop.builder().handleSignals(false).build();
    var filter = new RequestLoopFilter(loop);
    var waiting = new CountDownLatch(1);
    var response = new MockHttpServletResponse();
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> request =
          executor.submit(() -> {
            filter.doFilter(
                new MockHttpServletRequest(),
                response,
                (_, _) -> {
                  waiting.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    throw new ServletException("as Spring wraps it", e);
                  }
                });
            return null;
          });
      waiting.await();
      loop.shutdown();
      loop.close();
      request.get();
    }
    assertThat(response.getStatus()).isEqualTo(503);
    assertThat(response.getErrorMessage()).contains("shutting down");
  }

  @Test
  void whatARequestThrowsComesOut() throws Exception {
    try (Loop loop = Loop.builder().handleSignals(false).build()) {
      var filter = new RequestLoopFilter(loop);
      for (Exception thrown :
          List.of(
              new ServletException("servlet"),
              new IOException("client"),
              new IllegalStateException("application"),
              new RejectedExecutionException("application"))) {
        assertThatThrownBy(() -> filter(filter, thrown)).isSameAs(thrown);
      }
      assertThatThrownBy(() -> filter(filter, new InterruptedException()))
          .isInstanceOf(ServletException.class)
          .hasMessageContaining("cancelled");
      assertThat(Thread.interrupted()).isTrue();
      var checked = new Exception("checked");
      assertThatThrownBy(() -> filter(filter, checked))
          .isInstanceOf(ServletException.class)
          .hasCause(checked);
    }
  }

  private static void filter(RequestLoopFilter filter, Exception thrown) throws Exception {
    filter.doFilter(
        new MockHttpServletRequest(),
        new MockHttpServletResponse(),
        (_, _) -> {
          throw Sneaky.<RuntimeException>thrown(thrown);
        });
  }

  @Test
  void withoutADeadlineThereIsNoDeadlineFilter() throws Exception {
    try (var application = new WebApplication(Application.class)) {
      assertThat(application.get("/quick").body()).isEqualTo("in time: false");
    }
  }

  @Test
  void whatAStreamingResponseWaitsForEndsWhenItsClientGoesAway() throws Exception {
    try (var application = new WebApplication(Application.class)) {
      Pages pages = application.bean(Pages.class);
      Socket client = application.ask("/updates");
      pages.waiting.await();
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

  @Configuration(proxyBeanMethods = false)
  static class OwnFilters {
    @Bean
    RequestLoopFilter ownLoopFilter(Loop loop) {
      return new RequestLoopFilter(loop);
    }

    @Bean
    FilterRegistrationBean<RequestDeadlineFilter> ownDeadlineFilter() {
      return new FilterRegistrationBean<>(new RequestDeadlineFilter(Duration.ofSeconds(2)));
    }
  }

  @Configuration(proxyBeanMethods = false)
  static class TwoLoops {
    @Bean(destroyMethod = "")
    Loop first(Loop.Builder builder) {
      return builder.name("first").build();
    }

    @Bean(destroyMethod = "")
    Loop second(Loop.Builder builder) {
      return builder.name("second").build();
    }
  }

  @Test
  void theFiltersStepBack() {
    var runner =
        new WebApplicationContextRunner()
            .withConfiguration(
                AutoConfigurations.of(LoopAutoConfiguration.class, LoopWebAutoConfiguration.class))
            .withPropertyValues("selvedge.web.deadline=1s");
    runner.run(context -> assertThat(context).hasBean("requestLoopFilter"));
    runner
        .withUserConfiguration(OwnFilters.class)
        .run(context ->
            assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean("requestLoopFilter")
                .doesNotHaveBean("requestDeadlineFilter"));
    runner
        .withUserConfiguration(TwoLoops.class)
        .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("requestLoopFilter"));
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
