package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ctrl-C and SIGTERM, in a JVM of its own. */
class DemoSignalTest {
  /**
   * A JVM that is started in the background may inherit an ignored SIGINT, and then keeps it so.
   */
  private static final String WITH_DEFAULT_SIGINT =
      "$SIG{INT} = 'DEFAULT'; exec { $ARGV[0] } @ARGV or die $!";

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  @Timeout(30)
  void aSignalEndsItWithThePartialSummary(String signal, int exitCode) throws Exception {
    var tree = new SampleTree(directory);
    for (int i = 0; i < 8; i++) {
      tree.good("large-%d.jar".formatted(i), 1_000_000);
    }
    tree.withChecksum("bad.jar", "bad", "");
    Process demo = start(directory.toString(), "--rate", "0.01", "--parallel", "5");

    try (BufferedReader out = demo.inputReader()) {
      awaitLine(out, "5 running");
      send(signal, demo);
      List<String> rest = out.lines().filter(line -> !line.contains("running")).toList();

      assertThat(demo.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(demo.exitValue()).isEqualTo(exitCode);
      assertThat(rest)
          .last()
          .asString()
          .startsWith("interrupted: ")
          .contains("bytes in")
          .containsPattern("[4-9] cancelled half-way$");
    } finally {
      demo.destroyForcibly();
    }
  }

  private static void awaitLine(BufferedReader out, String part) throws IOException {
    String line;
    do {
      line = out.readLine();
      assertThat(line).as("a line with " + part).isNotNull();
    } while (!line.contains(part));
  }

  private static Process start(String... args) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var command = new ArrayList<>(List.of("perl", "-e", WITH_DEFAULT_SIGINT, java));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Demo.class.getName()));
    command.addAll(List.of(args));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static void send(String signal, Process process)
      throws IOException, InterruptedException {
    var kill = new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start();
    assertThat(kill.waitFor()).isZero();
  }
}
