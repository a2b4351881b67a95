package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Mutant.Fault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Lincheck, in JVMs of its own: it rewrites classes, and those of the JDK too. Its start alone
 * takes some seconds, so it runs with {@code -Plong}; with {@code -Dselvedge.effort=1} it tries no
 * other scenarios than those written down.
 */
@Tag("long")
@Tag("virtual-only") // the subjects have no loop's threads
class LincheckTest {
  private static final int SCENARIOS = Threads.EFFORT > 1 ? 50 : 0;
  private static final int INVOCATIONS = 2_000;
  private static final Duration LIMIT = Duration.ofMinutes(Threads.EFFORT > 1 ? 60 : 8);

  /** The subjects, and what each of them has to find. */
  private static final Map<String, Fault[]> FAULTS = new LinkedHashMap<>();

  static {
    plant(
        "TaskState",
        new Fault("TaskImpl.java", "if (isDone() && !hasCold()) {", "if (isDone()) {"),
        new Fault(
            "TaskImpl.java", "        if ((seen & DONE) != 0) {\n", "        if (false) {\n"));
    plant(
        "Waiters",
        new Fault("Cold.java", "  synchronized boolean addWaiter", "  boolean addWaiter"));
    plant("Children", new Fault("Listed.java", "(int) TAKEN.getAndAdd(chunk, 1)", "chunk.taken++"));
    plant(
        "Forks",
        new Fault(
            "Owner.java",
            "      CancelReason late = cancelled;\n      if (late == null && !closed) {",
            "      CancelReason late = cancelled;\n      if (!closed) {"));
    plant(
        "Fate",
        new Fault(
            "Failed.java",
            "    return FATE.compareAndSet(this, Fate.UNREAD, next);",
            """
                boolean unread = fate == Fate.UNREAD;
                Thread.yield();
                if (unread) {
                  fate = next;
                }
                return unread;
            """));
    plant("Limit", new Fault("CancelScope.java", "      phase = Phase.EXITED;\n", ""));
  }

  private static void plant(String subject, Fault... faults) {
    FAULTS.put(subject, faults);
  }

  @TempDir private Path folder;

  /** What the program says of each subject. */
  private static Map<String, String> check(List<Path> mutant, Iterable<String> subjects)
      throws Exception {
    var arguments = new ArrayList<>(List.of("" + SCENARIOS, "" + INVOCATIONS));
    subjects.forEach(arguments::add);
    // Monitors are Lincheck's own there, of which assertions of core's do not know.
    List<String> options =
        List.of(
            "-da", "-Xmx512m", "-XX:+EnableDynamicAgentLoading", "-Djdk.attach.allowAttachSelf");
    String[] program = arguments.toArray(String[]::new);
    try (ChildJvm child =
        mutant.isEmpty()
            ? ChildJvm.startOptimized(options, Linearizable.class, program)
            : ChildJvm.startMutated(
                new Mutant(mutant.getFirst()), options, Linearizable.class, program)) {
      ChildJvm.Ended ended = child.awaitEnd(LIMIT);

      System.out.println(ended.out());
      var results = new LinkedHashMap<String, String>();
      for (String line : ended.out()) {
        int space = line.indexOf(' ');
        results.put(line.substring(0, space), line.substring(space + 1));
      }
      assertThat(results.keySet()).as(ended.err()).containsExactlyElementsOf(subjects);
      return results;
    }
  }

  @Test
  @DisplayName("in no order of accesses to memory that Lincheck tries is a promise broken")
  void coreIsLinearizable() throws Exception {
    assertThat(check(List.of(), FAULTS.keySet()).values())
        .allSatisfy(result -> assertThat(result).startsWith("passed"));
  }

  @Test
  @DisplayName("Lincheck finds each of the faults that are planted for it")
  void eachMutantIsFound() throws Exception {
    for (String subject : FAULTS.keySet()) {
      isFound(subject);
    }
  }

  private void isFound(String subject) throws Exception {
    Mutant mutant = Mutant.compile(folder.resolve(subject), FAULTS.get(subject));
    assertThat(check(List.of(mutant.classes()), List.of(subject)).get(subject))
        .startsWith("killed");
  }
}
