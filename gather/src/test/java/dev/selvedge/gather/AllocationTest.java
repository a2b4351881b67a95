package dev.selvedge.gather;

import dev.selvedge.AllocationBounds;
import dev.selvedge.Oracle;
import dev.selvedge.gather.programs.Gathers;
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
  /** By bodies: the bytes of a gather and of everything that the JDK allocates for its threads. */
  private static final Map<Integer, Long> BOUNDS = Map.of(2, 1_250L, 10, 4_500L, 100, 41_000L);

  @Test
  @DisplayName(
      "a gather of any size allocates no more than it did; one object more would be noticed")
  void gatherAllocatesNoMoreThanItDid() throws Exception {
    AllocationBounds.check(Gathers.class, BOUNDS);
  }
}
