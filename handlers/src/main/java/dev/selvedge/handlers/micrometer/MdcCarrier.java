package dev.selvedge.handlers.micrometer;

import dev.selvedge.Body;
import dev.selvedge.ContextCarrier;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Gives a task the logging context of the thread that forks it: SLF4J's {@link MDC}. Needs SLF4J
 * alone.
 *
 * {@snippet file="dev/selvedge/handlers/micrometer/SamplesTest.java" region="mdc"}
 *
 * <p>The task has a copy: what it changes nobody else sees. While the exception handler is called
 * for a failure, the context of the failed task is in place.
 *
 * @since 0.1.0
 */
public final class MdcCarrier implements ContextCarrier {
  private static final MdcCarrier INSTANCE = new MdcCarrier();

  private MdcCarrier() {}

  /**
   * The carrier, for {@code Loop.builder().carry}.
   *
   * @return always the same
   */
  public static MdcCarrier create() {
    return INSTANCE;
  }

  @Override
  public <T extends @Nullable Object, X extends Exception> Body<T, X> carry(Body<T, X> body) {
    Map<String, String> context = MDC.getCopyOfContextMap();
    if (context == null || context.isEmpty()) {
      return body;
    }
    return () -> {
      Map<String, String> before = MDC.getCopyOfContextMap();
      MDC.setContextMap(context);
      try {
        return body.call();
      } finally {
        if (before == null) {
          MDC.clear();
        } else {
          MDC.setContextMap(before);
        }
      }
    };
  }
}
