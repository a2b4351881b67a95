package dev.selvedge.handlers;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/** Apart from {@link Handlers}, which has to work without SLF4J. */
final class Slf4jHandler implements LoopExceptionHandler {
  private final Logger logger;

  Slf4jHandler(Logger logger) {
    this.logger = logger;
  }

  @Override
  public void handle(Loop loop, ExceptionContext context) {
    LoggingEventBuilder event =
        logger
            .atLevel(context.exception() == null ? Level.WARN : Level.ERROR)
            .setCause(context.exception())
            .addKeyValue("loop", loop.name());
    Task<?, ?> task = context.future();
    if (task != null) {
      event =
          event
              .addKeyValue("task", task.name())
              .addKeyValue("id", task.id())
              .addKeyValue("owner", task.ownerName());
    }
    for (var detail : new TreeMap<>(context.details()).entrySet()) {
      event = event.addKeyValue(detail.getKey(), detail.getValue());
    }
    event.log(context.message());
  }
}
