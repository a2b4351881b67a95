package dev.selvedge.spring;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;

/**
 * The endpoints {@code tasks} and {@code failures}, as far as {@code management.endpoints} exposes
 * them.
 *
 * @since 0.1.0
 */
@AutoConfiguration(before = LoopAutoConfiguration.class)
@ConditionalOnClass({Endpoint.class, ConditionalOnAvailableEndpoint.class})
public final class LoopEndpointAutoConfiguration {
  LoopEndpointAutoConfiguration() {}

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnAvailableEndpoint(FailuresEndpoint.class)
  RecentFailures recentFailures(SelvedgeProperties properties) {
    return new RecentFailures(properties.failures().keep());
  }

  @Bean
  @ConditionalOnBean(RecentFailures.class)
  LoopBuilderCustomizer recentFailuresCustomizer(RecentFailures recent) {
    return builder -> builder.listener(recent.asListener());
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnAvailableEndpoint
  FailuresEndpoint failuresEndpoint(RecentFailures recent) {
    return new FailuresEndpoint(recent);
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnAvailableEndpoint(TasksEndpoint.class)
  TaskCounts taskCounts() {
    return new TaskCounts();
  }

  @Bean
  @ConditionalOnBean(TaskCounts.class)
  LoopBuilderCustomizer taskCountsCustomizer(TaskCounts counts) {
    return builder -> builder.listener(counts.asListener());
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnAvailableEndpoint
  TasksEndpoint tasksEndpoint(ConfigurableListableBeanFactory beans, TaskCounts counts) {
    return new TasksEndpoint(() -> LoopLifecycle.loopsOf(beans), counts);
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnBean(TasksEndpoint.class)
  @ConditionalOnWebApplication
  @ConditionalOnProperty("selvedge.console.enabled")
  TasksWebEndpoint tasksWebEndpoint(TasksEndpoint endpoint) {
    return new TasksWebEndpoint(endpoint);
  }
}
