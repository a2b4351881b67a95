package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.programs.Allocation;
import java.util.List;
import java.util.Map;

/** What programs that call {@link Allocation#report} may allocate. */
public final class AllocationBounds {
  private AllocationBounds() {}

  /** By forks: the most bytes. With what the program plants they are exceeded. */
  public static void check(Class<?> program, Map<Integer, Long> bounds) throws Exception {
    try (ChildJvm child = ChildJvm.startOptimized(List.of("-Xbatch"), program)) {
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
