package dev.selvedge.spring;

import dev.selvedge.handlers.Health;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/**
 * The health indicator {@code selvedge}.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
    before = LoopAutoConfiguration.class,
    beforeName =
        "org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration")
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnEnabledHealthIndicator("selvedge")
public final class LoopHealthAutoConfiguration {
  LoopHealthAutoConfiguration() {}

  /** A handler of the loop, for it is a {@code LoopExceptionHandler}. */
  @Bean
  @ConditionalOnMissingBean
  Health loopHealth(SelvedgeProperties properties) {
    SelvedgeProperties.Health settings = properties.health();
    return Health.create(settings.failures(), settings.window(), settings.quiet());
  }

  /** None if there are several and none is the application's. */
  @Bean
  @ConditionalOnSingleCandidate(Health.class)
  @ConditionalOnMissingBean(name = "selvedgeHealthIndicator")
  LoopHealthIndicator selvedgeHealthIndicator(Health health) {
    return new LoopHealthIndicator(health);
  }
}
