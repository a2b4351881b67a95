package dev.selvedge.spring;

import dev.selvedge.handlers.micrometer.LoopMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/**
 * The meters of the application's loop, which Spring Boot binds to its registries.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
    before = LoopAutoConfiguration.class,
    afterName = {
      "org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration",
      "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration"
    })
@ConditionalOnClass(MeterRegistry.class)
@ConditionalOnBean(MeterRegistry.class)
@ConditionalOnProperty(name = "selvedge.metrics.enabled", matchIfMissing = true)
public final class LoopMetricsAutoConfiguration {
  LoopMetricsAutoConfiguration() {}

  @Bean
  @ConditionalOnMissingBean
  LoopMetrics loopMetrics(SelvedgeProperties properties, Environment environment) {
    return LoopMetrics.builder(LoopAutoConfiguration.name(properties, environment))
        .distributions(properties.metrics().distributions())
        .build();
  }
}
