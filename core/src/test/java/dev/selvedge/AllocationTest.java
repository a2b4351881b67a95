package dev.selvedge;

import dev.selvedge.programs.Allocates;
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
      Map.of(1, 696L, 10, 4_100L, 100, 39_000L, 1000, 386_000L);

  @Test
  @DisplayName(
      "a scope of any size allocates no more than it did; one object more would be noticed")
  void aScopeAllocatesNoMoreThanItDid() throws Exception {
    AllocationBounds.check(Allocates.class, BOUNDS);
  }
}
