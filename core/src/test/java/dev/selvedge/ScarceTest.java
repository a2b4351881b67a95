package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.programs.Scarce;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A process without file descriptors left. */
@Tag("virtual-only")
@ExtendWith(Oracle.class)
class ScarceTest {
  @Test
  @DisplayName("no file descriptor is left: failures are reported, tasks go on")
  void noDescriptorIsLeft() throws Exception {
    try (ChildJvm child =
        ChildJvm.startLimited("ulimit -n 64", List.of(), Scarce.NoDescriptors.class)) {
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
}
