package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChecksummedFilesTest {
  @TempDir private Path directory;

  @Test
  void onlyFilesWithAChecksumBesideThemAreVisited() throws Exception {
    var tree = new SampleTree(directory);
    tree.good("org/a/a.jar", "a");
    tree.good("b.pom", "b");
    Files.writeString(directory.resolve("no-checksum.txt"), "c");
    Files.writeString(directory.resolve("no-file.txt.sha1"), SampleTree.sha1("d"));
    Files.writeString(directory.resolve(".sha1"), SampleTree.sha1("e"));
    tree.good("folder", "f");
    Files.delete(directory.resolve("folder"));
    Files.createDirectory(directory.resolve("folder"));

    assertThat(visited()).containsOnlyKeys("b.pom", "org/a/a.jar");
  }

  @Test
  void aCircleOfLinksEnds() throws Exception {
    new SampleTree(directory).good("org/a.jar", "a");
    Files.createSymbolicLink(directory.resolve("org/up"), directory);
    Files.createSymbolicLink(directory.resolve("org/self"), Path.of("self"));

    assertThat(visited()).containsOnlyKeys("org/a.jar");
  }

  @Test
  void aLinkThatLeadsNowhereIsVisitedSoThatItsCheckFails() throws Exception {
    Path file = new SampleTree(directory).good("a.jar", "a");
    Files.delete(file);
    Files.createSymbolicLink(file, Path.of("nowhere"));

    assertThat(visited()).containsOnlyKeys("a.jar");
  }

  @Test
  void aDirectoryThatCannotBeReadIsReported() throws Exception {
    Map<String, String> visited = visited(directory.resolve("gone"));

    assertThat(visited).containsExactly(Map.entry("", NoSuchFileException.class.getName()));
  }

  @Test
  void aNameThatIsNoTextIsReportedAndNotPassedOver() throws Exception {
    var script = "printf a > \"$1\"/$'\\xe9.jar' && printf b > \"$1\"/$'\\xe9.jar.sha1'";
    var shell = new ProcessBuilder("bash", "-c", script, "bash", directory.toString()).start();
    assumeTrue(shell.waitFor() == 0, "the file system takes names of any bytes");

    assertThat(visited().values())
        .singleElement()
        .asString()
        .isEqualTo("java.nio.file.FileSystemException");
  }

  private Map<String, String> visited() throws IOException {
    return visited(directory);
  }

  private static Map<String, String> visited(Path root) throws IOException {
    var visited = new TreeMap<String, String>();
    try (var walk = new ChecksummedFiles(root).walk()) {
      while (walk.hasNext()) {
        var found = walk.next();
        IOException cause = found.unreadable();
        String name = root.relativize(found.path()).toString();
        visited.put(name, cause == null ? "" : cause.getClass().getName());
      }
    }
    return visited;
  }
}
