package dev.selvedge.stress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ChildJvm;
import dev.selvedge.Oracle;
import dev.selvedge.stress.programs.Allocation;
import dev.selvedge.stress.programs.Awaits;
import dev.selvedge.stress.programs.Gathers;
import dev.selvedge.stress.programs.Limits;
import dev.selvedge.stress.programs.Scopes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Bytes, unlike times, are the same on every machine. The bounds are what was measured plus a
 * little, everything that the JDK allocates for the threads included; docs/benchmarks has them
 * beside the JDK's.
 */
@ExtendWith(Oracle.class)
@Tag("virtual-only") // the programs' loops make their threads themselves
class AllocationTest {
  @Test
  @DisplayName(
      "a scope of any size allocates no more than it did; one object more would be noticed")
  void aScopeAllocatesNoMoreThanItDid() throws Exception {
    check(Scopes.class, Map.of(1, 680L, 10, 4_090L, 100, 38_900L, 1000, 384_000L));
  }

  @Test
  @DisplayName(
      "a gather of any size allocates no more than it did; one object more would be noticed")
  void gatherAllocatesNoMoreThanItDid() throws Exception {
    check(Gathers.class, Map.of(2, 1_200L, 10, 4_330L, 100, 40_300L));
  }

  @Test
  @DisplayName("to create and await a task allocates no more than it did")
  void awaitAllocatesNoMoreThanItDid() throws Exception {
    check(Awaits.class, Map.of(1, 645L, 10, 6_450L), "-Djdk.virtualThreadScheduler.parallelism=1");
  }

  @Test
  @DisplayName("a limit allocates no more than it did")
  void aLimitAllocatesNoMoreThanItDid() throws Exception {
    check(Limits.class, Map.of(1, 240L, 10, 2_400L));
  }

  /** What the program {@linkplain Allocation#report says}, by forks: the most bytes. */
  private static void check(Class<?> program, Map<Integer, Long> bounds, String... flags)
      throws Exception {
    var options = new ArrayList<>(List.of(flags));
    options.add("-Xbatch");
    try (ChildJvm child = ChildJvm.startOptimized(options, program)) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).as(ended.err()).isZero();
      assertThat(ended.out()).hasSameSizeAs(bounds.keySet());
      for (String line : ended.out()) {
        String[] words = line.split(" ");
        long bound = bounds.get(Integer.valueOf(words[0]));
        assertThat(Long.parseLong(words[1])).as(line).isLessThanOrEqualTo(bound);
        assertThat(Long.parseLong(words[2])).as(line + ", planted").isGreaterThan(bound);
      }
    }
  }
}
