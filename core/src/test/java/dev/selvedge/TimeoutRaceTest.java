package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Limits of some microseconds against bodies that end about then. A failure prints the seed; {@code
 * -Dselvedge.seed} repeats the choices, though not the timing.
 */
@Tag("race")
@ExtendWith(Oracle.class)
class TimeoutRaceTest {
  private static final long SEED = Long.getLong("selvedge.seed", System.nanoTime());

  /** The tasks of a test, which share the timer. */
  private static final int WORKERS = 4;

  private static final int TIMES =
      (Threads.PLATFORM ? 20_000 : 85_000) / WORKERS * Threads.EFFORT / Threads.SHARE;
  private static final int MOVES =
      (Threads.PLATFORM ? 3_000 : 10_000) * Threads.EFFORT / Threads.SHARE;
  private static final int CANCELS =
      (Threads.PLATFORM ? 2_000 : 5_000) * Threads.EFFORT / Threads.SHARE;

  private static final class Failure extends IOException {
    private static final long serialVersionUID = 1;
  }

  private enum End {
    VALUE,
    EXCEPTION,
    YIELDING,
    BLOCKING,
    NESTED,
    SHIELDED;

    private static final End[] ALL = values();

    static End any(Random random) {
      // Few of those that always wait for the timer.
      End end = ALL[random.nextInt(ALL.length)];
      return end == BLOCKING && random.nextInt(4) != 0 ? VALUE : end;
    }
  }

  private final Threads.Reported reported = new Threads.Reported();

