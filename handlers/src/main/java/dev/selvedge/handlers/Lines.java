package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.handlers.Journal.Entry;
import dev.selvedge.handlers.Journal.ExceptionEntry;
import dev.selvedge.handlers.Journal.TaskEntry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/** The entries of a journal as lines. */
final class Lines {
  /** Far below what Jackson nests and a stack holds. */
  private static final int MOST_DEPTH = 100;

  /** Reads whatever it has written, however long. */
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxStringLength(Integer.MAX_VALUE)
                          .maxNameLength(Integer.MAX_VALUE)
                          .build())
                  .build())
          .build();

  private Lines() {}

  /**
   * Loads all that a report needs: a process without a file descriptor left cannot, and a class
   * whose initialization failed is never tried again.
   */
  static void load() {
    var failure = new IOException("", new IOException());
    failure.addSuppressed(new IOException());
    var context = new ExceptionContext("", failure, null, Map.of("", ""));
    byte[] line = write(Instant.EPOCH, "", context, new TaskEntry("", 0, ""));
    requireNonNull(parse(line));
  }

  static byte[] write(Loop loop, ExceptionContext context) {
    Task<?, ?> task = context.future();
    TaskEntry ofTask =
        task == null ? null : new TaskEntry(task.name(), task.id(), task.ownerName());
    return write(loop.clock().instant(), loop.name(), context, ofTask);
  }

  private static byte[] write(
      Instant time, String loop, ExceptionContext context, @Nullable TaskEntry task) {
    Throwable exception = context.exception();
    var details = new TreeMap<String, String>();
    context.details().forEach((key, value) -> details.put(key, "" + Answers.text(value::toString)));
    var entry =
        new Entry(
            time,
            loop,
            context.message(),
            task,
            exception == null ? null : entry(exception, seen(), 0),
            details);
    String json = JSON.writeValueAsString(entry);
    return (json + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static Set<Throwable> seen() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  private static ExceptionEntry entry(Throwable exception, Set<Throwable> seen, int depth) {
    String type = exception.getClass().getName();
    String message = Answers.text(exception::getMessage);
    if (depth == MOST_DEPTH || !seen.add(exception)) {
      return new ExceptionEntry(type, message, List.of(), null, List.of(), true);
    }
    List<String> stack =
        Arrays.stream(Answers.frames(exception)).map(StackTraceElement::toString).toList();
    Throwable cause = Answers.cause(exception);
    ExceptionEntry ofCause = cause == null ? null : entry(cause, seen, depth + 1);
    var suppressed = new ArrayList<ExceptionEntry>();
    for (Throwable each : exception.getSuppressed()) {
      suppressed.add(entry(each, seen, depth + 1));
    }
    return new ExceptionEntry(type, message, stack, ofCause, suppressed, false);
  }

  /** The entry of a line; null if it is none, though it may be JSON. */
  @SuppressWarnings("ConstantValue") // Jackson knows nothing of what must not be null
  static @Nullable Entry parse(byte[] line) {
    Entry entry = JSON.readValue(line, Entry.class);
    return entry == null
            || entry.time() == null
            || entry.loop() == null
            || entry.message() == null
            || entry.details() == null
        ? null
        : entry;
  }
}
