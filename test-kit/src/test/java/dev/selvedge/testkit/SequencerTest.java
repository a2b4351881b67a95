package dev.selvedge.testkit;

import static dev.selvedge.testkit.SelvedgeAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SelvedgeExtension.class)
class SequencerTest {
  private static final Duration SHORT = Duration.ofMillis(50);

  private final List<String> log = new CopyOnWriteArrayList<>();

  @RepeatedTest(20)
  void stepsAreTakenInOrderWhoeverComesFirst(Loop loop) throws Exception {
    var sequencer = new Sequencer();
    for (int i = 10; i > 0; i--) {
      int number = i;
      loop.createTask(() -> sequencer.step(number, () -> log.add("step " + number)));
    }
    sequencer.await(10);

    assertThat(log)
        .containsExactly(
            "step 1", "step 2", "step 3", "step 4", "step 5", "step 6", "step 7", "step 8",
            "step 9", "step 10");
    assertThat(sequencer.taken()).isEqualTo(10);
  }

  @Test
  void stepsHaveNames(Loop loop) throws Exception {
    Sequencer sequencer = Sequencer.of("open", "write", "close");
    Task<Void, RuntimeException> closer =
        loop.createTask(() -> sequencer.step("close", () -> log.add("closed")));
    assertThat(closer).isBlocked();
    sequencer.step("open");
    sequencer.step("write", () -> log.add("written"));
    sequencer.await("close");

    assertThat(log).containsExactly("written", "closed");
    assertThat(sequencer).hasToString("Sequencer[3 taken of [open, write, close]]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sequencer.step("reopen"))
        .withMessage("there is no step \"reopen\": [open, write, close]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sequencer.step(4))
        .withMessage("there is no step 4: steps are numbered from 1 to 3");
    assertThatIllegalArgumentException().isThrownBy(Sequencer::of);
    assertThatIllegalArgumentException().isThrownBy(() -> Sequencer.of("a", "a"));
  }

  @Test
  void whoWaitsInVainIsToldWhoWaitsForWhat(Loop loop) throws Exception {
    var sequencer = new Sequencer(SHORT);
    sequencer.step(1);
    Task<Void, RuntimeException> late = loop.createTask("late", () -> sequencer.step(4));
    assertThat(late)
        .failedWith(AssertionError.class)
        .hasMessage(
            "late waited PT0.05S for its turn at step 4, but nobody has taken step 2."
                + " Taken: up to step 1. late waits for step 4");
    // It has given its claim up.
    Task<Void, RuntimeException> again = loop.createTask("again", () -> sequencer.step(4));
    sequencer.step(2);
    sequencer.step(3);
    assertThat(again).succeeded();
    assertThatThrownBy(() -> sequencer.await(5))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("waited PT0.05S for the end of step 5");
  }

  @Test
  void whoIsInAStepIsNamed(Loop loop) throws Exception {
    var sequencer = new Sequencer(SHORT);
    var inside = new Sequencer();
    Task<Void, RuntimeException> first =
        loop.createTask("first", () -> sequencer.step(1, () -> inside.step(2)));
    assertThat(first).isBlocked();
    assertThatThrownBy(() -> sequencer.step(2))
        .hasMessageEndingWith(
            " waited PT0.05S for its turn at step 2, but nobody has taken step 1. Taken: none."
                + " first is in step 1. main waits for step 2");
    assertThatIllegalStateException()
        .isThrownBy(() -> sequencer.step(1))
        .withMessage("step 1 is taken already, by first: each step is taken once");
    inside.step(1);
    assertThat(first).succeeded();
  }

  @Test
  void aCancellationInterruptsAndLeavesTheStepToOthers(Loop loop) throws Exception {
    var sequencer = new Sequencer();
    Task<Void, RuntimeException> waiting = loop.createTask(() -> sequencer.step(2));
    assertThat(waiting).isBlocked();
    waiting.cancel();
    assertThat(waiting).isCancelled();
    sequencer.step(1);
    sequencer.step(2);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> sequencer.step(3)).isInstanceOf(InterruptedException.class);
    assertThat(sequencer.taken()).isEqualTo(2);
  }

  @Test
  void aStepWhoseActionFailsIsOver() throws Exception {
    var sequencer = new Sequencer();
    assertThatThrownBy(() ->
            sequencer.step(
                1,
                () -> {
                  throw new IOException("fallen");
                }))
        .isInstanceOf(IOException.class);
    sequencer.step(2);
    assertThat(sequencer).hasToString("Sequencer[2 taken]");
  }

  @Test
  @DisplayName("a sequence without names or with a negative limit is refused; a huge one is none")
  @SuppressWarnings("NullAway")
  void badArgumentsAreRefused() throws Exception {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Sequencer(SHORT.negated()))
        .withMessage("limit is negative: PT-0.05S");
    assertThatNullPointerException()
        .isThrownBy(() -> Sequencer.of((String[]) null))
        .withMessage("names");
    assertThatNullPointerException()
        .isThrownBy(() -> Sequencer.of("open", null))
        .withMessage("names[1]");
    var patient = new Sequencer(Duration.ofSeconds(Long.MAX_VALUE));
    patient.step(1);
    patient.step(2);
    assertThat(patient.taken()).isEqualTo(2);
  }
}
