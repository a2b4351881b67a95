package dev.selvedge.handlers;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.handlers.Journal.Entry;
import dev.selvedge.handlers.Journal.ExceptionEntry;
import dev.selvedge.handlers.Journal.TaskEntry;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** The entries of a journal as lines. */
final class Lines {
  /** Far below what Jackson nests and a stack holds. */
  private static final int MOST_DEPTH = 100;

  private static final JsonMapper JSON = JsonMapper.shared();

  private Lines() {}

  static byte[] write(Loop loop, ExceptionContext context) {
    Task<?, ?> task = context.future();
    Throwable exception = context.exception();
    var details = new TreeMap<String, String>();
    context.details().forEach((key, value) -> details.put(key, text(value::toString)));
    var entry =
        new Entry(
            loop.clock().instant(),
            loop.name(),
            context.message(),
            task == null ? null : new TaskEntry(task.name(), task.id(), task.ownerName()),
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
    String message = text(exception::getMessage);
    if (!seen.add(exception) || depth == MOST_DEPTH) {
      return new ExceptionEntry(type, message, List.of(), null, List.of(), true);
    }
    List<String> stack =
        Arrays.stream(exception.getStackTrace()).map(StackTraceElement::toString).toList();
    Throwable cause = exception.getCause();
    ExceptionEntry ofCause = cause == null ? null : entry(cause, seen, depth + 1);
    var suppressed = new ArrayList<ExceptionEntry>();
    for (Throwable each : exception.getSuppressed()) {
      suppressed.add(entry(each, seen, depth + 1));
    }
    return new ExceptionEntry(type, message, stack, ofCause, suppressed, false);
  }

  /** A broken exception must not keep the report out of the journal. */
  private static @Nullable String text(Supplier<@Nullable String> text) {
    try {
      return text.get();
    } catch (RuntimeException broken) {
      return "(no text: " + broken.getClass().getName() + ")";
    }
  }

  /** The entries of one file; to be closed. */
  static Stream<Entry> read(Path file) {
    InputStream in;
    try {
      in = new BufferedInputStream(Files.newInputStream(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Stream.generate(() -> next(in))
        .takeWhile(line -> line.length > 0)
        .map(line -> parse(line, file))
        .onClose(() -> close(in));
  }

  /** The next line without its end; empty if there is none, or none that has an end. */
  private static byte[] next(InputStream in) {
    var line = new ByteArrayOutputStream();
    try {
      for (int each; (each = in.read()) != '\n'; ) {
        if (each < 0) {
          return new byte[0];
        }
        line.write(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return line.toByteArray();
  }

  private static Entry parse(byte[] line, Path file) {
    try {
      return JSON.readValue(line, Entry.class);
    } catch (JacksonException e) {
      throw new UncheckedIOException(
          new IOException(file + " has a line that is not an entry: " + e.getOriginalMessage(), e));
    }
  }

  private static void close(InputStream in) {
    try {
      in.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
