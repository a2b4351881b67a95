package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.CancelScope;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.Timeout;
import dev.selvedge.gather.Gather;
import dev.selvedge.testkit.RecordingHandler;
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
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
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

  /** Waits for ever, in two children of which one fails when it cleans up. */
  private static Void waitAndFailToCleanUp(CountDownLatch waiting) throws Exception {
    Gather.gather(
        () -> {
          try {
            waiting.countDown();
            return new CountDownLatch(1).await(1, TimeUnit.HOURS);
          } finally {
            failToCleanUp();
          }
        },
        () -> new CountDownLatch(1).await(1, TimeUnit.HOURS));
    return null;
  }

  private static void failToCleanUp() {
    throw new IllegalStateException("money not returned");
  }

  @Test
  @DisplayName("what the clean-up throws when the deadline passes goes to the loop's handler")
  void cleanUpAtTheDeadline() throws Exception {
    var reported = new RecordingHandler();
    try (Loop loop = Loop.builder().handleSignals(false).exceptionHandler(reported).build()) {
      for (boolean wrapped : new boolean[] {false, true}) {
        var response = new MockHttpServletResponse();
        loop.<Exception>asCurrent(() ->
            new RequestDeadlineFilter(Duration.ofMillis(50))
                .doFilter(
                    new MockHttpServletRequest(),
                    response,
                    (_, _) -> {
                      try {
                        waitAndFailToCleanUp(new CountDownLatch(1));
                      } catch (Exception e) {
                        if (wrapped) {
                          throw new ServletException("as Spring wraps it", e);
                        }
                        throw Sneaky.<RuntimeException>thrown(e);
                      }
                    }));
        assertThat(response.getStatus()).isEqualTo(503);
        assertThat(reported.expectReport("Clean-up of a cancelled request failed").exception())
            .hasMessage("money not returned");
      }
    }
    assertThat(reported.unexpected()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName(
      "a request that the end of its loop cancels is answered with 503, and its clean-up's"
          + " failure goes to the handler, also if the loop was not shut down before")
  void cleanUpAtTheEndOfTheLoop(boolean shutdown) throws Exception {
    var reported = new RecordingHandler();
    Loop loop = Loop.builder().handleSignals(false).exceptionHandler(reported).build();
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
                  try {
                    waitAndFailToCleanUp(waiting);
                  } catch (Exception e) {
                    throw new ServletException("as Spring wraps it", e);
                  }
                });
            return null;
          });
      waiting.await();
      if (shutdown) {
        loop.shutdown();
      }
      loop.close();
      request.get();
    }
    assertThat(response.getStatus()).isEqualTo(503);
    assertThat(reported.expectReport("Clean-up of a cancelled request failed").exception())
        .hasMessage("money not returned");
    assertThat(reported.unexpected()).isEmpty();
  }

  @Test
  @DisplayName("a cancellation that is not the loop's end comes out, also while the loop drains")
  void otherCancellations() throws Exception {
    try (Loop loop = Loop.builder().handleSignals(false).build()) {
      var filter = new RequestLoopFilter(loop);
      var response = new MockHttpServletResponse();
      assertThatThrownBy(() ->
              filter.doFilter(
                  new MockHttpServletRequest(),
                  response,
                  (_, _) -> {
                    loop.shutdown();
                    CancelScope own = CancelScope.create();
                    own.cancel("of the application");
                    try {
                      own.run(() -> new CountDownLatch(1).await());
                    } catch (InterruptedException e) {
                      throw new AssertionError(e);
                    }
                  }))
          .isInstanceOf(TaskCancelledException.class)
          .hasMessageContaining("of the application");
      assertThat(response.getStatus()).isEqualTo(200);
    }
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
          while (!out.toString(StandardCharsets.UTF_8).contains("a\n")) {
            Thread.onSpinWait();
          }
          shared.write("bc".getBytes(StandardCharsets.UTF_8));
        });
    // On a slow machine a heartbeat comes before the first byte.
    assertThat(out.toString(StandardCharsets.UTF_8)).matches("\\n*a\\n+bc\\n*");
  }

  private static OutputStream brokenBy(Exception failure) {
    return new OutputStream() {
      @Override
      public void write(int value) {
        throw Sneaky.<RuntimeException>thrown(failure);
      }
    };
  }

  @Test
  @DisplayName(
      "what the clean-up throws when the client has gone comes with the exception for that")
  void cleanUpWhenTheClientHasGone() throws Exception {
    var gone = new IOException("broken pipe");
    assertThatThrownBy(() ->
            ClientStream.write(
                brokenBy(gone),
                ClientStream.LINE_FEED,
                Duration.ofMillis(1),
                _ -> waitAndFailToCleanUp(new CountDownLatch(1))))
        .isSameAs(gone);
    assertThat(gone.getSuppressed())
        .filteredOn(TaskCancelledException.class::isInstance)
        .singleElement()
        .satisfies(cancelled ->
            assertThat(((TaskCancelledException) cancelled).failures())
                .singleElement()
                .satisfies(failure -> assertThat(failure).hasMessage("money not returned")));
  }

  @Test
  @DisplayName("a heartbeat that fails in an unexpected way ends the response, too")
  void unexpectedFailureOfAHeartbeat() {
    var failure = new IllegalStateException("the response has been recycled");
    assertThatThrownBy(() ->
            ClientStream.write(
                brokenBy(failure),
                ClientStream.LINE_FEED,
                Duration.ofMillis(1),
                _ -> assertThat(new CountDownLatch(1).await(5, TimeUnit.SECONDS)).isTrue()))
        .isSameAs(failure);
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
