package dev.selvedge.spring;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/**
 * The last failures that nobody has read, and warnings.
 *
 * @since 0.1.0
 */
@Endpoint(id = "failures")
public final class FailuresEndpoint {
  /**
   * The last reports.
   *
   * @param total how many there were since the application started
   * @param reports the newest first, at most {@code selvedge.failures.keep}
   * @since 0.1.0
   */
  public record Failures(long total, List<RecentFailures.Report> reports)
      implements OperationResponseBody {}

  private final RecentFailures recent;

  FailuresEndpoint(RecentFailures recent) {
    this.recent = recent;
  }

  /**
   * The last reports.
   *
   * @param limit at most so many, zero or more; all that are kept if null
   * @return the reports
   * @throws InvalidEndpointRequestException if the limit is negative
   */
  @ReadOperation
  public Failures failures(@Nullable Integer limit) {
    if (limit != null && limit < 0) {
      throw new InvalidEndpointRequestException(
          "limit is " + limit, "limit is " + limit + ": it has to be zero or more");
    }
    return new Failures(recent.total(), recent.latest(limit == null ? Integer.MAX_VALUE : limit));
  }
}
