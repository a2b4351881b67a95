package dev.selvedge.spring;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.EndpointWebExtension;
import org.springframework.util.MimeType;

/**
 * The tasks endpoint with a page for browsers, {@code tasks/console}, which shows what this and the
 * failures endpoint say.
 *
 * @since 0.1.0
 */
@EndpointWebExtension(endpoint = TasksEndpoint.class)
public final class TasksWebEndpoint {
  private static final String CONSOLE = "console";
  private static final MimeType HTML = new MimeType("text", "html", StandardCharsets.UTF_8);
  private static final MimeType JSON = new MimeType("application", "json");

  private final TasksEndpoint endpoint;

  TasksWebEndpoint(TasksEndpoint endpoint) {
    this.endpoint = endpoint;
  }

  /**
   * One task with its stack, or the page.
   *
   * @param id the id of the task, or {@code console}
   * @return the task or the page; not found if no task has this id
   */
  @ReadOperation
  public WebEndpointResponse<Object> task(@Selector String id) {
    return answer(id, null);
  }

  /** The same for who asks for pages: the other one takes the place of the plain operation. */
  @ReadOperation(produces = "text/html")
  WebEndpointResponse<Object> taskForBrowsers(@Selector String id) {
    return answer(id, JSON);
  }

  private WebEndpointResponse<Object> answer(String id, @Nullable MimeType type) {
    if (id.equals(CONSOLE)) {
      return new WebEndpointResponse<>(page(), WebEndpointResponse.STATUS_OK, HTML);
    }
    var task = endpoint.task(id);
    return task == null
        ? new WebEndpointResponse<>(WebEndpointResponse.STATUS_NOT_FOUND)
        : new WebEndpointResponse<>(task, WebEndpointResponse.STATUS_OK, type);
  }

  private static String page() {
    try (InputStream page = TasksWebEndpoint.class.getResourceAsStream("console.html")) {
      return new String(
          requireNonNull(page, "console.html").readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
