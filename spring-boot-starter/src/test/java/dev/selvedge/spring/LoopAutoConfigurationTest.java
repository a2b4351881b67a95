package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.selvedge.ContextCarrier;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import dev.selvedge.handlers.Health;
import dev.selvedge.handlers.Watchdog;
import dev.selvedge.handlers.micrometer.LoopMetrics;
import dev.selvedge.handlers.micrometer.MdcCarrier;
import dev.selvedge.handlers.micrometer.ObservationCarrier;
import dev.selvedge.testkit.SelvedgeExtension;
import io.micrometer.context.ContextSnapshotFactory;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

/** What an application has by adding the dependency, and how it has something else. */
class LoopAutoConfigurationTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  private static final ScopedValue<String> TENANT = ScopedValue.newInstance();

  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  LoopAutoConfiguration.class, LoopMetricsAutoConfiguration.class));

  @Test
  void anApplicationHasALoopThatItsContextCloses() {
    var loops = new ArrayList<Loop>();
    runner.run(context -> {
      Loop loop = context.getBean(Loop.class);
      loops.add(loop);
      assertThat(loop.name()).isEqualTo("application");
      assertThat(loop.createTask(() -> "value").await()).isEqualTo("value");
    });
    assertThat(loops.getFirst().isClosed()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "spring.application.name=shop, shop",
    "selvedge.name=own, own",
  })
  void theLoopIsNamedAfterTheApplication(String property, String name) {
    runner
        .withPropertyValues(property)
        .run(context -> assertThat(context.getBean(Loop.class).name()).isEqualTo(name));
  }

  @Test
  void anApplicationMayBringItsOwnLoop() {
    runner
        .withBean("own", Loop.class, () -> Loop.builder().name("mine").handleSignals(false).build())
        .run(context -> {
          assertThat(context).hasSingleBean(Loop.class);
          assertThat(context.getBean(Loop.class).name()).isEqualTo("mine");
        });
  }

  @Configuration(proxyBeanMethods = false)
  static class SecondLoop {
    @Bean(defaultCandidate = false)
    @Qualifier("batch")
    Loop batch(Loop.Builder builder) {
      return builder.name("batch").build();
    }

    @Bean
    List<String> names(Loop loop, @Qualifier("batch") Loop batch) {
      return List.of(loop.name(), batch.name());
    }
  }

  @Test
  void aSecondLoopIsInjectedByQualifierAndClosedToo() {
    var loops = new ArrayList<Loop>();
    runner
        .withUserConfiguration(SecondLoop.class)
        .run(context -> {
          assertThat(context.getBean("names")).isEqualTo(List.of("application", "batch"));
          loops.addAll(context.getBeansOfType(Loop.class).values());
        });
    assertThat(loops).hasSize(2).allMatch(Loop::isClosed);
  }

  @Test
  void withoutAHandlerFailuresAreLogged() {
    failuresAreLogged(runner);
  }

  @Test
  @DisplayName("so they are where all handlers only count them")
  void withHandlersThatShowNothing() {
    failuresAreLogged(
        runner
            .withBean(Watchdog.class, () -> Watchdog.builder().build())
            .withBean(
                Health.class,
                () -> Health.create(1, Duration.ofSeconds(1), Duration.ofSeconds(1))));
  }

  private static void failuresAreLogged(ApplicationContextRunner runner) {
    var logger = (Logger) LoggerFactory.getLogger(Loop.class);
    var appender = new ListAppender<ILoggingEvent>();
    appender.start();
    logger.addAppender(appender);
    try {
      runner.run(context ->
          context
              .getBean(Loop.class)
              .launch(
                  "broken",
                  () -> {
                    throw new IllegalStateException("nobody reads this");
                  }));
    } finally {
      logger.detachAppender(appender);
    }

    assertThat(appender.list)
        .singleElement()
        .satisfies(event -> {
          assertThat(event.getLevel()).isEqualTo(Level.ERROR);
          assertThat(event.getThrowableProxy().getMessage()).isEqualTo("nobody reads this");
        });
  }

  @Configuration(proxyBeanMethods = false)
  static class TwoHandlers {
    final Queue<String> told = new ConcurrentLinkedQueue<>();

    @Bean
    @Order(2)
    LoopExceptionHandler second() {
      return (_, context) -> told.add("second " + context.exception().getMessage());
    }

    @Bean
    @Order(1)
    LoopExceptionHandler first() {
      return (_, context) -> told.add("first " + context.exception().getMessage());
    }
  }

  @Test
  void severalHandlersAreAllToldInTheirOrder() {
    runner
        .withUserConfiguration(TwoHandlers.class)
        .run(context -> {
          context
              .getBean(Loop.class)
              .launch(() -> {
                throw new IllegalStateException("once");
              });
          context.getBean(LoopLifecycle.class).stop();
          assertThat(context.getBean(TwoHandlers.class).told)
              .containsExactly("first once", "second once");
        });
  }

  @Test
  void tasksSeeTheLoggingContextOfWhoStartsThem() {
    runner.run(context -> {
      MDC.put("request", "17");
      try {
        assertThat(context.getBean(Loop.class).createTask(() -> MDC.get("request")).await())
            .isEqualTo("17");
      } finally {
        MDC.clear();
      }
    });
  }

  @Test
  void tasksSeeTheObservationOfWhoStartsThem() {
    ObservationRegistry registry = ObservationRegistry.create();
    registry.observationConfig().observationHandler(_ -> true);
    runner.run(context -> {
      Observation outer = Observation.start("outer", registry);
      try (Observation.Scope scope = outer.openScope()) {
        assertThat(scope.getCurrentObservation()).isSameAs(outer);
        Observation seen =
            context.getBean(Loop.class).createTask(registry::getCurrentObservation).await();
        assertThat(seen).isSameAs(outer);
      } finally {
        outer.stop();
      }
    });
  }

  @ParameterizedTest
  @CsvSource({"observation, observationCarrier", "mdc, mdcCarrier"})
  void whatIsCarriedCanBeSwitchedOff(String what, String bean) {
    runner.run(context -> assertThat(context).hasBean(bean));
    runner
        .withPropertyValues("selvedge.context." + what + "=false")
        .run(context -> assertThat(context).doesNotHaveBean(bean));
  }

  @Test
  void contextCarriersOfTheApplicationAreAdded() {
    var carried = new ConcurrentLinkedQueue<String>();
    runner
        .withBean(
            ContextCarrier.class,
            () ->
                new ContextCarrier() {
                  @Override
                  public <T, X extends Exception> dev.selvedge.Body<T, X> carry(
                      dev.selvedge.Body<T, X> body) {
                    carried.add("carried");
                    return body;
                  }
                })
        .run(context -> {
          assertThat(context.getBeansOfType(ContextCarrier.class)).hasSize(3);
          context.getBean(Loop.class).createTask(() -> "value").await();
          assertThat(carried).containsExactly("carried");
        });
  }

  @Configuration(proxyBeanMethods = false)
  static class ScopedValues {
    @Bean
    ScopedValue<String> tenant() {
      return TENANT;
    }
  }

  @Test
  void scopedValuesThatAreBeansAreInherited() {
    runner
        .withUserConfiguration(ScopedValues.class)
        .run(context -> {
          String seen =
              ScopedValue.where(TENANT, "acme")
                  .call(() -> context.getBean(Loop.class).createTask(TENANT::get).await());
          assertThat(seen).isEqualTo("acme");
        });
  }

  @Test
  void customizersHaveTheLastWordForEveryLoop() {
    runner
        .withUserConfiguration(SecondLoop.class)
        .withBean(
            LoopBuilderCustomizer.class,
            () -> builder -> builder.threadFactory(Thread.ofPlatform().name("own-", 0).factory()))
        .run(context -> {
          for (Loop loop : context.getBeansOfType(Loop.class).values()) {
            String thread = loop.createTask(() -> Thread.currentThread().getName()).await();
            assertThat(thread).startsWith("own-");
          }
        });
  }

  @Test
  void listenersAreToldOfTheApplicationsTasks() {
    var started = new ConcurrentLinkedQueue<String>();
    runner
        .withBean(
            LoopListener.class,
            () ->
                new LoopListener() {
                  @Override
                  public void started(Task<?, ?> task) {
                    started.add(task.name());
                  }
                })
        .run(context -> {
          context.getBean(Loop.class).createTask("watched", () -> "value").await();
          assertThat(started).containsExactly("watched");
        });
  }

  @Test
  void debugMakesTasksRememberWhereTheyWereCreated() {
    runner
        .withPropertyValues("selvedge.debug=true")
        .run(context -> {
          var done = new CountDownLatch(1);
          Loop loop = context.getBean(Loop.class);
          Task<Void, InterruptedException> task = loop.createTask(() -> done.await());
          assertThat(task.toString()).contains("created at");
          done.countDown();
          task.await();
        });
  }

  @ParameterizedTest
  @CsvSource({
    "selvedge.straggler-warning=0s, selvedge.straggler-warning is PT0S",
    "selvedge.orphan-after=-1s, selvedge.orphan-after is PT-1S",
    "selvedge.shutdown.drain=-1s, selvedge.shutdown.drain is PT-1S",
    "selvedge.shutdown.timeout=-1s, selvedge.shutdown.timeout is PT-1S",
    "selvedge.web.deadline=0s, selvedge.web.deadline is PT0S",
    "selvedge.failures.keep=-1, selvedge.failures.keep is -1",
    "selvedge.failures.keep=10001, selvedge.failures.keep is 10001",
    "selvedge.health.failures=0, selvedge.health.failures is 0",
    "selvedge.health.window=0s, selvedge.health.window is PT0S",
    "selvedge.health.quiet=0s, selvedge.health.quiet is PT0S",
  })
  void aSettingThatMakesNoSenseIsNamed(String property, String message) {
    runner
        .withPropertyValues(property)
        .run(context ->
            assertThat(context).hasFailed().getFailure().rootCause().hasMessageContaining(message));
  }

  @Test
  void aShutdownThatSpringWouldCutShortIsRefusedWithAdvice() {
    runner
        .withPropertyValues("selvedge.shutdown.drain=25s")
        .run(context -> {
          assertThat(context).hasFailed();
          var analysis = new ShutdownPhaseFailureAnalyzer().analyze(context.getStartupFailure());
          assertThat(analysis.getDescription()).contains("PT25S", "PT10S", "PT30S");
          assertThat(analysis.getAction()).contains("spring.lifecycle.timeout-per-shutdown-phase");
        });
    runner
        .withPropertyValues(
            "selvedge.shutdown.drain=25s", "spring.lifecycle.timeout-per-shutdown-phase=40s")
        .run(context -> assertThat(context).hasNotFailed());
  }

  @Test
  void aRegistryOfMetersHasThoseOfTheLoop() {
    runner
        .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
        .run(context -> {
          LoopMetrics metrics = context.getBean(LoopMetrics.class);
          MeterRegistry registry = context.getBean(MeterRegistry.class);
          metrics.bindTo(registry);
          context.getBean(Loop.class).createTask("counted", () -> "value").await();
          assertThat(registry.get("selvedge.tasks.live").tag("loop", "application").gauge())
              .isNotNull();
          metrics.close();
        });
  }

  @Test
  void metersCanBeSwitchedOffAndNeedARegistry() {
    runner.run(context -> assertThat(context).doesNotHaveBean(LoopMetrics.class));
    runner
        .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
        .withPropertyValues("selvedge.metrics.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(LoopMetrics.class));
  }

  @Test
  void anApplicationWithoutMicrometerHasALoop() {
    runner
        .withClassLoader(
            new FilteredClassLoader(
                ContextSnapshotFactory.class.getPackageName(),
                "io.micrometer.core",
                "io.micrometer.observation"))
        .run(context -> {
          assertThat(context).hasSingleBean(Loop.class).hasSingleBean(MdcCarrier.class);
          assertThat(context).doesNotHaveBean(ObservationCarrier.class);
          assertThat(context.getBean(Loop.class).createTask(() -> 1).await()).isEqualTo(1);
        });
  }

  @Test
  void aNativeImageKeepsThePage() {
    var hints = new RuntimeHints();
    new StarterRuntimeHints().registerHints(hints, null);
    assertThat(RuntimeHintsPredicates.resource().forResource("dev/selvedge/spring/console.html"))
        .accepts(hints);
  }

  @Test
  void aLoopsThreadsAreVirtual() {
    assertThat(Threads.PLATFORM).isFalse();
    runner.run(context ->
        assertThat(
                context
                    .getBean(Loop.class)
                    .createTask(() -> Thread.currentThread().isVirtual())
                    .await())
            .isTrue());
  }
}
