package dev.selvedge.spring;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.TaskCancelledException;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Makes a loop the current one of the threads of requests: what they gather and fork belongs to it,
 * with its context, meters, exception handler and place in the tree of tasks.
 *
 * <p>A request that is still running when the loop closes is cancelled, and one that comes later is
 * not begun: both are answered with 503, unless the response has begun or the web server has gone
 * by then. Failures of the clean-up in what was cancelled go to the loop's exception handler.
 *
 * @since 0.1.0
 */
public final class RequestLoopFilter extends OncePerRequestFilter {
  private final Loop loop;

  /**
   * A filter.
   *
   * @param loop the loop
   */
  public RequestLoopFilter(Loop loop) {
    this.loop = requireNonNull(loop, "loop");
  }

  /** {@return false: an asynchronous request comes back in another thread} */
  @Override
  protected boolean shouldNotFilterAsyncDispatch() {
    return false;
  }

  /** {@return false: an error page may gather, too} */
  @Override
  protected boolean shouldNotFilterErrorDispatch() {
    return false;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    var begun = new boolean[1];
    var ended = new boolean[1];
    try {
      loop.<Exception>asCurrent(() -> {
        begun[0] = true;
        try {
          chain.doFilter(request, response);
        } catch (Exception e) {
          ended[0] = isCancellation(e) && isLoopClosing();
          if (ended[0]) {
            // While the loop still waits for this request.
            CleanUpFailures.report(e);
          }
          throw e;
        }
      });
    } catch (Exception e) {
      boolean refused =
          !begun[0]
              && (e instanceof RejectedExecutionException || e instanceof IllegalStateException);
      if (!refused && !ended[0]) {
        throw asServletFailure(e);
      }
      if (!response.isCommitted()) {
        response.reset();
        response.sendError(
            HttpServletResponse.SC_SERVICE_UNAVAILABLE, "the application is shutting down");
      }
    }
  }

  private static boolean isLoopClosing() {
    return CancelReason.current()
        .filter(reason -> reason.source() == CancelReason.Source.SHUTDOWN)
        .isPresent();
  }

  private static boolean isCancellation(Exception thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof TaskCancelledException || cause instanceof InterruptedException) {
        return true;
      }
    }
    return false;
  }

  /** What a filter may throw. Throws an exception that is unchecked, or an input or output's. */
  private static ServletException asServletFailure(Exception thrown) throws IOException {
    return switch (thrown) {
      case ServletException failure -> failure;
      case IOException failure -> throw failure;
      case RuntimeException failure -> throw failure;
      case InterruptedException interrupted -> {
        Thread.currentThread().interrupt();
        yield new ServletException("the request was cancelled", interrupted);
      }
      default -> new ServletException(thrown);
    };
  }
}
