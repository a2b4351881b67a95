package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.programs.Allocates;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Bytes, unlike times, are the same on every machine. The bounds are what was measured plus a
 * little; docs/benchmarks has them beside the JDK's.
 */
@ExtendWith(Oracle.class)
@Tag("virtual-only") // the program's loop makes its threads itself
class AllocationTest {
  /** By forks: the bytes of a scope and of everything that the JDK allocates for its threads. */
  private static final Map<Integer, Long> BOUNDS =
      Map.of(1, 576L, 10, 4_100L, 100, 39_000L, 1000, 386_000L);

  @Test
  @DisplayName("a scope with 1, 10, 100 and 1000 forks allocates no more than it did")
  void aScopeAllocatesNoMoreThanItDid() throws Exception {
    Map<Integer, Long> bytes = measure("as it is");

    assertThat(bytes).hasSameSizeAs(BOUNDS);
    BOUNDS.forEach((forks, bound) -> assertThat(bytes.get(forks)).isLessThanOrEqualTo(bound));
  }

  @Test
  @DisplayName("one small object more in a fork would be noticed at every size")
  void oneObjectMoreWouldBeNoticed() throws Exception {
    Map<Integer, Long> bytes = measure("planted");

    assertThat(bytes).hasSameSizeAs(BOUNDS);
    BOUNDS.forEach((forks, bound) -> assertThat(bytes.get(forks)).isGreaterThan(bound));
  }

  private static Map<Integer, Long> measure(String variant) throws InterruptedException {
    try (ChildJvm child = ChildJvm.startOptimized(List.of("-Xbatch"), Allocates.class, variant)) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).as(ended.err()).isZero();
      var bytes = new LinkedHashMap<Integer, Long>();
      for (String line : ended.out()) {
        String[] words = line.split(" ");
        bytes.put(Integer.valueOf(words[0]), Long.valueOf(words[1]));
      }
      return bytes;
    }
  }
}
