package dev.selvedge.stress.programs;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.handlers.Journal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Writes a journal for ever, and says what was written once it is on disk. */
public final class WritesJournal {
  private WritesJournal() {}

  public static void main(String[] arguments) throws IOException {
    try (Loop loop = Loop.create();
        Journal journal =
            Journal.builder(Path.of(arguments[0])).maxSize(20_000).keep(10_000).open()) {
      for (int i = 0; ; i++) {
        String message = arguments[1] + i;
        var failure = new IOException(message);
        journal.handle(loop, new ExceptionContext("Something happened", failure, null, Map.of()));
        System.out.println(message);
      }
    }
  }
}
