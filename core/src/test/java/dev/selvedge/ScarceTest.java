package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.programs.Scarce;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A process without file descriptors or heap left. */
@Tag("virtual-only")
@Tag("child-jvm")
@ExtendWith(Oracle.class)
class ScarceTest {
  @Test
  @DisplayName("no file descriptor is left: failures are reported, tasks go on")
  void noDescriptorIsLeft() throws Exception {
    try (ChildJvm child = ChildJvm.startLimited("ulimit -n 64", Scarce.NoDescriptors.class)) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.out())
          .containsExactlyInAnyOrder(
              "reported lost",
              "undisturbed",
              "closed",
              "no descriptor",
              "reported lost",
              "undisturbed",
              "closed");
      assertThat(ended.code()).isZero();
    }
  }

  @Test
  @DisplayName("no heap is left: each OutOfMemoryError is awaited or reported, the loop goes on")
  void noHeapIsLeft() throws Exception {
    try (ChildJvm child = ChildJvm.startWith(List.of("-Xmx32m"), Scarce.NoHeap.class)) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.err()).isEmpty();
      assertThat(ended.out()).containsExactly("none is lost", "undisturbed", "closed");
      assertThat(ended.code()).isZero();
    }
  }
}
