package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.programs.BrokenErr;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code System.err}, to which the default handler prints, is closed, slow or throws. */
@Tag("virtual-only")
@Tag("child-jvm")
@ExtendWith(Oracle.class)
class BrokenErrTest {
  @ParameterizedTest
  @ValueSource(strings = {"closed", "failing", "throwing", "erring", "none"})
  @DisplayName("promise 2: what System.err does not take is written to the process's own")
  void theFailuresAreWrittenPastIt(String how) throws Exception {
    try (ChildJvm child = ChildJvm.start(BrokenErr.class, how)) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.out()).containsExactly("closed");
      assertThat(ended.code()).isZero();
      for (int i = 0; i < BrokenErr.FAILURES; i++) {
        assertThat(ended.err()).contains("IOException: failure " + i + "\n");
      }
    }
  }

  @Test
  @DisplayName("a process whose own standard error is closed goes on, and its listeners are told")
  void theDescriptorIsClosed() throws Exception {
    try (ChildJvm child = ChildJvm.start(BrokenErr.class, "descriptor")) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).isZero();
      assertThat(ended.out())
          .containsExactlyInAnyOrderElementsOf(
              IntStream.rangeClosed(0, BrokenErr.FAILURES)
                  .mapToObj(i -> i < BrokenErr.FAILURES ? "told of failure " + i : "closed")
                  .toList())
          .endsWith("closed");
    }
  }

  @Test
  @DisplayName("promise 5: while System.err blocks, tasks go on; all is printed when it does")
  void aSlowStream() throws Exception {
    try (ChildJvm child = ChildJvm.start(BrokenErr.class, "slow")) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.out()).containsExactly("undisturbed", "closed");
      for (int i = 0; i < BrokenErr.FAILURES; i++) {
        assertThat(ended.err()).containsOnlyOnce("IOException: failure " + i + "\n");
      }
    }
  }
}
