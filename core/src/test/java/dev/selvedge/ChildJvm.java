package dev.selvedge;

import dev.selvedge.programs.Launcher;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program in a JVM of its own, for what only a process can show: signals and exit codes.
 *
 * <p>It is started through a line of Perl that sets the reaction to SIGINT, because a process
 * inherits from its parent that it ignores it. Events are lines of its output. Every wait is
 * bounded; at the bound the child is killed and the test fails with its output. If this JVM runs
 * under JaCoCo's agent, so does the child, into the same file.
 */
public final class ChildJvm implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String OPTIMIZED = "-Dselvedge.optimized=true";
  private static final String SHELL = "/bin/sh";

  /** How a child ended. */
  public record Ended(int code, List<String> out, String err) {}

  private final Process process;
  private final List<String> out = new ArrayList<>(); // guarded by itself
  private final List<String> err = new ArrayList<>(); // guarded by itself
  private final List<Thread> readers;

  private ChildJvm(Process process) {
    this.process = process;
    readers = List.of(reader(process.getInputStream(), out), reader(process.getErrorStream(), err));
  }

  public static ChildJvm start(Class<?> program, String... arguments) {
    return start("DEFAULT", List.of(), program, arguments);
  }

  /** With options of {@code java}. */
  public static ChildJvm startWith(List<String> options, Class<?> program, String... arguments) {
    return start("DEFAULT", options, program, arguments);
  }

  /** Without the agent that measures coverage, and compiled as in production. */
  public static ChildJvm startOptimized(
      List<String> options, Class<?> program, String... arguments) {
    var all = new ArrayList<>(options);
    all.addAll(List.of("-XX:TieredStopAtLevel=4", OPTIMIZED));
    return start("DEFAULT", all, program, arguments);
  }

  /** With a {@link Mutant} in the place of core, and compiled as in production. */
  public static ChildJvm startMutated(
      Mutant mutant, List<String> options, Class<?> program, String... arguments) {
    var all = new ArrayList<>(options);
    all.addAll(List.of("-XX:TieredStopAtLevel=4", OPTIMIZED));
    return start(List.of(), List.of(mutant.classes()), "DEFAULT", all, program, arguments);
  }

  /** As a child of {@code nohup} or of a shell's background job is started. */
  public static ChildJvm startIgnoringInterrupt(Class<?> program, String... arguments) {
    return start("IGNORE", List.of(), program, arguments);
  }

  /** Under a limit that the shell sets, as {@code ulimit -f 128}. */
  public static ChildJvm startLimited(String limit, Class<?> program, String... arguments) {
    List<String> shell = List.of(SHELL, "-c", limit + "; exec \"$@\"", SHELL);
    return start(shell, List.of(), "DEFAULT", List.of("-XX:-UsePerfData"), program, arguments);
  }

  private static ChildJvm start(
      String interrupt, List<String> options, Class<?> program, String... arguments) {
    return start(List.of(), List.of(), interrupt, options, program, arguments);
  }

  private static ChildJvm start(
      List<String> launcher,
      List<Path> before,
      String interrupt,
      List<String> options,
      Class<?> program,
      String... arguments) {
    var command = new ArrayList<>(launcher);
    command.addAll(List.of("perl", "-e", "$SIG{INT} = shift; exec @ARGV or die $!", interrupt));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx128m", "-ea"));
    command.addAll(configuration());
    command.addAll(options);
    if (!options.contains(OPTIMIZED)) {
      command.addAll(coverage());
    }
    command.addAll(List.of("-cp", classPath(before, program), Launcher.class.getName()));
    command.add(program.getName());
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command);
    builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
    try {
      return new ChildJvm(builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What {@code stress/jvms} varies is the same in the children. */
  private static List<String> configuration() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument ->
            argument.matches("-XX:\\+Use\\w+GC") || argument.startsWith("-Djdk.trackAllThreads="))
        .toList();
  }

  /** This JVM's own JaCoCo agent; the children append to its file. */
  private static List<String> coverage() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("-javaagent:") && argument.contains("jacoco"))
        .map(argument -> argument.replace("append=false", "append=true"))
        .toList();
  }

  /** This JVM's own, and what a module under test is patched with. */
  private static String classPath(List<Path> before, Class<?> program) {
    var path = new ArrayList<String>();
    before.forEach(folder -> path.add(folder.toString()));
    path.add(root(Loop.class).toString());
    path.add(root(ChildJvm.class).toString());
    path.add(root(program).toString());
    path.add(System.getProperty("jdk.module.path", ""));
    path.add(System.getProperty("java.class.path"));
    return String.join(File.pathSeparator, path);
  }

  /** The folder or jar that a class comes from. */
  static Path root(Class<?> type) {
    String file = type.getName().replace('.', '/') + ".class";
    String found = String.valueOf(type.getClassLoader().getResource(file));
    String folder = found.substring(0, found.length() - file.length());
    return Path.of(
        URI.create(folder.startsWith("jar:") ? folder.substring(4, folder.indexOf("!/")) : folder));
  }

  private static Thread reader(InputStream stream, List<String> lines) {
    return Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try (var reader =
              new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line; (line = reader.readLine()) != null; ) {
              synchronized (lines) {
                lines.add(line);
                lines.notifyAll();
              }
            }
          } catch (IOException closed) {
            // The child was killed.
          }
        });
  }

  /** Waits until the child has printed a line. */
  public ChildJvm awaitLine(String line) throws InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    synchronized (out) {
      while (!out.contains(line)) {
        boolean over = !process.isAlive() && !readers.getFirst().isAlive();
        if (over || System.nanoTime() - deadline > 0) {
          throw failure("no line \"" + line + "\"");
        }
        out.wait(100);
      }
    }
    return this;
  }

  /** What the child has printed so far. */
  public List<String> lines() {
    return copy(out);
  }

  public ChildJvm signal(String name) throws InterruptedException {
    var kill = new ProcessBuilder(SHELL, "-c", "kill -" + name + " " + process.pid());
    try {
      int code = kill.inheritIO().start().waitFor();
      if (code != 0) {
        throw failure("kill -" + name + " exited with " + code);
      }
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends the child a line. */
  public ChildJvm type(String line) {
    try {
      process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for the end of the child. */
  public Ended awaitEnd() throws InterruptedException {
    return awaitEnd(LIMIT);
  }

  /** Waits for the end of the child, which has to come within a limit. */
  public Ended awaitEnd(Duration limit) throws InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw failure("still running after " + limit);
    }
    for (Thread reader : readers) {
      reader.join();
    }
    return new Ended(process.exitValue(), copy(out), String.join("\n", copy(err)));
  }

  private AssertionError failure(String what) {
    process.destroyForcibly();
    return new AssertionError(
        what
            + "\n--- stdout\n"
            + String.join("\n", copy(out))
            + "\n--- stderr\n"
            + String.join("\n", copy(err)));
  }

  private static List<String> copy(List<String> lines) {
    synchronized (lines) {
      return List.copyOf(lines);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
