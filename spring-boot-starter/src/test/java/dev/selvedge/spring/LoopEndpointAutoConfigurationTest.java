package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.handlers.Health;
import dev.selvedge.testkit.SelvedgeExtension;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.web.context.annotation.RequestScope;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What operators see, as far as Spring Boot's settings expose it. */
class LoopEndpointAutoConfigurationTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  private static final String ALL = "management.endpoints.web.exposure.include=*";
  private static final String EVIL = "<script>alert('x')</script>\u001b[2J";

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {
    @Bean
    LoopExceptionHandler quiet() {
      return (_, _) -> {};
    }
  }

  private static JsonNode json(String text) {
    return JsonMapper.shared().readTree(text);
  }

  @Test
  void theTreeAndATaskWithItsStackAreShown() throws Exception {
    try (var application = new WebApplication(Application.class, ALL)) {
      var go = new CountDownLatch(1);
      Loop loop = application.bean(Loop.class);
      Task<Void, InterruptedException> waiting = loop.createTask(EVIL, () -> go.await());
      await().until(() -> waiting.stackTrace().toString().contains("await"));

      JsonNode tasks = json(application.get("/actuator/tasks").body());
      assertThat(tasks.at("/loops/0/name").asString()).isEqualTo("application");
      assertThat(tasks.at("/loops/0/nodes/1/name").asString()).isEqualTo(EVIL);
      assertThat(tasks.at("/loops/0/nodes/1/kind").asString()).isEqualTo("TASK");
      assertThat(tasks.at("/loops/0/nodes/1/depth").asInt()).isEqualTo(1);
      assertThat(tasks.at("/counts/started").asInt()).isEqualTo(1);

      var one = application.get("/actuator/tasks/" + waiting.id());
      assertThat(one.body()).doesNotContain("\u001b");
      assertThat(json(one.body()).at("/stack").toString()).contains("await");
      assertThat(application.get("/actuator/tasks/no-such-task").statusCode()).isEqualTo(404);

      go.countDown();
      waiting.await();
    }
  }

  @Test
  void aTaskCanBeCancelledOnlyWhereThatWasAllowed() throws Exception {
    try (var application = new WebApplication(Application.class, ALL)) {
      assertThat(application.post("/actuator/tasks/1", "{}").statusCode()).isEqualTo(405);
    }
    try (var application =
        new WebApplication(
            Application.class, ALL, "management.endpoint.tasks.access=unrestricted")) {
      Task<Void, InterruptedException> waiting =
          application.bean(Loop.class).createTask(() -> new CountDownLatch(1).await());

      var answer =
          application.post("/actuator/tasks/" + waiting.id(), "{\"message\": \"not today\"}");

      assertThat(json(answer.body()).at("/cancelled").asBoolean()).isTrue();
      waiting.awaitDone();
      assertThat(waiting.cancelReason().orElseThrow().message()).isEqualTo("not today");
      assertThat(waiting.outcome().toString())
          .contains(TaskCancelledException.class.getSimpleName());
      assertThat(
              application
                  .post("/actuator/tasks/" + waiting.id(), "{\"message\": \"\"}")
                  .statusCode())
          .isEqualTo(204);
    }
  }

  @Test
  void theLastFailuresAreShownInBoundedSize() throws Exception {
    try (var application = new WebApplication(Application.class, ALL, "selvedge.failures.keep=2")) {
      Loop loop = application.bean(Loop.class);
      for (int i = 1; i <= 3; i++) {
        String message = "failure " + i + "x".repeat(10_000);
        loop.launch(
            EVIL,
            () -> {
              throw new IllegalStateException(message, new RuntimeException("cause"));
            });
        long expected = i;
        await().until(() -> application.bean(RecentFailures.class).total() == expected);
      }

      String text = application.get("/actuator/failures").body();
      JsonNode failures = json(text);
      assertThat(failures.at("/total").asInt()).isEqualTo(3);
      assertThat(failures.at("/reports").size()).isEqualTo(2);
      assertThat(failures.at("/reports/0/exception/message").asString())
          .startsWith("failure 3")
          .hasSize(1_000);
      assertThat(failures.at("/reports/0/exception/cause/message").asString()).isEqualTo("cause");
      assertThat(text).doesNotContain("\u001b").hasSizeLessThan(50_000);
      assertThat(json(application.get("/actuator/failures?limit=1").body()).at("/reports").size())
          .isEqualTo(1);
    }
  }

  @Test
  void nothingIsExposedByDefault() throws Exception {
    try (var application = new WebApplication(Application.class, "selvedge.console.enabled=true")) {
      assertThat(application.get("/actuator/tasks").statusCode()).isEqualTo(404);
      assertThat(application.get("/actuator/tasks/console").statusCode()).isEqualTo(404);
      assertThat(application.get("/actuator/failures").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void theConsoleIsThereOnlyIfSwitchedOn() throws Exception {
    try (var application = new WebApplication(Application.class, ALL)) {
      assertThat(application.get("/actuator/tasks/console").statusCode()).isEqualTo(404);
    }
    try (var application =
        new WebApplication(Application.class, ALL, "selvedge.console.enabled=true")) {
      var page =
          application.get(
              "/actuator/tasks/console", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(page.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/html");
      assertThat(page.body())
          .contains("<title>Tasks</title>")
          .doesNotContain("http://", "https://");
    }
  }

  @Test
  @DisplayName("tasks and the page are there for whatever a client accepts, with and without page")
  void whateverAClientAccepts() throws Exception {
    List<String> accepts =
        List.of(
            "application/json",
            "application/vnd.spring-boot.actuator.v3+json",
            "application/vnd.spring-boot.actuator.v3+json, application/json",
            "application/json, text/plain, */*",
            "*/*",
            "text/html,application/xhtml+xml,*/*;q=0.8");
    for (boolean console : new boolean[] {false, true}) {
      try (var application =
          new WebApplication(Application.class, ALL, "selvedge.console.enabled=" + console)) {
        Task<Void, InterruptedException> waiting =
            application.bean(Loop.class).createTask(() -> new CountDownLatch(1).await());
        for (String accept : accepts) {
          var task = application.get("/actuator/tasks/" + waiting.id(), "Accept", accept);
          assertThat(task.statusCode()).as("%s, console: %s", accept, console).isEqualTo(200);
          assertThat(json(task.body()).at("/id").asLong()).isEqualTo(waiting.id());
          assertThat(task.headers().firstValue("Content-Type").orElseThrow()).contains("json");
          assertThat(application.get("/actuator/tasks/console", "Accept", accept).statusCode())
              .as("%s, console: %s", accept, console)
              .isEqualTo(console ? 200 : 404);
        }
        if (console) {
          for (String page : List.of("console", String.valueOf(waiting.id()))) {
            assertThat(
                    application.get("/actuator/tasks/" + page, "Accept", "text/html").statusCode())
                .isEqualTo(200);
          }
          assertThat(application.get("/actuator/tasks/none", "Accept", "text/html").statusCode())
              .isEqualTo(404);
        }
        waiting.cancel();
        waiting.awaitDone();
      }
    }
  }

  /** Answers nothing that it is asked. */
  private static final class Mute extends RuntimeException {
    private static final long serialVersionUID = 1;

    Mute(Throwable suppressed) {
      addSuppressed(suppressed);
    }

    @Override
    public String getMessage() {
      throw new StackOverflowError();
    }

    @Override
    public synchronized Throwable getCause() {
      throw new IllegalStateException("no cause");
    }

    @Override
    public StackTraceElement[] getStackTrace() {
      throw new IllegalStateException("no frames");
    }
  }

  @Test
  @DisplayName("a failure that throws whatever it is asked is shown all the same")
  void muteFailure() throws Exception {
    try (var application = new WebApplication(Application.class, ALL)) {
      Loop loop = application.bean(Loop.class);
      Object mute =
          new Object() {
            @Override
            public String toString() {
              throw new StackOverflowError();
            }
          };
      loop.callExceptionHandler(
          new ExceptionContext(
              "it failed", new Mute(new RuntimeException("other")), null, Map.of("what", mute)));
      JsonNode failures = json(application.get("/actuator/failures").body());
      assertThat(failures.at("/total").asInt()).isEqualTo(1);
      assertThat(failures.at("/reports/0/exception/type").asString()).endsWith("Mute");
      assertThat(failures.at("/reports/0/exception/message").asString())
          .contains("StackOverflowError");
      assertThat(failures.at("/reports/0/exception/suppressed/0").asString()).contains("other");
      assertThat(failures.at("/reports/0/details/what").asString()).contains("StackOverflowError");
    }
  }

  @Test
  @DisplayName("a negative limit is a bad request; none at all is no report")
  void negativeLimit() throws Exception {
    try (var application = new WebApplication(Application.class, ALL)) {
      assertThat(application.get("/actuator/failures?limit=-5").statusCode()).isEqualTo(400);
      assertThat(application.get("/actuator/failures?limit=0").statusCode()).isEqualTo(200);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class LoopsThatAreNotThere {
    @Bean(defaultCandidate = false)
    @Lazy
    Loop later(Loop.Builder builder) {
      return builder.name("later").build();
    }

    @Bean(defaultCandidate = false)
    @RequestScope(proxyMode = ScopedProxyMode.NO)
    Loop ofARequest(Loop.Builder builder) {
      return builder.name("of a request").build();
    }
  }

  @Test
  @DisplayName("the endpoint makes no loop: a lazy one is shown when something else has made it")
  void lazyLoops() throws Exception {
    try (var application = new WebApplication(LoopsThatAreNotThere.class, ALL)) {
      assertThat(application.get("/actuator/tasks").body())
          .contains("\"application\"")
          .doesNotContain("later", "of a request");

      assertThat(application.bean("later", Loop.class).isClosed()).isFalse();

      assertThat(application.get("/actuator/tasks").body()).contains("\"later\"");
    }
  }

  @Test
  @DisplayName("of several healths none is the indicator's unless one is the application's")
  void severalHealths() {
    var runner =
        new ApplicationContextRunner()
            .withConfiguration(
                AutoConfigurations.of(
                    LoopHealthAutoConfiguration.class, LoopAutoConfiguration.class))
            .withBean("first", Health.class, LoopEndpointAutoConfigurationTest::health);
    runner
        .withBean("second", Health.class, LoopEndpointAutoConfigurationTest::health)
        .run(context ->
            assertThat(context).hasNotFailed().doesNotHaveBean(LoopHealthIndicator.class));
    runner
        .withBean(
            "second",
            Health.class,
            LoopEndpointAutoConfigurationTest::health,
            definition -> definition.setPrimary(true))
        .run(context -> assertThat(context).hasSingleBean(LoopHealthIndicator.class));
  }

  private static Health health() {
    return Health.create(1, Duration.ofSeconds(1), Duration.ofSeconds(1));
  }

  @Test
  void anUnreadFailureMakesTheApplicationUnhealthyForAWhile() throws Exception {
    try (var application =
        new WebApplication(
            Application.class,
            ALL,
            "selvedge.health.quiet=300ms",
            "management.endpoint.health.show-details=always")) {
      assertThat(application.get("/actuator/health").statusCode()).isEqualTo(200);

      application
          .bean(Loop.class)
          .launch(() -> {
            throw new IllegalStateException("background");
          });
      HealthIndicator indicator = application.bean(LoopHealthIndicator.class);
      await().until(() -> indicator.health().getStatus().equals(Status.DOWN));
      assertThat(indicator.health().getDetails().get("last"))
          .isEqualTo("java.lang.IllegalStateException: background");
      await().until(() -> indicator.health().getStatus().equals(Status.UP));
    }
  }

  @Test
  void theHealthIndicatorCanBeSwitchedOff() {
    var runner =
        new ApplicationContextRunner()
            .withConfiguration(
                AutoConfigurations.of(
                    LoopHealthAutoConfiguration.class, LoopAutoConfiguration.class));
    runner.run(context -> assertThat(context).hasSingleBean(LoopHealthIndicator.class));
    runner
        .withPropertyValues("management.health.selvedge.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(LoopHealthIndicator.class));
  }

  @Test
  void anApplicationWithoutActuatorHasALoop() {
    new ApplicationContextRunner()
        .withConfiguration(
            AutoConfigurations.of(
                LoopAutoConfiguration.class,
                LoopEndpointAutoConfiguration.class,
                LoopHealthAutoConfiguration.class))
        .withClassLoader(new FilteredClassLoader(Endpoint.class, HealthIndicator.class))
        .run(context -> {
          assertThat(context).hasSingleBean(Loop.class);
          assertThat(context).doesNotHaveBean(TasksEndpoint.class);
        });
  }
}
