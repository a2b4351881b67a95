package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link LoopExceptionHandler} is told: the {@code context} of asyncio's handlers.
 *
 * @param message what happened
 * @param exception the failure; null for a warning
 * @param future the task that it is about; null when there is none
 * @param details anything else, by name, without nulls; {@link #asMap} shows one named as another
 *     component only in the absence of that
 * @since 0.1.0
 */
public record ExceptionContext(
    String message,
    @Nullable Throwable exception,
    @Nullable Task<?, ?> future,
    Map<String, Object> details) {

  /**
   * Checks the components and copies the details.
   *
   * @throws NullPointerException if the message, the details, or one of them is null
   */
  public ExceptionContext {
    requireNonNull(message, "message");
    details.forEach((name, value) -> requireNonNull(value, () -> "details: " + name));
    details = Map.copyOf(details);
  }

  /**
   * The same as one map, as asyncio passes it.
   *
   * @return {@code "message"}, {@code "exception"}, {@code "future"} and the details, in this
   *     order; absent keys are absent; unmodifiable
   */
  public Map<String, Object> asMap() {
    var map = new LinkedHashMap<String, Object>();
    map.put("message", message);
    if (exception != null) {
      map.put("exception", exception);
    }
    if (future != null) {
      map.put("future", future);
    }
    details.keySet().stream().sorted().forEach(key -> map.putIfAbsent(key, details.get(key)));
    return Collections.unmodifiableMap(map);
  }
}
