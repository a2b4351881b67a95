package dev.selvedge.stress;

import dev.selvedge.Mutant;
import dev.selvedge.Mutant.Fault;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Runs jcstress, each test class on core and then on a core with a fault that it has to find:
 * {@code Jcstress quick|default}. Exit code 1 if core shows a forbidden outcome, or a mutant none.
 */
public final class Jcstress {
  private record Subject(String tests, Fault fault) {}

  private static final List<Subject> SUBJECTS =
      List.of(
          new Subject(
              "dev.selvedge.HandOff.*",
              new Fault(
                  "TaskImpl.java",
                  """
                          slot = value;
                          Points.reach("settle");
                          if (STATE.compareAndSet(this, seen, seen | DONE)) {
                  """,
                  """
                          if (STATE.compareAndSet(this, seen, seen | DONE)) {
                            slot = value;
                  """)),
          new Subject(
              "dev.selvedge.ReportFlag.*",
              new Fault(
                  "Failed.java",
                  "    return FATE.compareAndSet(this, Fate.UNREAD, next);",
                  """
                      boolean unread = fate == Fate.UNREAD;
                      if (unread) {
                        fate = next;
                      }
                      return unread;
                  """)));

  /** Of the log of a run that should have passed. */
  private static final int LINES = 300;

  private enum End {
    PASSED,
    FORBIDDEN,
    BROKEN
  }

  private Jcstress() {}

  public static void main(String[] arguments) throws Exception {
    String mode = arguments[0];
    Path folder = Files.createTempDirectory("selvedge-jcstress");
    boolean good = true;
    for (Subject subject : SUBJECTS) {
      Mutant mutant = Mutant.compile(folder.resolve(subject.fault.file()), subject.fault);
      good &= run(subject, mode, "core", "") == End.PASSED;
      good &=
          run(subject, "quick", "mutant", mutant.classes() + File.pathSeparator) == End.FORBIDDEN;
    }
    System.out.println(good ? "core passed, and each mutant was killed" : "failed");
    System.exit(good ? 0 : 1);
  }

  private static End run(Subject subject, String mode, String what, String before)
      throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("selvedge-jcstress");
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", before + System.getProperty("java.class.path")));
    command.addAll(List.of("org.openjdk.jcstress.Main", "-t", subject.tests, "-m", mode));
    command.addAll(List.of("-c", "2", "-r", folder.toString()));
    if (mode.equals("quick")) {
      // Both actors are compiled alike: a quarter of the configurations.
      command.addAll(List.of("-sc", "false"));
    }
    Path log = folder.resolve("log");
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    // It writes its binary results to where it is started.
    builder.directory(folder.toFile()).redirectOutput(log.toFile());
    long start = System.nanoTime();
    int code = builder.start().waitFor();
    double seconds = (System.nanoTime() - start) / 1e9;
    List<String> lines = Files.readAllLines(log);
    List<String> results = lines.stream().filter(line -> line.startsWith("(Results:")).toList();
    String last = results.isEmpty() ? "(no results)" : results.getLast();
    End end = End.BROKEN;
    if (code == 0) {
      end = End.PASSED;
    } else if (last.matches(".* [1-9]\\d* failed, .* 0 hard errs\\)")) {
      end = End.FORBIDDEN;
    }
    System.out.printf(
        Locale.ROOT, "%s on %s (%s): %s after %.0f s%n", subject.tests, what, mode, end, seconds);
    System.out.println(last);
    if (end != End.PASSED && what.equals("core")) {
      lines.stream().limit(LINES).forEach(System.out::println);
    }
    return end;
  }
}
