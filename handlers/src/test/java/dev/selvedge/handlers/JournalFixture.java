package dev.selvedge.handlers;

import dev.selvedge.handlers.Journal.Entry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/** A journal in a directory of its own, and what is read back from it. */
abstract class JournalFixture extends HandlerFixture {
  @TempDir Path directory;

  final Path path() {
    return directory.resolve("failures.jsonl");
  }

  final Journal open() throws IOException {
    return Journal.builder(path()).otherwise(reported).open();
  }

  static List<Entry> entries(Path path) throws IOException {
    try (Stream<Entry> entries = Journal.read(path)) {
      return entries.toList();
    }
  }

  final List<Entry> entries() throws IOException {
    return entries(path());
  }

  final List<String> messages() throws IOException {
    return messages(path());
  }

  static List<String> messages(Path path) throws IOException {
    return entries(path).stream().map(entry -> entry.exception().message()).toList();
  }
}
