package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The counts of what listeners are told agree, whatever races. */
@ExtendWith(Oracle.class)
@Tag("race")
class ListenerRaceTest {
  private static final int TASKS =
      (Threads.PLATFORM ? 2_000 : 20_000) * Threads.EFFORT / Threads.SHARE;

  /** Counts by task. */
  private static final class Counting implements LoopListener {
    final ConcurrentMap<Long, AtomicInteger> started = new ConcurrentHashMap<>();
    final ConcurrentMap<Long, AtomicInteger> finished = new ConcurrentHashMap<>();
    final ConcurrentMap<Long, AtomicInteger> cancelled = new ConcurrentHashMap<>();
    final ConcurrentMap<Long, AtomicInteger> tolerated = new ConcurrentHashMap<>();
    final LongAdder values = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder cancellations = new LongAdder();
    final LongAdder early = new LongAdder();
    final LongAdder interrupted = new LongAdder();

    private static int count(ConcurrentMap<Long, AtomicInteger> counts, Task<?, ?> task) {
      return counts.computeIfAbsent(task.id(), id -> new AtomicInteger()).incrementAndGet();
    }

    @Override
    public void started(Task<?, ?> task) {
      count(started, task);
      if (finished.containsKey(task.id())) {
        early.increment();
      }
    }

    @Override
    public void finished(Task<?, ?> task, Throwable exception) {
      count(finished, task);
      if (!started.containsKey(task.id())) {
        early.increment();
      }
      if (Thread.currentThread().isInterrupted()) {
        interrupted.increment();
      }
      (switch (task.state()) {
            case SUCCESS -> values;
            case FAILED -> failures;
            case CANCELLED -> cancellations;
            case RUNNING -> early;
          })
          .increment();
    }

    @Override
    public void cancelled(Task<?, ?> task, CancelReason reason) {
      count(cancelled, task);
    }

    @Override
    public void tolerated(Task<?, ?> task, Throwable exception) {
      count(tolerated, task);
    }

    void assertEach(int tasks) {
      assertThat(started).hasSize(tasks);
      assertThat(finished.keySet()).isEqualTo(started.keySet());
      assertThat(started.values()).allMatch(count -> count.get() == 1);
      assertThat(finished.values()).allMatch(count -> count.get() == 1);
      assertThat(early.sum()).as("in the wrong order").isZero();
      assertThat(interrupted.sum()).as("interrupted in finished").isZero();
      assertThat(values.sum() + failures.sum() + cancellations.sum()).isEqualTo(tasks);
    }
  }

  private final Counting counting = new Counting();
  private final Threads.Reported reported = new Threads.Reported();

  private Loop.Builder builder() {
    return Threads.builder().listener(counting).exceptionHandler(reported);
  }

  @Test
  @DisplayName("each of many tasks that are cancelled at random is started once and finished once")
  void randomCancels() {
    var random = new SplittableRandom(42);
    var accepted = new ConcurrentHashMap<Long, Integer>();
    var window = new ArrayList<Task<Integer, IOException>>();
    Loop loop = builder().build();
    for (int i = 0; i < TASKS; i++) {
      int kind = random.nextInt(4);
      window.add(
          loop.createTask(() -> {
            if (kind == 0) {
              Thread.yield();
            } else if (kind == 1) {
              Thread.sleep(1);
            } else if (kind == 2) {
              throw new IOException("one of many");
            }
            return kind;
          }));
      if (window.size() == 32) {
        for (Task<Integer, IOException> task : window) {
          if (random.nextBoolean() && task.cancel("at random")) {
            accepted.merge(task.id(), 1, Integer::sum);
          }
          if (random.nextInt(8) == 0 && task.cancel("again")) {
            accepted.merge(task.id(), 1, Integer::sum);
          }
          task.ignoreFailure();
        }
        window.clear();
      }
    }
    window.forEach(Task::ignoreFailure);
    loop.close();

    counting.assertEach(TASKS);
    // Those of the last ones may come from the close.
    counting.cancelled.forEach((id, count) -> {
      int asked = accepted.getOrDefault(id, 0);
      assertThat(count.get()).isBetween(asked, asked + 1);
    });
    assertThat(counting.cancelled.keySet()).containsAll(accepted.keySet());
    assertThat(counting.tolerated.values()).allMatch(count -> count.get() == 1);
    assertThat(counting.tolerated).hasSize((int) counting.failures.sum());
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("each fork into a scope that is being cancelled is told, once, whoever comes first")
  void forksAgainstTheCancelOfTheirScope() throws Exception {
    int rounds = Threads.times(Threads.PLATFORM ? 50 : 300);
    int forks = 20;
    for (TaskScope.Policy policy : TaskScope.Policy.values()) {
      try (Loop loop = builder().build()) {
        loop.runUntilComplete(() -> {
          for (int i = 0; i < rounds; i++) {
            try (TaskScope<RuntimeException> scope = TaskScope.open(policy)) {
              var ready = new CountDownLatch(1);
              Task<Void, RuntimeException> canceller =
                  loop.createTask(() -> {
                    ready.await();
                    scope.cancel("meanwhile");
                  });
              Task<Void, RuntimeException> foreign =
                  loop.createTask(() -> {
                    ready.await();
                    for (int n = 0; n < forks; n++) {
                      scope.fork(() -> new CountDownLatch(1).await());
                    }
                  });
              ready.countDown();
              for (int n = 0; n < forks; n++) {
                scope.fork(() -> new CountDownLatch(1).await());
              }
              canceller.await();
              foreign.await();
            }
          }
        });
      }
    }

    int policies = TaskScope.Policy.values().length;
    counting.assertEach(policies * (1 + rounds * (2 + 2 * forks)));
    assertThat(counting.cancelled).hasSize(policies * rounds * 2 * forks);
    assertThat(counting.cancelled.values()).allMatch(count -> count.get() == 1);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("ignoring a failure at the moment it happens: tolerated exactly once")
  void ignoreAgainstTheFailure() throws Exception {
    int rounds = Threads.times(500);
    var failed = new ArrayList<Task<Object, IOException>>();
    try (Loop loop = builder().build()) {
      for (int i = 0; i < rounds; i++) {
        Task<Object, IOException> task =
            loop.createTask(() -> {
              throw new IOException("ignored");
            });
        for (int spins = i % 50; spins > 0; spins--) {
          Thread.onSpinWait();
        }
        task.ignoreFailure();
        ((TaskImpl<Object, IOException>) task).awaitDone();
        failed.add(task);
      }
    }
    assertThat(failed).allMatch(task -> task.state() == Future.State.FAILED);
    assertThat(counting.tolerated).hasSize(rounds);
    assertThat(counting.tolerated.values()).allMatch(count -> count.get() == 1);
    assertThat(reported.contexts).isEmpty();
  }
}
