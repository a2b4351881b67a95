package dev.selvedge.stress.soak;

import dev.selvedge.ChildJvm;
import dev.selvedge.Mutant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Runs the soak against each of the {@link Faults}, and writes what it found into a page: {@code
 * Mutants MINUTES PAGE [FAULT...]}. Exits with 1 if one was not found.
 */
final class Mutants {
  private static final String BEGIN = "<!-- written by stress/mutants: begin -->\n";
  private static final String END = "<!-- written by stress/mutants: end -->\n";
  private static final long SEED = 1;
  private static final int PATIENCE = 10;

  private Mutants() {}

  /** How the soak ended on a mutant. */
  record Found(Faults fault, boolean found, double seconds, String how) {}

  public static void main(String... arguments) throws Exception {
    double minutes = Double.parseDouble(arguments[0]);
    List<String> wanted = List.of(arguments).subList(2, arguments.length);
    var found = new ArrayList<Found>();
    for (Faults fault : Faults.values()) {
      if (wanted.isEmpty() || wanted.contains(fault.name())) {
        Found one = run(fault, minutes);
        System.out.println(row(one).strip());
        found.add(one);
      }
    }
    if (wanted.isEmpty()) {
      write(Path.of(arguments[1]), found);
    }
    if (!found.stream().allMatch(Found::found)) {
      System.exit(1);
    }
  }

  static Found run(Faults fault, double minutes) throws Exception {
    Path folder = Files.createTempDirectory("selvedge-mutant");
    try {
      Mutant mutant = Mutant.compile(folder, fault.fault);
      long start = System.nanoTime();
      try (ChildJvm child =
          ChildJvm.startMutated(
              mutant,
              List.of("-Xmx512m"),
              Soak.class,
              "--minutes=" + minutes,
              "--seed=" + SEED,
              "--patience=" + PATIENCE)) {
        ChildJvm.Ended ended = child.awaitEnd(Duration.ofSeconds((long) (minutes * 60) + 120));
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Found(fault, ended.code() == 1, seconds, how(ended.out()));
      }
    } finally {
      delete(folder);
    }
  }

  /** The first violation, without what differs from run to run. */
  private static String how(List<String> out) {
    return out.stream()
        .filter(line -> line.startsWith("    ") || line.startsWith("nothing has happened"))
        .findFirst()
        .map(line -> line.strip().replaceFirst("( in round|[:,;] ).*", ""))
        .orElse(out.isEmpty() ? "-" : out.getLast());
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.delete(file);
      }
    }
  }

  private static String row(Found found) {
    return String.format(
        Locale.ROOT,
        "| %s | %s | %d | %s | %s |%n",
        found.fault().says,
        found.fault().fault.file(),
        SEED,
        found.found() ? String.format(Locale.ROOT, "%.0f s", found.seconds()) : "not found",
        found.how());
  }

  private static void write(Path page, List<Found> found) throws IOException {
    var table =
        new StringBuilder("| the fault | in | seed | found after | by |\n|---|---|---|---|---|\n");
    found.forEach(each -> table.append(row(each)));
    String text = Files.readString(page);
    int from = text.indexOf(BEGIN) + BEGIN.length();
    int to = text.indexOf(END);
    Files.writeString(page, text.substring(0, from) + table + text.substring(to));
  }
}