  private static void spin(int nanos) {
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  /** One race, and what it had to come to. */
  private static final class Race {
    private final Random random;
    private final End end;
    private final AtomicReference<@Nullable Timeout> timeout = new AtomicReference<>();
    private @Nullable Throwable thrown;

    Race(Random random) {
      this.random = random;
      this.end = End.any(random);
    }

    void run(int longest) {
      Duration limit = Duration.ofNanos(random.nextInt(longest));
      int nanos = random.nextInt(longest + 60_000);
      try {
        String value =
            Timeout.<String, Exception>within(
                limit,
                around -> {
                  timeout.set(around);
                  return body(nanos);
                });
        assertThat(value).isEqualTo("value");
      } catch (Throwable t) {
        thrown = t;
      }
    }

    private String body(int nanos) throws IOException, InterruptedException, TimeoutException {
      switch (end) {
        case VALUE -> spin(nanos);
        case EXCEPTION -> {
          spin(nanos);
          throw new Failure();
        }
        case YIELDING -> {
          long until = System.nanoTime() + nanos;
          while (System.nanoTime() < until) {
            Thread.yield();
            Task.checkCancelled();
          }
        }
        case BLOCKING -> Thread.sleep(60_000);
        case NESTED ->
            Timeout.within(Duration.ofNanos(random.nextInt(nanos + 1)), () -> spin(nanos / 2));
        case SHIELDED -> Task.shielded(() -> spin(nanos));
      }
      return "value";
    }

    /** The outcome, whatever the timing, when nobody but the limit cancelled. */
    void check() {
      boolean expired = timeout.get() != null && timeout.get().expired();
      switch (thrown) {
        case null -> assertThat(end).isNotIn(End.EXCEPTION, End.BLOCKING);
        case TimeoutException e -> {
          assertThat(end).isNotIn(End.VALUE, End.EXCEPTION, End.SHIELDED);
          assertThat(expired).isTrue();
          assertThat(e).hasCauseInstanceOf(InterruptedException.class);
        }
        case Failure e -> {
          assertThat(end).isEqualTo(End.EXCEPTION);
          assertThat(Suppressed.in(e)).hasSize(expired ? 1 : 0);
        }
        default -> throw new AssertionError("out of " + end, thrown);
      }
      assertThat(Thread.currentThread().isInterrupted()).as("interrupt flag").isFalse();
    }
  }

  private static void play(long seed, int times, int longest) {
    var random = new Random(seed);
    for (int i = 0; i < times; i++) {
      var race = new Race(random);
      int round = i;
      race.run(longest);
      assertThatCode(race::check)
          .as("seed %d, round %d, %s", seed, round, race.end)
          .doesNotThrowAnyException();
    }
  }

  @Test
  @DisplayName("TMO-02: the limit races with the end of the body: the result agrees, no interrupt")
  void theLimitRacesWithTheEnd() throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          var workers = new ArrayList<Task<Void, RuntimeException>>();
          for (int i = 0; i < WORKERS; i++) {
            long seed = SEED + i;
            workers.add(loop.createTask(() -> play(seed, TIMES, 40_000)));
          }
          for (Task<Void, RuntimeException> worker : workers) {
            worker.await();
          }
          return null;
        });
    assertThat(reported.contexts).isEmpty();
    assertThat(Timers.armed()).isZero();
  }

  /** Lets another thread act once a round, some time after the round began. */
  private static final class Rival implements AutoCloseable {
    private final AtomicInteger round = new AtomicInteger(-1);
    private final AtomicInteger acting = new AtomicInteger(-1);
    private final AtomicInteger done = new AtomicInteger(-1);
    private final AtomicReference<@Nullable Throwable> broken = new AtomicReference<>();
    private volatile boolean over;
    private final Thread thread;

    Rival(Random random, int longest, Runnable act) {
      thread =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                for (int seen = -1; !over; ) {
                  if (round.get() == seen) {
                    Thread.yield();
                    continue;
                  }
                  seen++;
                  acting.set(seen);
                  try {
                    spin(random.nextInt(longest));
                    act.run();
                  } catch (Throwable t) {
                    broken.set(t);
                  }
                  done.set(seen);
                }
              });
    }

    /** Returns when it is awake, so that what follows is concurrent however busy the machine is. */
    void begin(int next) {
      round.set(next);
      while (acting.get() != next) {
        Thread.yield();
      }
    }

    void awaitEnd(int of) {
      while (done.get() != of) {
        Thread.yield();
      }
      assertThat(broken).hasValue(null);
    }

    @Override
    public void close() {
      over = true;
      boolean interrupted = false;
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  @DisplayName("TMO-17: moving the limit from another thread races with the end of the body")
  void movingRacesWithTheEnd() {
    var random = new Random(SEED);
    var current = new AtomicReference<@Nullable Timeout>();
    Random rivals = new Random(SEED + 1);
    Runnable move =
        () -> {
          try {
            current
                .get()
                .reschedule(rivals.nextBoolean() ? Instant.MIN : Instant.now().plusSeconds(60));
          } catch (IllegalStateException e) {
            assertThat(e).hasMessageContaining("cannot be moved");
          }
        };
    try (var rival = new Rival(new Random(SEED + 2), 10_000, move)) {
      for (int i = 0; i < MOVES; i++) {
        int round = i;
        int nanos = random.nextInt(20_000);
        boolean failing = random.nextBoolean();
        assertThatCode(
                () -> {
                  boolean timedOut = false;
                  try {
                    String value =
                        Timeout.<String, InterruptedException>within(
                            Duration.ofSeconds(60),
                            timeout -> {
                              current.set(timeout);
                              rival.begin(round);
                              spin(nanos);
                              if (failing) {
                                Task.checkCancelled();
                              }
                              return "value";
                            });
                    assertThat(value).isEqualTo("value");
                  } catch (TimeoutException e) {
                    timedOut = true;
                  }
                  assertThat(Thread.currentThread().isInterrupted()).as("interrupt flag").isFalse();
                  assertThat(timedOut && !current.get().expired())
                      .as("timeout, not expired")
                      .isFalse();
                  assertThat(timedOut && !failing).as("timeout without a wait").isFalse();
                  rival.awaitEnd(round);
                  assertThat(Thread.currentThread().isInterrupted())
                      .as("flag afterwards")
                      .isFalse();
                })
            .as("seed %d, round %d", SEED, round)
            .doesNotThrowAnyException();
      }
    }
  }

  @Test
  @DisplayName("an outside cancellation that races with the limit is never lost, and comes once")
  void outsideRacesWithTheLimit() throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          Task<?, ?> self = Task.current().orElseThrow();
          var random = new Random(SEED);
          try (var rival =
              new Rival(
                  new Random(SEED + 1),
                  60_000,
                  () -> assertThat(self.cancel("outside")).isTrue())) {
            for (int i = 0; i < CANCELS; i++) {
              var race = new Race(random);
              rival.begin(i);
              race.run(20_000);
              rival.awaitEnd(i);
              boolean flag = Thread.interrupted();
              boolean thrown = race.thrown instanceof InterruptedException;
              assertThat(flag ^ thrown)
                  .as(
                      "seed %d, round %d, %s: flag %s, thrown %s, %s",
                      SEED, i, race.end, flag, race.thrown, race.timeout)
                  .isTrue();
              assertThat(self.uncancel()).isZero();
              if (!thrown) {
                race.check();
              }
            }
          }
          return null;
        });
    assertThat(reported.contexts).isEmpty();
  }
}
