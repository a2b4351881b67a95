package dev.selvedge.handlers;

import dev.selvedge.handlers.Journal.Entry;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Reads the files of a journal, which are opened together: what becomes of their names afterwards
 * does not matter.
 *
 * <p>A rotation meanwhile gives files higher numbers. So they are opened from the newest to the
 * oldest, until there are none of a higher number; who comes by a second time is known.
 */
final class JournalReader extends Spliterators.AbstractSpliterator<Entry> {
  private record Opened(Path path, InputStream in) {}

  /** The oldest first. */
  private final ArrayDeque<Opened> files = new ArrayDeque<>();

  private JournalReader() {
    super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
  }

  /** The entries of all files; to be closed. */
  static Stream<Entry> read(Path path) throws IOException {
    var reader = new JournalReader();
    try {
      reader.open(path);
    } catch (IOException e) {
      reader.close();
      throw e;
    }
    return StreamSupport.stream(reader, false).onClose(reader::close);
  }

  private void open(Path path) throws IOException {
    var seen = new HashSet<Object>();
    int end = JournalFile.end(path);
    for (int number = 0; number < end; number++) {
      open(JournalFile.numbered(path, number), seen);
      if (number == end - 1) {
        end = Math.max(end, JournalFile.end(path));
      }
    }
    if (files.isEmpty()) {
      throw new NoSuchFileException(path.toString());
    }
  }

  private void open(Path path, Set<Object> seen) throws IOException {
    try {
      while (Files.exists(path)) {
        Object key = JournalFile.key(path);
        InputStream in = Files.newInputStream(path);
        if (Objects.equals(key, JournalFile.key(path)) && (key == null || seen.add(key))) {
          files.addFirst(new Opened(path, new BufferedInputStream(in)));
          return;
        }
        in.close();
        if (key != null && seen.contains(key)) {
          return;
        }
      }
    } catch (NoSuchFileException moved) {
      // It is found under the next number.
    }
  }

  @Override
  public boolean tryAdvance(Consumer<? super Entry> action) {
    try {
      for (Opened file; (file = files.peek()) != null; ) {
        byte[] line = next(file.in);
        if (line != null) {
          action.accept(parse(line, file.path));
          return true;
        }
        files.remove();
        file.in.close();
      }
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next line without its end; null if there is none, or none that has an end. */
  private static byte @Nullable [] next(InputStream in) throws IOException {
    var line = new ByteArrayOutputStream();
    for (int each; (each = in.read()) != '\n'; ) {
      if (each < 0) {
        return null;
      }
      line.write(each);
    }
    return line.toByteArray();
  }

  private static Entry parse(byte[] line, Path file) throws IOException {
    JacksonException why = null;
    try {
      Entry entry = Lines.parse(line);
      if (entry != null) {
        return entry;
      }
    } catch (JacksonException e) {
      why = e;
    }
    String complaint = why == null ? "" : ": " + why.getOriginalMessage();
    throw new IOException(file + " has a line that is not an entry" + complaint, why);
  }

  private void close() {
    IOException failed = null;
    for (Opened file; (file = files.poll()) != null; ) {
      try {
        file.in.close();
      } catch (IOException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw new UncheckedIOException(failed);
    }
  }
}
