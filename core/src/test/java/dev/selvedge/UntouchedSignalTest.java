package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.programs.Untouched;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Signals that are somebody else's, in JVMs of their own. */
@Tag("virtual-only")
@Tag("child-jvm")
@ExtendWith(Oracle.class)
class UntouchedSignalTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @ParameterizedTest
  @ValueSource(strings = {"before", "within"})
  @DisplayName("A handler that the program installed, before or within the run, stays in its place")
  void aHandlerOfTheProgramStays(String when) throws Exception {
    try (ChildJvm child = ChildJvm.start(Untouched.OwnHandler.class, when)) {
      child.awaitLine("ready").signal("INT");
      child.awaitLine("run returned requests 0").signal("INT");
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.out())
          .containsExactlyInAnyOrder(
              "ready", "own handler", "run returned requests 0", "own handler", "end");
      assertThat(ended.code()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  @DisplayName("With handleSignals(false) a signal has the JVM's effect and no other")
  void withoutSignalsNothingIsTouched(String signal, int code) throws Exception {
    try (ChildJvm child = ChildJvm.start(Untouched.WithoutSignals.class)) {
      ChildJvm.Ended ended = child.awaitLine("ready").signal(signal).awaitEnd(SOON);

      assertThat(ended.code()).isEqualTo(code);
      assertThat(ended.out()).containsExactly("ready");
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @DisplayName("A system property keeps the default loop from touching the exit")
  void aPropertyKeepsTheDefaultLoopFromTheExit() throws Exception {
    List<String> untouched = List.of("-Dselvedge.handleSignals=false");
    try (ChildJvm without = ChildJvm.startWith(untouched, Untouched.Foreign.class);
        ChildJvm with = ChildJvm.start(Untouched.Foreign.class)) {
      ChildJvm.Ended left = without.awaitLine("ready").signal("TERM").awaitEnd(SOON);
      ChildJvm.Ended cancelled = with.awaitLine("ready").signal("TERM").awaitEnd(SOON);

      assertThat(left.out()).containsExactly("ready");
      assertThat(cancelled.out()).containsExactly("ready", "cancelled");
    }
  }

  @Test
  @DisplayName("A SIGINT that the process ignores, as under nohup, stays ignored")
  void anIgnoredInterruptStaysIgnored() throws Exception {
    try (ChildJvm child = ChildJvm.startIgnoringInterrupt(Untouched.Reads.class)) {
      child.awaitLine("ready").signal("INT").signal("INT");
      ChildJvm.Ended ended = child.type("go on").awaitEnd();

      assertThat(ended.out()).containsExactly("ready", "requests 0");
      assertThat(ended.code()).isZero();
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @DisplayName("Signals that java -Xrs keeps from Java stay with the system")
  void signalsThatAreKeptFromJava() throws Exception {
    try (ChildJvm reads = ChildJvm.startWith(List.of("-Xrs"), Untouched.Reads.class);
        ChildJvm killed = ChildJvm.startWith(List.of("-Xrs"), Untouched.Reads.class)) {
      ChildJvm.Ended ended = reads.awaitLine("ready").type("go on").awaitEnd();
      ChildJvm.Ended interrupted = killed.awaitLine("ready").signal("INT").awaitEnd(SOON);

      assertThat(ended.code()).isZero();
      assertThat(ended.err()).isEmpty();
      assertThat(interrupted.code()).isEqualTo(130);
    }
  }
}
