package dev.selvedge.spring;

import jakarta.servlet.Filter;
import java.time.Duration;
import java.util.Objects;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Deadlines of requests, in servlet applications.
 *
 * @since 0.1.0
 */
@AutoConfiguration(after = LoopAutoConfiguration.class)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass({Filter.class, OncePerRequestFilter.class, FilterRegistrationBean.class})
public final class LoopWebAutoConfiguration {
  LoopWebAutoConfiguration() {}

  @Bean
  @ConditionalOnProperty("selvedge.web.deadline")
  @ConditionalOnMissingBean(RequestDeadlineFilter.class)
  FilterRegistrationBean<RequestDeadlineFilter> requestDeadlineFilter(
      SelvedgeProperties properties) {
    Duration deadline = Objects.requireNonNull(properties.web().deadline());
    var registration = new FilterRegistrationBean<>(new RequestDeadlineFilter(deadline));
    // Inside of what observes requests, so that these see the answer.
    registration.setOrder(Ordered.LOWEST_PRECEDENCE - 100);
    return registration;
  }
}
