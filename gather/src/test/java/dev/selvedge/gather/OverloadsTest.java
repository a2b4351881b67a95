package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The forms that a verb has do the same. */
class OverloadsTest extends LoopFixture {
  private static final Duration LONG = Duration.ofDays(1);

  private final List<Body<Integer, RuntimeException>> bodies = List.of(() -> 1);
  private final AtomicInteger ran = new AtomicInteger();
  private final Action<RuntimeException> action = () -> ran.incrementAndGet();

  @Test
  @DisplayName("single bodies and a collection of them give the same value")
  void bodiesAndCollections() throws Exception {
    inTask(() -> {
      assertThat(Gather.<Integer, RuntimeException>gather(() -> 1)).containsExactly(1);
      assertThat(Gather.<Integer, RuntimeException>gather(bodies)).containsExactly(1);
      assertThat(Gather.<Integer>settle(() -> 1)).containsExactly(new Outcome.Success<>(1));
      assertThat(Gather.<Integer>settle(bodies)).containsExactly(new Outcome.Success<>(1));
      assertThat(Gather.<Integer>any(() -> 1)).isOne();
      assertThat(Gather.<Integer>any(bodies)).isOne();
      assertThat(Gather.<Integer>winner(() -> 1).value()).isOne();
      assertThat(Gather.<Integer>winner(bodies).value()).isOne();
      assertThat(Gather.<Integer, RuntimeException>race(() -> 1)).isOne();
      assertThat(Gather.<Integer, RuntimeException>race(bodies)).isOne();
      assertThat(Gather.<Integer>quorum(1, () -> 1)).containsExactly(1);
      assertThat(Gather.<Integer>quorum(1, bodies)).containsExactly(1);
      try (var outcomes = Gather.<Integer>asCompleted(() -> 1)) {
        assertThat(outcomes).containsExactly(new Outcome.Success<>(1));
      }
      try (var outcomes = Gather.<Integer>asCompleted(bodies)) {
        assertThat(outcomes).containsExactly(new Outcome.Success<>(1));
      }
    });
  }

  @Test
  @DisplayName("actions are run as bodies are")
  void actions() throws Exception {
    inTask(() -> {
      Gather.<RuntimeException>gather(action);
      assertThat(Gather.settle(action)).hasSize(1);
      Gather.any(action);
      Gather.<RuntimeException>race(action);
      Gather.<RuntimeException>hedge(LONG, 1, action);

      assertThat(ran).hasValue(5);
    });
  }

  @Test
  @DisplayName("a group with a name and a limit gives the value of its body")
  void namedGroup() throws Exception {
    inTask(() ->
        assertThat(
                Gather.options()
                    .name("named")
                    .limit(LONG)
                    .<Integer>group(group -> group.createTask(() -> 1).await()))
            .isOne());
  }

  @Test
  @DisplayName("with nothing to wait for they notice a cancellation all the same")
  void nothingToWaitFor() throws Exception {
    var noticed = new AtomicBoolean();
    inTask(() ->
        loop.createTask(
                () -> {
                  Task.current().orElseThrow().cancel();
                  try {
                    Gather.<Integer>settle(List.of());
                  } catch (CancellationException | InterruptedException cancelled) {
                    noticed.set(true);
                  }
                })
            .awaitDone());

    assertThat(noticed).isTrue();
  }
}
