package dev.selvedge.spring;

import static jakarta.servlet.DispatcherType.ASYNC;
import static jakarta.servlet.DispatcherType.ERROR;
import static jakarta.servlet.DispatcherType.REQUEST;

import dev.selvedge.Loop;
import jakarta.servlet.Filter;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Objects;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingFilterBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * The loop of requests, and their deadlines, in servlet applications.
 *
 * @since 0.1.0
 */
@AutoConfiguration(after = LoopAutoConfiguration.class)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass({Filter.class, OncePerRequestFilter.class, FilterRegistrationBean.class})
public final class LoopWebAutoConfiguration {
  LoopWebAutoConfiguration() {}

  /** None if there are several loops and none is the application's. */
  @Bean
  @ConditionalOnSingleCandidate(Loop.class)
  @ConditionalOnMissingFilterBean
  FilterRegistrationBean<RequestLoopFilter> requestLoopFilter(Loop loop) {
    var registration = new FilterRegistrationBean<>(new RequestLoopFilter(loop));
    registration.setDispatcherTypes(EnumSet.of(REQUEST, ASYNC, ERROR));
    // Around the application's own filters, which may gather, too.
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE + 10);
    return registration;
  }

  @Bean
  @ConditionalOnProperty("selvedge.web.deadline")
  @ConditionalOnMissingFilterBean
  FilterRegistrationBean<RequestDeadlineFilter> requestDeadlineFilter(
      SelvedgeProperties properties) {
    Duration deadline = Objects.requireNonNull(properties.web().deadline());
    var registration = new FilterRegistrationBean<>(new RequestDeadlineFilter(deadline));
    // Inside of what observes requests, so that these see the answer.
    registration.setOrder(Ordered.LOWEST_PRECEDENCE - 100);
    return registration;
  }
}
