package dev.selvedge;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.pitest.mutationtest.engine.Mutant;
import org.pitest.mutationtest.environment.EnvironmentResetPlugin;
import org.pitest.mutationtest.environment.ResetEnvironment;

/**
 * PIT tries many mutants in one JVM. A mutant that left something behind would kill those after it,
 * because the oracle finds it in their tests; so that JVM is given up, and PIT starts another for
 * the rest. A JVM in which no test has failed is clean: the oracle has looked.
 */
public final class FreshJvm
    implements EnvironmentResetPlugin, ResetEnvironment, TestExecutionListener {
  private static final int LOOKS = 20;

  /**
   * What they hold belongs to the process: what an earlier test has set up hides a mutant of
   * theirs, and one may spoil it for the next unseen.
   */
  private static final Set<String> PROCESS_WIDE =
      Set.of("Exit", "Guests", "Orphans", "Run", "Signals", "Strand", "Timers");

  private static volatile boolean failed;
  private static volatile boolean used;
  private static volatile boolean spoiled;

  @Override
  public String description() {
    return "A new JVM after a mutant that left something behind";
  }

  @Override
  public ResetEnvironment make() {
    return this;
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    failed |= result.getStatus() != Status.SUCCESSFUL;
  }

  /** Before PIT says which mutant is next: whoever halts here ends none. */
  @Override
  public void resetFor(Mutant next) {
    String type = next.getDetails().getClassName().getNameWithoutPackage().asJavaName();
    boolean processWide = PROCESS_WIDE.contains(type.replaceFirst("\\$.*", ""));
    if ((used && processWide) || (failed && (spoiled || leftBehind()))) {
      Runtime.getRuntime().halt(0);
    }
    failed = false;
    used = true;
    spoiled = processWide;
  }

  private static boolean leftBehind() {
    for (int look = 0; look < LOOKS; look++) {
      if (!Oracle.somethingLeft() && !virtualThreads()) {
        return false;
      }
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        return true;
      }
    }
    return true;
  }

  /** Seen by the JVM, not by the library's own counters, which may be what is mutated. */
  private static boolean virtualThreads() {
    try {
      Path folder = Files.createTempDirectory("selvedge-mutation");
      Path dump = folder.resolve("threads.txt");
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .dumpThreads(dump.toString(), ThreadDumpFormat.TEXT_PLAIN);
      boolean some =
          Files.readString(dump).lines().anyMatch(l -> l.matches("#\\d+ \".*\" virtual.*"));
      Files.delete(dump);
      Files.delete(folder);
      return some;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
