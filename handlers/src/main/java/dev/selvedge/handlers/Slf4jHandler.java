package dev.selvedge.handlers;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/** Apart from {@link Handlers}, which has to work without SLF4J. */
final class Slf4jHandler implements LoopExceptionHandler {
  private static final Pattern CONTROL = Pattern.compile("[\\x00-\\x1f\\x7f-\\x9f]");

  private final Logger logger;

  Slf4jHandler(Logger logger) {
    this.logger = logger;
  }

  @Override
  public void handle(Loop loop, ExceptionContext context) {
    LoggingEventBuilder event =
        logger
            .atLevel(context.exception() == null ? Level.WARN : Level.ERROR)
            .setCause(context.exception());
    // Most layouts print no pairs.
    var message = new StringJoiner(", ", context.message() + " [", "]");
    for (var pair : pairs(loop, context)) {
      event = event.addKeyValue(pair.getKey(), pair.getValue());
      message.add(pair.getKey() + "=" + Answers.text(pair.getValue()::toString));
    }
    event.log(escape(message.toString()));
  }

  private static List<Map.Entry<String, Object>> pairs(Loop loop, ExceptionContext context) {
    var pairs = new ArrayList<Map.Entry<String, Object>>();
    pairs.add(Map.entry("loop", loop.name()));
    Task<?, ?> task = context.future();
    if (task != null) {
      pairs.add(Map.entry("task", task.name()));
      pairs.add(Map.entry("id", task.id()));
      pairs.add(Map.entry("owner", task.ownerName()));
    }
    pairs.addAll(new TreeMap<>(context.details()).entrySet());
    return pairs;
  }

  /** As the default handler does. */
  private static String escape(String text) {
    return CONTROL
        .matcher(text)
        .replaceAll(found ->
            switch (found.group()) {
              case "\n" -> "\\\\n";
              case "\r" -> "\\\\r";
              case "\t" -> "\\\\t";
              default -> "\\\\u%04x".formatted((int) found.group().charAt(0));
            });
  }
}
