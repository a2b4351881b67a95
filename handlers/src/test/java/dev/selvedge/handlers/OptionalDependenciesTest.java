package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Loop;
import dev.selvedge.handlers.programs.Bare;
import dev.selvedge.testkit.SelvedgeExtension;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class OptionalDependenciesTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private static URL root(Class<?> type) {
    return type.getProtectionDomain().getCodeSource().getLocation();
  }

  @Test
  @DisplayName("without SLF4J and Jackson everything works but what needs them, which says so")
  void bareProgram() throws Exception {
    URL[] classPath = {root(Loop.class), root(Handlers.class), root(Bare.class)};
    // Never closed: what its copy of the library does at the exit of the JVM loads more classes.
    var loader = new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader());
    Object bare = loader.loadClass(Bare.class.getName()).getConstructor().newInstance();

    assertThat(((Callable<?>) bare).call())
        .isEqualTo("1 failure, tools/jackson/core/JacksonException");
  }
}
