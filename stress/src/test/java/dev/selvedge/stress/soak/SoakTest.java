package dev.selvedge.stress.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ChildJvm;
import dev.selvedge.Mutant;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A short soak, and proof that it would find something. The long one is {@code stress/run}. */
@Tag("virtual-only") // a process of its own, which makes its threads itself
class SoakTest {
  private static final long TASKS = 50_000;

  @Test
  @DisplayName("of what random trees of tasks throw every failure arrives, and nothing is left")
  void everyFailureArrives() throws Exception {
    try (ChildJvm child =
        ChildJvm.startOptimized(List.of("-Xmx512m"), Soak.class, "--tasks=" + TASKS)) {
      ChildJvm.Ended ended = child.awaitEnd(Duration.ofMinutes(10));

      assertThat(ended.code()).as(String.join("\n", ended.out()) + ended.err()).isZero();
      assertThat(ended.err()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("each fault can be planted in core as it is now")
  void canBePlanted(Faults fault, @TempDir Path folder) throws Exception {
    assertThat(Mutant.compile(folder, fault.fault).classes()).isNotEmptyDirectory();
  }

  static List<Faults> quickFaults() {
    return Faults.quick();
  }

  @ParameterizedTest
  @MethodSource("quickFaults")
  @DisplayName("the soak finds a fault that is planted in core")
  void findsAPlantedFault(Faults fault) throws Exception {
    Mutants.Found found = Mutants.run(fault, 3);

    assertThat(found.found()).as(found.how()).isTrue();
  }
}
