package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import dev.selvedge.handlers.Health;
import dev.selvedge.handlers.micrometer.LoopMetrics;
import dev.selvedge.handlers.micrometer.MdcCarrier;
import dev.selvedge.handlers.micrometer.ObservationCarrier;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import io.micrometer.context.ContextSnapshotFactory;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration;
import org.springframework.boot.context.annotation.Configurations;
import org.springframework.boot.context.annotation.ImportCandidates;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;
import org.springframework.scheduling.annotation.AsyncConfigurer;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.config.TaskManagementConfigUtils;

/** Each condition of the auto-configurations, and the properties that no other test is about. */
class ConditionsTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  private static final List<Class<?>> OURS =
      List.of(
          LoopAutoConfiguration.class,
          LoopEndpointAutoConfiguration.class,
          LoopHealthAutoConfiguration.class,
          LoopMetricsAutoConfiguration.class,
          LoopTaskExecutionAutoConfiguration.class,
          LoopWebAutoConfiguration.class);

  private static final AutoConfigurations ALL =
      AutoConfigurations.of(OURS.toArray(new Class<?>[0]));

  private static final String EXPOSED = "management.endpoints.web.exposure.include=*";

  private final RecordingHandler reported = new RecordingHandler();
  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(ALL)
          .withBean(LoopExceptionHandler.class, () -> reported);

  @Test
  void allOfThemAreFoundBySpringBoot() throws Exception {
    var present = new TreeSet<String>();
    for (Resource file :
        new PathMatchingResourcePatternResolver()
            .getResources("classpath*:dev/selvedge/spring/*AutoConfiguration.class")) {
      present.add("dev.selvedge.spring." + file.getFilename().replace(".class", ""));
    }
    assertThat(present).hasSameElementsAs(OURS.stream().map(Class::getName).toList());
    assertThat(ImportCandidates.load(AutoConfiguration.class, null).getCandidates())
        .containsAll(present);
  }

  @Test
  void theyComeInTheirOrder() {
    Class<?>[] shuffled =
        Stream.concat(
                OURS.reversed().stream(),
                Stream.of(
                    TaskSchedulingAutoConfiguration.class, TaskExecutionAutoConfiguration.class))
            .toArray(Class<?>[]::new);
    List<Class<?>> order =
        Arrays.asList(Configurations.getClasses(AutoConfigurations.of(shuffled)));
    assertThat(order)
        .containsSubsequence(
            LoopEndpointAutoConfiguration.class,
            LoopAutoConfiguration.class,
            LoopTaskExecutionAutoConfiguration.class,
            TaskExecutionAutoConfiguration.class)
        .containsSubsequence(LoopHealthAutoConfiguration.class, LoopAutoConfiguration.class)
        .containsSubsequence(LoopMetricsAutoConfiguration.class, LoopAutoConfiguration.class)
        .containsSubsequence(LoopAutoConfiguration.class, LoopWebAutoConfiguration.class)
        .containsSubsequence(
            LoopTaskExecutionAutoConfiguration.class, TaskSchedulingAutoConfiguration.class);
  }

  // ---- each bean steps back

  private static Arguments own(String ours, Class<?> type, Supplier<?> bean) {
    return Arguments.of(ours, type, bean);
  }

  static Stream<Arguments> replacements() {
    return Stream.of(
        own("loop", Loop.class, () -> Loop.builder().handleSignals(false).build()),
        own("loopBuilder", Loop.Builder.class, () -> Loop.builder().handleSignals(false)),
        own("loopLifecycle", LoopLifecycle.class, ConditionsTest::lifecycle),
        own("observationCarrier", ObservationCarrier.class, ObservationCarrier::create),
        own("mdcCarrier", MdcCarrier.class, MdcCarrier::create),
        own("loopMetrics", LoopMetrics.class, () -> LoopMetrics.builder("own").build()),
        own("recentFailures", RecentFailures.class, () -> new RecentFailures(1)),
        own("failuresEndpoint", FailuresEndpoint.class, ConditionsTest::failures),
        own("tasksEndpoint", TasksEndpoint.class, ConditionsTest::tasks),
        own("tasksWebEndpoint", TasksWebEndpoint.class, () -> new TasksWebEndpoint(tasks())),
        own("loopHealth", Health.class, ConditionsTest::health),
        own("asyncConfigurer", AsyncConfigurer.class, () -> new AsyncConfigurer() {}));
  }

  private static LoopLifecycle lifecycle() {
    var limits = new SelvedgeProperties.Shutdown(Duration.ZERO, Duration.ZERO);
    return new LoopLifecycle(new DefaultListableBeanFactory(), limits, Duration.ZERO);
  }

  private static FailuresEndpoint failures() {
    return new FailuresEndpoint(new RecentFailures(1));
  }

  private static TasksEndpoint tasks() {
    return new TasksEndpoint(List::of, new TaskCounts());
  }

  private static Health health() {
    return Health.create(1, Duration.ofSeconds(1), Duration.ofSeconds(1));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("replacements")
  <T> void eachBeanStepsBackForOneOfTheApplications(String ours, Class<T> type, Supplier<T> own) {
    var web =
        new WebApplicationContextRunner()
            .withConfiguration(ALL)
            .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
            .withPropertyValues(EXPOSED, "selvedge.console.enabled=true");
    web.run(context -> assertThat(context).hasBean(ours));
    web.withBean("own", type, own)
        .run(context -> {
          assertThat(context).hasNotFailed().doesNotHaveBean(ours).hasSingleBean(type);
          // Ours would have been closed by the lifecycle that was replaced.
          context.getBeansOfType(Loop.class).values().forEach(Loop::close);
        });
  }

  @Test
  void theHealthIndicatorStepsBackByItsName() {
    runner
        .withBean("selvedgeHealthIndicator", HealthIndicator.class, () -> () -> null)
        .run(context -> assertThat(context).doesNotHaveBean(LoopHealthIndicator.class));
  }

  // ---- what has to be there

  @ParameterizedTest
  @CsvSource({"tasks, true, false", "failures, false, true"})
  void anEndpointThatIsNotExposedIsNotThere(String exposed, boolean tasks, boolean failures) {
    runner
        .withPropertyValues("management.endpoints.web.exposure.include=" + exposed)
        .run(context -> {
          assertThat(context.containsBean("tasksEndpoint")).isEqualTo(tasks);
          assertThat(context.containsBean("taskCounts")).isEqualTo(tasks);
          assertThat(context.containsBean("taskCountsCustomizer")).isEqualTo(tasks);
          assertThat(context.containsBean("failuresEndpoint")).isEqualTo(failures);
          assertThat(context.containsBean("recentFailures")).isEqualTo(failures);
          assertThat(context.containsBean("recentFailuresCustomizer")).isEqualTo(failures);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"tasks", "failures"})
  void anEndpointWithoutAccessIsNotThere(String id) {
    runner
        .withPropertyValues(EXPOSED, "management.endpoint." + id + ".access=NONE")
        .run(context -> assertThat(context).doesNotHaveBean(id + "Endpoint"));
  }

  @Test
  void theConsoleNeedsItsPropertyItsEndpointAndTheWeb() {
    String enabled = "selvedge.console.enabled=true";
    var web = new WebApplicationContextRunner().withConfiguration(ALL);
    web.withPropertyValues(EXPOSED, enabled)
        .run(context -> assertThat(context).hasSingleBean(TasksWebEndpoint.class));
    web.withPropertyValues(EXPOSED)
        .run(context -> assertThat(context).doesNotHaveBean(TasksWebEndpoint.class));
    web.withPropertyValues(EXPOSED, "selvedge.console.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(TasksWebEndpoint.class));
    web.withPropertyValues(enabled)
        .run(context -> assertThat(context).doesNotHaveBean(TasksWebEndpoint.class));
    runner
        .withPropertyValues(EXPOSED, enabled)
        .run(context -> assertThat(context).doesNotHaveBean(TasksWebEndpoint.class));
  }

  @Test
  void aReactiveApplicationHasTheEndpointsAndNoFilters() {
    new ReactiveWebApplicationContextRunner()
        .withConfiguration(ALL)
        .withPropertyValues(EXPOSED, "selvedge.web.deadline=1s")
        .run(context ->
            assertThat(context)
                .hasSingleBean(Loop.class)
                .hasSingleBean(TasksEndpoint.class)
                .hasSingleBean(FailuresEndpoint.class)
                .doesNotHaveBean("requestLoopFilter")
                .doesNotHaveBean("requestDeadlineFilter"));
  }

  static Stream<Arguments> missing() {
    return Stream.of(
        Arguments.of(
            "the actuator", "tasksEndpoint", new String[] {Endpoint.class.getPackageName()}),
        Arguments.of("health", "loopHealth", new String[] {HealthIndicator.class.getPackageName()}),
        Arguments.of("meters", "loopMetrics", new String[] {"io.micrometer.core"}),
        Arguments.of(
            "context propagation",
            "observationCarrier",
            new String[] {ContextSnapshotFactory.class.getPackageName()}),
        Arguments.of("the servlet API", "requestLoopFilter", new String[] {"jakarta.servlet"}),
        Arguments.of("Spring's web", "requestLoopFilter", new String[] {"org.springframework.web"}),
        Arguments.of(
            "Spring Boot's servlets",
            "requestLoopFilter",
            new String[] {FilterRegistrationBean.class.getPackageName()}));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("missing")
  void withoutAnOptionalDependencyOnlyItsOwnIsMissing(String what, String bean, String[] packages) {
    runner
        .withPropertyValues(EXPOSED, "selvedge.web.deadline=1s")
        .withClassLoader(new FilteredClassLoader(packages))
        .run(context -> {
          assertThat(context).as(what).hasNotFailed().hasSingleBean(Loop.class);
          assertThat(context).doesNotHaveBean(bean);
          assertThat(context.getBean(Loop.class).createTask(() -> 1).await()).isEqualTo(1);
        });
  }

  @Configuration(proxyBeanMethods = false)
  static class TwoLoops {
    @Bean
    Loop first(Loop.Builder builder) {
      return builder.name("first").build();
    }

    @Bean
    Loop second(Loop.Builder builder) {
      return builder.name("second").build();
    }
  }

  @Test
  void severalLoopsOfWhichNoneIsPrimaryRunNoAnnotatedMethods() {
    runner
        .withUserConfiguration(TwoLoops.class)
        .run(context ->
            assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(LoopTaskExecutor.class)
                .doesNotHaveBean(AsyncConfigurer.class));
  }

  @Configuration(proxyBeanMethods = false)
  @EnableScheduling
  static class Scheduling {}

  @Test
  void aSchedulerIsThereOnlyIfSomethingMayBeScheduled() {
    runner.run(context -> assertThat(context).doesNotHaveBean(LoopTaskScheduler.class));
    runner
        .withUserConfiguration(Scheduling.class)
        .run(context ->
            assertThat(context)
                .hasBean(TaskManagementConfigUtils.SCHEDULED_ANNOTATION_PROCESSOR_BEAN_NAME)
                .hasSingleBean(LoopTaskScheduler.class));
  }

  // ---- properties

  @ParameterizedTest
  @CsvSource({"true, true", "false, false"})
  void distributionsAreOnRequest(boolean property, boolean distributions) {
    runner
        .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
        .withPropertyValues("selvedge.metrics.distributions=" + property)
        .run(context -> {
          MeterRegistry registry = context.getBean(MeterRegistry.class);
          LoopMetrics metrics = context.getBean(LoopMetrics.class);
          metrics.bindTo(registry);
          context.getBean(Loop.class).createTask("measured", () -> 1).await();
          await().until(() -> registry.find("selvedge.tasks").meter() != null);
          // Without them it is a count and a sum.
          assertThat(registry.find("selvedge.tasks").timer() != null).isEqualTo(distributions);
          metrics.close();
        });
  }

  @Test
  void aTaskThatGoesOnIsNamedAfterTheStragglerWarning() {
    runner
        .withPropertyValues("selvedge.straggler-warning=10ms")
        .run(context -> {
          var begun = new CountDownLatch(1);
          var go = new CountDownLatch(1);
          Task<Void, RuntimeException> task =
              context
                  .getBean(Loop.class)
                  .createTask(() ->
                      Task.shielded(() -> {
                        begun.countDown();
                        awaitIt(go);
                      }));
          begun.await();
          task.cancel();
          await().until(() -> !reported.contexts().isEmpty());
          assertThat(reported.contexts().getFirst().future()).isEqualTo(task);
          go.countDown();
          task.awaitDone();
        });
  }

  private static void awaitIt(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError("it is shielded", e);
    }
  }

  @Test
  void healthTakesAsManyFailuresWithinItsWindow() {
    runner
        .withPropertyValues("selvedge.health.failures=2", "selvedge.health.window=1h")
        .run(context -> {
          LoopHealthIndicator indicator = context.getBean(LoopHealthIndicator.class);
          fail(context.getBean(Loop.class));
          await().until(() -> reported.contexts().size() == 1);
          assertThat(indicator.health().getStatus()).isEqualTo(Status.UP);
          fail(context.getBean(Loop.class));
          await().until(() -> indicator.health().getStatus().equals(Status.DOWN));
        });
  }

  private static void fail(Loop loop) {
    loop.launch(() -> {
      throw new IllegalStateException("background");
    });
  }
}
