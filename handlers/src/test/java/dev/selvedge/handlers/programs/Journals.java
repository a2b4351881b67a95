package dev.selvedge.handlers.programs;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.handlers.Journal;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.TreeMap;

/** Opens a journal and does one of several things. */
public final class Journals {
  private Journals() {}

  public static void main(String[] arguments) throws IOException {
    Path path = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "open" -> {
        try {
          Journal.builder(path).open().close();
          System.out.println("opened");
        } catch (IOException e) {
          String message = e.getMessage();
          System.out.println(message.substring(message.indexOf("open in")));
        }
      }
      case "fill" -> fill(path);
      case "starve" -> starve(path);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static ExceptionContext failure(String message) {
    return new ExceptionContext("Something happened", new IOException(message), null, Map.of());
  }

  /** Writes more than there is room for. */
  private static void fill(Path path) throws IOException {
    var elsewhere = new TreeMap<String, Integer>();
    try (Loop loop = Loop.create();
        Journal journal =
            Journal.builder(path)
                .otherwise((_, context) -> elsewhere.merge(context.message(), 1, Integer::sum))
                .open()) {
      for (int i = 0; i < 100; i++) {
        journal.handle(loop, failure("x".repeat(5_000)));
      }
    }
    int lost = elsewhere.remove("Something happened");
    System.out.println(100 - lost + " written");
    System.out.println(lost + " elsewhere");
    elsewhere.forEach((message, count) -> System.out.println(count + " " + message));
  }

  /** Reports for the first time when there is no file descriptor left. */
  private static void starve(Path path) throws IOException {
    var elsewhere = new ArrayList<ExceptionContext>();
    var open = new ArrayList<InputStream>();
    try (Loop loop = Loop.create();
        Journal journal =
            Journal.builder(path).otherwise((_, context) -> elsewhere.add(context)).open()) {
      ExceptionContext failure = failure("starving");
      try {
        while (true) {
          open.add(new FileInputStream("/dev/null"));
        }
      } catch (FileNotFoundException none) {
        // The point of it.
      }
      journal.handle(loop, failure);
      for (InputStream each : open) {
        each.close();
      }
    }
    System.out.println(elsewhere.size() + " elsewhere");
  }
}
