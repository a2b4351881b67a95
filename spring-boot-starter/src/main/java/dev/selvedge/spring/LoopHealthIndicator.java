package dev.selvedge.spring;

import static java.util.Objects.requireNonNull;

import dev.selvedge.handlers.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Shows a {@link Health}: down after failures that nobody has read, up again after a quiet time.
 *
 * @since 0.1.0
 */
public final class LoopHealthIndicator implements HealthIndicator {
  private final Health health;

  /**
   * An indicator.
   *
   * @param health what it shows; has to be among the loop's exception handlers
   */
  public LoopHealthIndicator(Health health) {
    this.health = requireNonNull(health, "health");
  }

  @Override
  public org.springframework.boot.health.contributor.Health health() {
    Health.Status status = health.status();
    var shown =
        status.up()
            ? org.springframework.boot.health.contributor.Health.up()
            : org.springframework.boot.health.contributor.Health.down();
    shown.withDetail("since", status.since()).withDetail("failures", status.failures());
    Throwable last = status.last();
    if (last != null) {
      shown.withDetail("last", Texts.describe(last));
    }
    return shown.build();
  }
}
