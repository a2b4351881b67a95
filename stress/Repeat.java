import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Runs the tests tagged {@code race} again and again, each pass in a new JVM: {@code Repeat PASSES
 * virtual|platform TEST_CLASSES CLASS_PATH}. Ends at the first pass that fails or takes too long.
 *
 * <p>Every second pass has the first compiler alone: its code comes sooner and runs slower, so that
 * threads meet elsewhere.
 */
final class Repeat {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  public static void main(String[] args) throws Exception {
    int passes = Integer.parseInt(args[0]);
    String threads = args[1];
    Path output = Files.createTempFile("selvedge-race", ".txt");

    long longest = 0;
    for (int pass = 1; pass <= passes; pass++) {
      long start = System.nanoTime();
      Process jvm =
          new ProcessBuilder(command(pass, threads, args[2], args[3]))
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      boolean ended = jvm.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        jvm.destroyForcibly().waitFor();
      }
      longest = Math.max(longest, System.nanoTime() - start);
      if (!ended || jvm.exitValue() != 0) {
        System.out.write(Files.readAllBytes(output));
        String how = ended ? "exit code " + jvm.exitValue() : "longer than " + LIMIT;
        System.out.printf("pass %d of %d failed: %s%n", pass, passes, how);
        Files.delete(output);
        System.exit(1);
      }
      if (pass % 20 == 0 && pass < passes) {
        System.out.printf(Locale.ROOT, "%d passes, longest %.1f s%n", pass, longest / 1e9);
      }
    }
    Files.delete(output);
    System.out.printf(
        Locale.ROOT, "%d passes on %s threads, longest %.1f s%n", passes, threads, longest / 1e9);
  }

  private static List<String> command(
      int pass, String threads, String testClasses, String classPath) {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    if (pass % 2 == 0) {
      command.add("-XX:TieredStopAtLevel=1");
    }
    command.addAll(List.of("-ea", "-Dselvedge.threads=" + threads, "-Dselvedge.repeated=true"));
    command.add("-Dselvedge.points=true");
    command.addAll(List.of("-cp", classPath, "org.junit.platform.console.ConsoleLauncher"));
    command.addAll(List.of("execute", "--disable-banner", "--fail-if-no-tests"));
    command.addAll(List.of("--scan-classpath", testClasses));
    command.addAll(List.of("--include-tag", "race", "--exclude-tag", "long"));
    if (threads.equals("platform")) {
      command.addAll(List.of("--exclude-tag", "virtual-only"));
    }
    return command;
  }
}
