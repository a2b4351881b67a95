package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.selvedge.Loop;
import dev.selvedge.handlers.programs.Bare;
import dev.selvedge.testkit.SelvedgeExtension;
import io.micrometer.common.KeyValues;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.Observation;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.Logger;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.ObjectMapper;

/** Programs with some of the optional dependencies on their class path. */
class OptionalDependenciesTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private static final List<Class<?>> SLF4J = List.of(Logger.class);
  private static final List<Class<?>> JACKSON =
      List.of(ObjectMapper.class, JsonParser.class, JsonInclude.class);
  private static final List<Class<?>> MICROMETER =
      List.of(MeterRegistry.class, KeyValues.class, Observation.class);
  private static final List<Class<?>> PROPAGATION = List.of(ContextSnapshot.class);

  private static URL root(Class<?> type) {
    return type.getProtectionDomain().getCodeSource().getLocation();
  }

  @SafeVarargs
  private static Object missingWith(List<Class<?>>... present) throws Exception {
    var classPath = new ArrayList<URL>();
    for (Class<?> type : List.of(Loop.class, Handlers.class, Bare.class)) {
      classPath.add(root(type));
    }
    for (List<Class<?>> dependency : present) {
      dependency.forEach(type -> classPath.add(root(type)));
    }
    // Never closed: what its copy of the library does at the exit of the JVM loads more classes.
    var loader =
        new URLClassLoader(classPath.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
    Object bare = loader.loadClass(Bare.class.getName()).getConstructor().newInstance();
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return ((Callable<?>) bare).call();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  @DisplayName("without any, everything works but what needs one, which says so")
  void none() throws Exception {
    assertThat(missingWith())
        .isEqualTo(List.of("slf4j", "journal", "metrics", "observation", "mdc"));
  }

  @Test
  @DisplayName("with SLF4J alone, logging and the logging context work")
  void slf4j() throws Exception {
    assertThat(missingWith(SLF4J)).isEqualTo(List.of("journal", "metrics", "observation"));
  }

  @Test
  @DisplayName("with Jackson alone, the journal works")
  void jackson() throws Exception {
    assertThat(missingWith(JACKSON)).isEqualTo(List.of("slf4j", "metrics", "observation", "mdc"));
  }

  @Test
  @DisplayName("with Micrometer alone, the meters work")
  void micrometer() throws Exception {
    assertThat(missingWith(MICROMETER))
        .isEqualTo(List.of("slf4j", "journal", "observation", "mdc"));
  }

  @Test
  @DisplayName("with its context propagation alone, carrying observations works")
  void propagation() throws Exception {
    assertThat(missingWith(PROPAGATION)).isEqualTo(List.of("slf4j", "journal", "metrics", "mdc"));
  }

  @Test
  @DisplayName("with all of them, everything works")
  void all() throws Exception {
    assertThat(missingWith(SLF4J, JACKSON, MICROMETER, PROPAGATION)).isEqualTo(List.of());
  }
}
