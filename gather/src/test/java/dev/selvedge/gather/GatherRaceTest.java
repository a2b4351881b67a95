package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import dev.selvedge.Threads;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("race")
class GatherRaceTest extends LoopFixture {
  private static final int TIMES = (Threads.PLATFORM ? 300 : 2_000) * Threads.EFFORT;
  private static final int MOST = 15;

  /** Throws as soon as all have begun. */
  private static Body<String, IOException> failingWith(AtomicInteger others, IOException failure) {
    return () -> {
      others.decrementAndGet();
      while (others.get() > 0) {
        Thread.onSpinWait();
        Thread.yield();
      }
      throw failure;
    };
  }

  @Test
  @DisplayName("n children before, one failing, m forks racing with it: each failure arrives once")
  void sweep() throws Exception {
    inTask(() -> {
      for (int before = 0; before <= MOST; before++) {
        for (int racing = 0; racing <= MOST; racing++) {
          sweep(before, racing);
        }
      }
    });
  }

  private void sweep(int before, int racing) throws InterruptedException {
    var failure = new IOException("the failing one");
    var cleanUps = new ArrayList<IOException>();
    var thrownThere = new ArrayList<Throwable>();
    var running = new AtomicInteger();
    var go = new CountDownLatch(1);
    Throwable thrown = null;
    try (TaskScope<IOException> scope = TaskScope.open()) {
      var bodies = new ArrayList<Body<String, IOException>>();
      for (int i = 0; i < before; i++) {
        var cleanUp = new IOException("clean-up " + i);
        cleanUps.add(cleanUp);
        bodies.add(counted(running, thrownThere, cleanUp));
      }
      bodies.add(() -> {
        go.countDown();
        throw failure;
      });
      // Into the scope around the gather: other forks come and go while it fails.
      scope.fork(() -> {
        go.await();
        for (int i = 0; i < racing; i++) {
          scope.fork(() -> "racing");
        }
      });
      try {
        Gather.gather(bodies);
      } catch (IOException e) {
        thrown = e;
      }
      assertThat(running).hasValue(0);
      scope.join();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    assertThat(thrown).isSameAs(failure);
    synchronized (thrownThere) {
      assertThat(Suppressed.in(failure)).containsExactlyInAnyOrderElementsOf(thrownThere);
      assertThat(cleanUps).containsAll(thrownThere.stream().map(IOException.class::cast).toList());
    }
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  /** Blocks until it is cancelled and then throws; knows what it threw. */
  private static Body<String, IOException> counted(
      AtomicInteger running, List<Throwable> thrownThere, IOException cleanUp) {
    return () -> {
      running.incrementAndGet();
      try {
        new CountDownLatch(1).await();
        return "never";
      } catch (InterruptedException cancelled) {
        synchronized (thrownThere) {
          thrownThere.add(cleanUp);
        }
        throw cleanUp;
      } finally {
        running.decrementAndGet();
      }
    };
  }

  @Test
  @DisplayName(
      "an outside cancellation races with a failure and the end: one way out, no stray flag")
  void outsideCancellation() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      var failure = new IOException("child");
      int kind = i % 3;
      var go = new CountDownLatch(1);
      Task<Boolean, IOException> caller =
          loop.createTask(() -> {
            go.countDown();
            try {
              Gather.gather(
                  () -> "a",
                  () -> {
                    if (kind == 1) {
                      throw failure;
                    }
                    return "b";
                  },
                  () -> {
                    if (kind == 2) {
                      Thread.sleep(1);
                    }
                    return "c";
                  });
            } catch (InterruptedException e) {
              if (kind == 1 && Suppressed.in(e).contains(failure)) {
                return true;
              }
              throw e;
            }
            return Thread.currentThread().isInterrupted();
          });
      go.await();
      for (int spin = ThreadLocalRandom.current().nextInt(2_000); spin > 0; spin--) {
        Thread.onSpinWait();
      }

      caller.cancel();

      caller.awaitDone();
      switch (caller.state()) {
        case SUCCESS -> assertThat(caller.result()).isIn(true, false);
        case FAILED -> assertThat(caller.exception()).containsSame(failure);
        case CANCELLED ->
            assertThat(caller.outcome())
                .extracting("exception")
                .isInstanceOf(TaskCancelledException.class);
        case RUNNING -> throw new AssertionError();
      }
    }
  }

  @Test
  @DisplayName("any: two succeed at the same instant: one wins, the group leaves nothing running")
  void twoWin() throws Exception {
    inTask(() -> {
      for (int i = 0; i < TIMES; i++) {
        var others = new AtomicInteger(2);
        var running = new AtomicInteger();
        Body<Integer, RuntimeException> body =
            () -> {
              running.incrementAndGet();
              try {
                others.decrementAndGet();
                while (others.get() > 0) {
                  Task.checkCancelled();
                  Thread.yield();
                }
                return 1;
              } finally {
                running.decrementAndGet();
              }
            };

        assertThat(Gather.<Integer>any(body, body)).isEqualTo(1);
        assertThat(running).hasValue(0);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
      }
    });
  }

  @Test
  @DisplayName("the reader of a stream is cancelled: what its elements throw is suppressed")
  void aCancelledReader() throws Exception {
    for (int i = 0; i < TIMES; i++) {
      boolean ordered = i % 2 == 0;
      var begun = new CountDownLatch(2);
      var cleanUp = new IOException("clean-up");
      Mapper<Integer, Integer, IOException> mapper =
          number -> {
            begun.countDown();
            try {
              new CountDownLatch(1).await();
              return number;
            } catch (InterruptedException cancelled) {
              if (number == 0) {
                throw cleanUp;
              }
              throw cancelled;
            }
          };
      Task<List<Integer>, IOException> reader =
          loop.createTask(() -> {
            try (Stream<Integer> values =
                ordered
                    ? Gather.stream(List.of(0, 1), 2, mapper)
                    : Gather.streamCompleted(List.of(0, 1), 2, mapper)) {
              return values.toList();
            }
          });
      begun.await();

      reader.cancel();

      reader.awaitDone();
      assertThat(reader.outcome())
          .isInstanceOfSatisfying(
              Outcome.Cancelled.class,
              outcome -> assertThat(outcome.exception().failures()).containsExactly(cleanUp));
    }
  }
}
