package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Forks from several threads, some of which are cancelled, fail, or meet the close of the loop. */
@Tag("race")
@ExtendWith(Oracle.class)
class AdmissionRaceTest {
  private static final int LIMIT = 3;
  private static final int FORKERS = 4;
  private static final int FORKS = Threads.times(Threads.PLATFORM ? 200 : 2000) / FORKERS;

  private final Set<Throwable> failures = ConcurrentHashMap.newKeySet();
  private final AtomicInteger active = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();

  private Admission admission(Admission.Policy policy) {
    return switch (policy) {
      case BLOCK -> Admission.block(LIMIT);
      case REJECT -> Admission.reject(LIMIT);
      case QUEUE -> Admission.queue(LIMIT, 5);
    };
  }

  private void body(int number) throws IOException {
    most.accumulateAndGet(active.incrementAndGet(), Math::max);
    for (int i = number * 7 % 300; i > 0; i--) {
      Thread.onSpinWait();
    }
    active.decrementAndGet();
    if (number % 10 == 0) {
      var failure = new IOException("failure " + number);
      failures.add(failure);
      throw failure;
    }
  }

  private void fork(Loop loop, SplittableRandom random) {
    for (int i = 0; i < FORKS; i++) {
      int number = random.nextInt(1000);
      try {
        Task<Void, IOException> task = loop.createTask(() -> body(number));
        task.onDone(_ -> ended.incrementAndGet());
        if (random.nextInt(4) == 0) {
          task.cancel();
        }
      } catch (RejectedExecutionException e) {
        refused.incrementAndGet();
        Thread.yield();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "never more than the limit, every task ends, every failure arrives, no place is lost")
  void forksFromSeveralThreads(Admission.Policy policy) throws Exception {
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((_, context) -> failures.remove(context.exception()))
            .admission(admission(policy))
            .build()) {
      var random = new SplittableRandom(7);
      var forkers = new ArrayList<Thread>();
      for (int i = 0; i < FORKERS; i++) {
        SplittableRandom own = random.split();
        forkers.add(Thread.ofVirtual().start(() -> fork(loop, own)));
      }
      for (Thread forker : forkers) {
        forker.join();
      }
      await().until(() -> loop.unendedTasks().isEmpty());
      // A place is free a moment after its task has ended.
      await()
          .untilAsserted(() ->
              assertThat(TaskTreeTest.node(loop.snapshot(), "loop").details())
                  .containsEntry("active", "0")
                  .containsEntry("queued", "0")
                  .containsEntry("rejected", refused.toString()));
      var places = new CountDownLatch(LIMIT);
      var all = new ArrayList<Task<Void, RuntimeException>>();
      for (int i = 0; i < LIMIT; i++) {
        all.add(
            loop.createTask(() -> {
              places.countDown();
              places.await();
            }));
      }
      for (Task<?, ?> task : all) {
        task.awaitDone();
      }
    }
    assertThat(most.get()).isBetween(1, LIMIT);
    assertThat(ended.get() + refused.get()).isEqualTo(FORKERS * FORKS);
    assertThat(failures).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("the close of the loop meets forks at any moment: all end, and close returns")
  void forksMeetTheClose(Admission.Policy policy) throws Exception {
    for (int i = 0; i < FORKS / 4; i++) {
      List<Thread> forkers = new ArrayList<>();
      var begun = new CountDownLatch(FORKERS);
      Loop loop =
          Threads.builder()
              .exceptionHandler((_, context) -> failures.remove(context.exception()))
              .admission(admission(policy))
              .build();
      for (int forker = 0; forker < FORKERS; forker++) {
        forkers.add(
            Thread.ofVirtual()
                .start(() -> {
                  begun.countDown();
                  try {
                    for (int number = 1; number < 20; number++) {
                      fork(loop, number);
                    }
                  } catch (IllegalStateException closed) {
                    refused.incrementAndGet();
                  }
                }));
      }
      begun.await();
      for (int spin = 0; spin < i * 13 % 2000; spin++) {
        Thread.onSpinWait();
      }
      loop.close();
      for (Thread forker : forkers) {
        forker.join();
      }
      assertThat(loop.unendedTasks()).isEmpty();
    }
    assertThat(failures).isEmpty();
  }

  private void fork(Loop loop, int number) {
    try {
      Task<Void, IOException> unused = loop.createTask(() -> body(number));
    } catch (RejectedExecutionException e) {
      refused.incrementAndGet();
    }
  }
}
