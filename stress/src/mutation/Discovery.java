package dev.selvedge;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.platform.launcher.TestIdentifier;
import org.pitest.classinfo.ClassByteArraySource;
import org.pitest.junit5.JUnit5Configuration;
import org.pitest.junit5.JUnit5TestPluginFactory;
import org.pitest.junit5.JUnit5TestUnit;
import org.pitest.testapi.Configuration;
import org.pitest.testapi.TestGroupConfig;
import org.pitest.testapi.TestUnit;
import org.pitest.testapi.TestUnitExecutionListener;
import org.pitest.testapi.TestUnitFinder;

/**
 * PIT's plugin for JUnit learns which tests there are by running them all, in each of hundreds of
 * JVMs anew. This writes down what the first of these has learned, and reads it in the others.
 */
public final class Discovery extends JUnit5TestPluginFactory {
  private static final Path KNOWN = Path.of(System.getProperty("selvedge.mutation.known", "."));
  private static final boolean FIRST =
      System.getProperty("sun.java.command", "").contains("CoverageMinion");

  private static boolean warm;

  @Override
  public String description() {
    return "Tests that are found once";
  }

  @Override
  public Configuration createTestFrameworkConfiguration(
      TestGroupConfig groups,
      ClassByteArraySource source,
      Collection<String> runners,
      Collection<String> methods) {
    return new JUnit5Configuration(groups, methods) {
      @Override
      public int priority() {
        return DEFAULT_PRIORITY - 1;
      }

      @Override
      public TestUnitFinder testUnitFinder() {
        TestUnitFinder running = super.testUnitFinder();
        return (type, listener) -> find(type, listener, running);
      }
    };
  }

  private static List<TestUnit> find(
      Class<?> type, TestUnitExecutionListener listener, TestUnitFinder running) {
    Path file = KNOWN.resolve(type.getName());
    try {
      if (!FIRST && Files.exists(file)) {
        warmUp(listener, running);
        return read(file).stream().<TestUnit>map(test -> new JUnit5TestUnit(type, test)).toList();
      }
      List<TestUnit> found = running.findTestUnits(type, listener);
      if (FIRST) {
        write(found, file);
      }
      return found;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("not as in the version of PIT's plugin that this knows", e);
    }
  }

  /** Whoever runs the first test loads JUnit, for which the time of a test is too short. */
  private static void warmUp(TestUnitExecutionListener listener, TestUnitFinder running)
      throws ClassNotFoundException {
    if (!warm) {
      warm = true;
      running.findTestUnits(Class.forName("dev.selvedge.TaskCancelledExceptionTest"), listener);
    }
  }

  @SuppressWarnings("unchecked") // what was written
  private static List<TestIdentifier> read(Path file)
      throws IOException, ReflectiveOperationException {
    try (var in = new ObjectInputStream(Files.newInputStream(file))) {
      return (List<TestIdentifier>) in.readObject();
    }
  }

  private static void write(List<TestUnit> found, Path file)
      throws IOException, ReflectiveOperationException {
    Field identifier = JUnit5TestUnit.class.getDeclaredField("testIdentifier");
    identifier.setAccessible(true);
    var tests = new ArrayList<TestIdentifier>();
    for (TestUnit unit : found) {
      tests.add((TestIdentifier) identifier.get(unit));
    }
    try (var out = new ObjectOutputStream(Files.newOutputStream(file))) {
      out.writeObject(tests);
    }
  }
}
