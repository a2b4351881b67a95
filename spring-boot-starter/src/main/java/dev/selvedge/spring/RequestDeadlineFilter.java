package dev.selvedge.spring;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Timeout;
import dev.selvedge.TimeoutBody;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Gives every request a limit in time. When it is reached, what the request's thread waits for is
 * cancelled: a gather with all its children, for one. The client gets 503 unless the response has
 * begun; failures of the clean-up in what was cancelled go to the loop's exception handler.
 *
 * <p>{@link Timeout#deadline} tells the code of the request when that will be. Work that goes on
 * after the thread has returned, as that of asynchronous requests does, is not limited.
 *
 * @since 0.1.0
 */
public final class RequestDeadlineFilter extends OncePerRequestFilter {
  private final Duration limit;

  /**
   * A filter.
   *
   * @param limit how long a request may take; more than zero
   * @throws IllegalArgumentException if it is zero or negative
   */
  public RequestDeadlineFilter(Duration limit) {
    if (!requireNonNull(limit, "limit").isPositive()) {
      throw new IllegalArgumentException("the limit is " + limit + ": it has to be more than zero");
    }
    this.limit = limit;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    TimeoutBody<Boolean, Exception> body =
        timeout -> {
          chain.doFilter(request, response);
          // An error page for the interrupt may have been made: the limit is what there is to say.
          return timeout.expired();
        };
    boolean expired;
    try {
      expired = Timeout.within(limit, body);
    } catch (TimeoutException e) {
      CleanUpFailures.report(e);
      expired = true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ServletException("the request was cancelled", e);
    } catch (ServletException | IOException | RuntimeException e) {
      if (!isLimit(e)) {
        throw e;
      }
      CleanUpFailures.report(e);
      expired = true;
    } catch (Exception e) {
      throw new ServletException(e);
    }
    if (expired && !response.isCommitted()) {
      response.reset();
      response.sendError(
          HttpServletResponse.SC_SERVICE_UNAVAILABLE,
          "not done within " + limit.toMillis() + " ms");
    }
  }

  /** Whether an exception is what became of the interrupt: the limit leaves itself in it. */
  private static boolean isLimit(Exception thrown) {
    boolean limited = false;
    for (Throwable suppressed : thrown.getSuppressed()) {
      limited |= suppressed instanceof TimeoutException;
    }
    if (!limited) {
      return false;
    }
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof InterruptedException) {
        return true;
      }
    }
    return false;
  }
}
