package dev.selvedge.stress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Action;
import dev.selvedge.Loop;
import dev.selvedge.Oracle;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import dev.selvedge.gather.Backoff;
import dev.selvedge.gather.RestartLimitException;
import dev.selvedge.gather.Supervisor;
import dev.selvedge.gather.Supervisor.Strategy;
import java.time.Duration;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Crashing children on the real clock. With {@code -Plong}, ten thousand of them and a minute of
 * each strategy.
 */
@Tag("race")
@ExtendWith(Oracle.class)
class SupervisorSoakTest {
  private static final boolean LONG = Threads.EFFORT > 1;
  private static final Duration TIME = Duration.ofSeconds(LONG ? 60 : 1);
  private static final int CHILDREN = LONG && !Threads.PLATFORM ? 10_000 : 200;

  /** Without a stack trace: there are many. */
  private static final class Crash extends Exception {
    private static final long serialVersionUID = 1;

    Crash() {
      super("crash", null, true, false);
    }
  }

  /** What was thrown and not yet reported; what was reported and not thrown goes into the other. */
  private final Set<Throwable> thrown = ConcurrentHashMap.newKeySet();

  private final AtomicLong crashes = new AtomicLong();
  private final AtomicLong unknown = new AtomicLong();

  private Crash crash() {
    var crash = new Crash();
    thrown.add(crash);
    crashes.incrementAndGet();
    return crash;
  }

  /** Runs for some milliseconds and fails; half of those that are stopped fail in doing so. */
  private Action<Crash> crashing(int seed) {
    var random = new SplittableRandom(seed);
    return () -> {
      try {
        Thread.sleep(random.nextLong(1, 400));
      } catch (InterruptedException stopped) {
        if (random.nextBoolean()) {
          throw crash();
        }
        throw stopped;
      }
      if (random.nextInt(10) > 0) {
        throw crash();
      }
    };
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("of many crashing children every failure is reported, once")
  void everyFailureIsReported(Strategy strategy) throws Exception {
    // A restart of all stops the others first, one after another.
    int each = strategy == Strategy.ONE_FOR_ONE ? CHILDREN : 10;
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((_, context) -> {
              Throwable reported = context.exception();
              if (reported == null || !thrown.remove(reported)) {
                unknown.incrementAndGet();
              }
            })
            .build()) {
      Supervisor top = Supervisor.builder().name("top").strategy(Strategy.ONE_FOR_ONE).build();
      for (int first = 0; first < CHILDREN; first += each) {
        Supervisor group =
            Supervisor.builder()
                .strategy(strategy)
                .unlimitedRestarts()
                .backoff(Backoff.exponential(Duration.ofMillis(1), Duration.ofMillis(200)))
                .build();
        for (int i = first; i < first + each; i++) {
          group.add("child-" + i, crashing(i));
        }
        top.add("group-" + first, group);
      }
      Task<Void, RestartLimitException> task = loop.createTask("top", top);
      Thread.sleep(TIME);
      top.stop();
      task.await();
    }
    assertThat(thrown).as("thrown and not reported").isEmpty();
    assertThat(unknown).as("reported twice, or something else").hasValue(0);
    assertThat(crashes.get()).isGreaterThan(CHILDREN);
  }
}
