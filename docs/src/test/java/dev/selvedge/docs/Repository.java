package dev.selvedge.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The files of this repository, wherever the tests are started. */
final class Repository {
  static final Path ROOT = root();

  private Repository() {}

  private static Path root() {
    Path here = Path.of("").toAbsolutePath();
    for (Path folder = here; folder != null; folder = folder.getParent()) {
      if (Files.exists(folder.resolve("docs/asyncio.md"))) {
        return folder;
      }
    }
    throw new IllegalStateException("no docs/asyncio.md in " + here + " nor above it");
  }

  static String read(Path file) throws IOException {
    return Files.readString(file, UTF_8);
  }

  /** The README and every page beneath {@code docs}. */
  static List<Path> pages() throws IOException {
    try (var files = Files.walk(ROOT.resolve("docs"))) {
      var pages =
          files
              .filter(file -> file.toString().endsWith(".md"))
              .filter(file -> !isGenerated(file))
              .sorted()
              .toList();
      var all = new java.util.ArrayList<>(pages);
      all.addFirst(ROOT.resolve("README.md"));
      return List.copyOf(all);
    }
  }

  /** The sources of the modules that users depend on. */
  static List<Path> mainSources() throws IOException {
    try (var files = Files.walk(ROOT)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> ROOT.relativize(file).toString().contains("src/main/java"))
          .filter(file -> !isGenerated(file))
          .sorted()
          .toList();
    }
  }

  /** The test sources of every module but this one, whose tests are about texts. */
  static List<Path> testSources() throws IOException {
    try (var files = Files.walk(ROOT)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> ROOT.relativize(file).toString().contains("src/test/java"))
          .filter(file -> !file.startsWith(ROOT.resolve("docs")))
          .filter(file -> !isGenerated(file))
          .sorted()
          .toList();
    }
  }

  private static boolean isGenerated(Path file) {
    for (Path name : ROOT.relativize(file)) {
      if (name.toString().equals("target") || name.toString().equals("node_modules")) {
        return true;
      }
    }
    return false;
  }
}
