package dev.selvedge.spring;

import dev.selvedge.ContextCarrier;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.LoopListener;
import dev.selvedge.handlers.Handlers;
import dev.selvedge.handlers.Health;
import dev.selvedge.handlers.Watchdog;
import dev.selvedge.handlers.micrometer.MdcCarrier;
import dev.selvedge.handlers.micrometer.ObservationCarrier;
import io.micrometer.context.ContextSnapshotFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.context.annotation.Scope;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;

/**
 * The application's {@link Loop}, what its tasks take along, who is told of its failures, and its
 * end. Every bean steps back for one of the application's.
 *
 * @since 0.1.0
 */
@AutoConfiguration
@EnableConfigurationProperties(SelvedgeProperties.class)
@ImportRuntimeHints(StarterRuntimeHints.class)
public final class LoopAutoConfiguration {
  LoopAutoConfiguration() {}

  /** New settings each time, for the application's loop and for others that it wants. */
  @Bean
  @Scope(ConfigurableBeanFactory.SCOPE_PROTOTYPE)
  @ConditionalOnMissingBean
  Loop.Builder loopBuilder(
      SelvedgeProperties properties,
      ListableBeanFactory beans,
      ObjectProvider<LoopExceptionHandler> handlers,
      ObjectProvider<ContextCarrier> carriers,
      ObjectProvider<LoopBuilderCustomizer> customizers) {
    Loop.Builder builder =
        Loop.builder()
            // Spring has a shutdown hook of its own.
            .handleSignals(false)
            .debug(properties.debug())
            .stragglerWarning(properties.stragglerWarning())
            .exceptionHandler(composed(handlers.orderedStream().toList()));
    Duration orphanAfter = properties.orphanAfter();
    if (orphanAfter != null) {
      builder.orphanAfter(orphanAfter);
    }
    beans.getBeansOfType(ScopedValue.class).values().forEach(builder::inherit);
    carriers.orderedStream().forEach(builder::carry);
    customizers.orderedStream().forEach(customizer -> customizer.customize(builder));
    return builder;
  }

  private static LoopExceptionHandler composed(List<LoopExceptionHandler> beans) {
    var handlers = new ArrayList<LoopExceptionHandler>(beans);
    if (handlers.stream().allMatch(LoopAutoConfiguration::tellsNobody)) {
      handlers.addFirst(Handlers.slf4j(LoggerFactory.getLogger(Loop.class)));
    }
    return handlers.size() == 1
        ? handlers.getFirst()
        : Handlers.all(handlers.toArray(new LoopExceptionHandler[0]));
  }

  /** What is no reason to leave out the log: it counts failures, and does not show them. */
  private static boolean tellsNobody(LoopExceptionHandler handler) {
    return handler instanceof Health || handler instanceof Watchdog;
  }

  /** Its end is {@link LoopLifecycle}'s. */
  @Bean(destroyMethod = "")
  @ConditionalOnMissingBean
  Loop loop(
      Loop.Builder builder,
      SelvedgeProperties properties,
      Environment environment,
      ObjectProvider<LoopListener> listeners) {
    listeners.orderedStream().forEach(builder::listener);
    return builder.name(name(properties, environment)).build();
  }

  static String name(SelvedgeProperties properties, Environment environment) {
    String given = properties.name();
    return given != null
        ? given
        : environment.getProperty("spring.application.name", "application");
  }

  @Bean
  @ConditionalOnMissingBean
  LoopLifecycle loopLifecycle(
      SelvedgeProperties properties,
      ConfigurableListableBeanFactory beans,
      Environment environment) {
    Duration phase =
        Binder.get(environment)
            .bind("spring.lifecycle.timeout-per-shutdown-phase", Duration.class)
            .orElse(Duration.ofSeconds(30));
    return new LoopLifecycle(beans, properties.shutdown(), phase);
  }

  @Bean
  static LoopDestruction loopDestruction() {
    return new LoopDestruction();
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(ContextSnapshotFactory.class)
  static class ObservationConfiguration {
    @Bean
    @Order(0)
    @ConditionalOnMissingBean
    @ConditionalOnProperty(name = "selvedge.context.observation", matchIfMissing = true)
    ObservationCarrier observationCarrier() {
      return ObservationCarrier.create();
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(MDC.class)
  static class MdcConfiguration {
    @Bean
    @Order(1)
    @ConditionalOnMissingBean
    @ConditionalOnProperty(name = "selvedge.context.mdc", matchIfMissing = true)
    MdcCarrier mdcCarrier() {
      return MdcCarrier.create();
    }
  }
}
