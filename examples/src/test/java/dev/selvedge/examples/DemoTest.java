package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(20)
class DemoTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  @TempDir private Path directory;

  @Test
  void aSoundTreeExitsWithZero() throws IOException {
    var tree = new SampleTree(directory);
    tree.good("org/a.jar", 1000);
    tree.good("org/b.jar", 234);

    int code = demo(directory.toString());

    assertThat(code).isZero();
    assertThat(out).asString().startsWith("2 files checked, 1234 bytes in ").contains("0 failures");
    assertThat(err).asString().isEmpty();
  }

  @Test
  void anEmptyTreeExitsWithZero() {
    assertThat(demo(directory.toString())).isZero();
    assertThat(out).asString().startsWith("0 files checked, 0 bytes in ");
  }

  @Test
  void everyFailureIsNamedAndStopsNobody() throws IOException {
    var tree = new SampleTree(directory);
    tree.good("good.jar", 10);
    tree.damaged("org/damaged.jar");
    tree.withChecksum("empty.jar", "a", "");
    Path gone = tree.good("gone.jar", 10);
    Files.delete(gone);
    Files.createSymbolicLink(gone, Path.of("nowhere"));

    int code = demo(directory.toString());

    assertThat(code).isEqualTo(1);
    assertThat(out.toString().lines())
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("FAILED empty.jar: empty.jar.sha1 is empty"),
            line -> assertThat(line).isEqualTo("FAILED gone.jar: gone.jar: no such file"),
            line -> assertThat(line).startsWith("FAILED org/damaged.jar: SHA-1 is "),
            line -> assertThat(line).startsWith("4 files checked").endsWith("3 failures"));
  }

  @Test
  void failFastStopsAtTheFirstFailureAndCancelsTheRest() throws IOException {
    var tree = new SampleTree(directory);
    for (int i = 0; i < 5; i++) {
      tree.good("good-%d.jar".formatted(i), 1_000_000);
    }
    tree.withChecksum("bad.jar", "bad", "");

    int code = demo(directory.toString(), "--fail-fast", "--rate", "0.01");

    assertThat(code).isEqualTo(1);
    assertThat(out)
        .asString()
        .contains("FAILED bad.jar: bad.jar.sha1 is empty")
        .contains("stopped at the first failure: 1 file checked");
  }

  @Test
  void helpExplainsArgumentsAndExitCodes() {
    assertThat(demo("--help")).isZero();
    assertThat(out)
        .asString()
        .contains(
            "DIRECTORY", "--parallel", "--rate", "--fail-fast", "256", "Ctrl-C cancels", "130")
        .doesNotContain("@|");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--parallel=0",
        "--parallel=-3",
        "--parallel=many",
        "--parallel=3000000000",
        "--rate=0",
        "--rate=-1",
        "--rate=NaN",
        "--rate=Infinity",
        "--rate=1e9",
        "--rate",
        "--quick",
        "second"
      })
  void wrongArgumentsExitWithTwo(String argument) {
    assertThat(demo(directory.toString(), argument)).isEqualTo(2);
    assertThat(err).asString().startsWith("demo: ").endsWith("Try './demo --help'.\n");
    assertThat(out).asString().isEmpty();
  }

  @Test
  void aDirectoryThatDoesNotExistExitsWithTwoAndIsNamed() {
    Path gone = directory.resolve("gone\u001b[2J");

    assertThat(demo(gone.toString())).isEqualTo(2);
    assertThat(err).asString().contains(directory + "/gone\\u001b[2J does not exist");
  }

  @Test
  void aFileInPlaceOfTheDirectoryExitsWithTwo() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "");

    assertThat(demo(file.toString())).isEqualTo(2);
    assertThat(err).asString().contains(file + " is not a directory");
  }

  private int demo(String... args) {
    return Demo.run(new PrintWriter(out, true), new PrintWriter(err, true), false, args);
  }
}
