package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An error of the JVM in the middle of core's own code, at each place in turn. */
@ExtendWith(Oracle.class)
@org.junit.jupiter.api.Timeout(60)
class WorstPlacesTest {
  private static final String FAILING = "failing";

  /** What follows these allocates nothing. */
  private static final Set<String> NEED_NO_MEMORY =
      Set.of("start", "claimed", "wake", "count-down");

  private static final Duration LONG = Duration.ofSeconds(20);

  /** So many frames above the overflow it is tried; more than any call of core needs. */
  private static final int FRAMES = 600;

  private final Threads.Reported reported = new Threads.Reported();

  @AfterEach
  void unhook() {
    Points.hook = null;
  }

  // ---- no memory, at the end of a task

  /** Some tries in a row find no memory, from the n-th point of the failing task on. */
  private static final class Full implements Points.Hook {
    private final int from;
    private final int tries;
    private int reached;
    private int thrown;

    Full(int from, int tries) {
      this.from = from;
      this.tries = tries;
    }

    @Override
    public void reached(String point) {
      if (!Thread.currentThread().getName().equals(FAILING) || NEED_NO_MEMORY.contains(point)) {
        return;
      }
      if (reached++ >= from && thrown < tries) {
        thrown++;
        throw new OutOfMemoryError("not really");
      }
    }

    boolean hasThrown() {
      return thrown > 0;
    }
  }

  private Loop open() {
    return Threads.builder().exceptionHandler(reported).build();
  }

  /** Every failure that has arrived at the handler, in whatever it is suppressed. */
  private List<String> lost() {
    var lost = new ArrayList<String>();
    var open = new ArrayDeque<>(reported.exceptions());
    for (Throwable each; (each = open.poll()) != null; ) {
      if (each instanceof IOException) {
        lost.add(each.getMessage());
      }
      Collections.addAll(open, each.getSuppressed());
    }
    return lost;
  }

  private static Object fail() throws IOException {
    throw new IOException("lost");
  }

  /** Something that a task named {@link #FAILING} fails in, and what must be true of it. */
  @FunctionalInterface
  private interface Round {
    void play(Loop loop) throws Exception;
  }

  /** Plays it once for each point that the failing task comes to; then so much is reported. */
  private void atEachPoint(int tries, Round round, String... lost) throws Exception {
    Full full;
    int n = 0;
    do {
      full = new Full(n, tries);
      Points.hook = full;
      reported.contexts.clear();
      try {
        try (Loop loop = open()) {
          round.play(loop);
        }
        assertThat(lost()).containsExactly(lost);
      } catch (AssertionError e) {
        throw new AssertionError("without memory at point " + n, e);
      }
      n++;
    } while (full.hasThrown());
    assertThat(n).isGreaterThan(3);
  }

  @ParameterizedTest
  @DisplayName("no memory while a task ends that nobody awaits: its failure is reported once")
  @ValueSource(ints = {1, 3})
  void reportedByTheLoop(int tries) throws Exception {
    atEachPoint(
        tries,
        loop ->
            assertThat(loop.createTask(FAILING, WorstPlacesTest::fail).awaitDone(LONG)).isTrue(),
        "lost");
  }

  @ParameterizedTest
  @DisplayName("no memory while a launched task ends: its failure is reported once")
  @ValueSource(ints = {1, 3})
  void reportedByTheTask(int tries) throws Exception {
    atEachPoint(
        tries,
        loop -> {
          loop.launch(FAILING, WorstPlacesTest::fail);
          await().until(loop::hasNoChildren);
        },
        "lost");
  }

  @ParameterizedTest
  @DisplayName("no memory while a task ends: who awaits it is woken and gets the failure")
  @ValueSource(ints = {1, 3})
  void awaited(int tries) throws Exception {
    atEachPoint(
        tries,
        loop -> {
          var gate = new CountDownLatch(1);
          Task<Object, Exception> task = failingAfter(gate, loop);
          Task<?, ?> waiter =
              loop.createTask(
                  "waiter", () -> assertThat(catchThrowable(task::await)).hasMessage("lost"));
          Gate.awaitBlocked(waiter);
          gate.countDown();
          assertThat(waiter.awaitDone(LONG)).isTrue();
          assertThat(waiter.exception()).isEmpty();
        });
  }

  @ParameterizedTest
  @DisplayName("no memory while a fork ends: the scope joins and throws the failure")
  @ValueSource(ints = {1, 3})
  void joined(int tries) throws Exception {
    atEachPoint(
        tries,
        loop ->
            assertThat(catchThrowable(() -> loop.runUntilComplete(() -> forkAndJoin(() -> {}))))
                .hasMessage("lost"));
  }

  @Test
  @DisplayName("no memory when a scope begins to cancel: it is tried again, and siblings end")
  void siblingsAreCancelled() throws Exception {
    var once = new AtomicBoolean(true);
    Points.hook =
        point -> {
          if (point.equals("cancelled") && once.getAndSet(false)) {
            throw new OutOfMemoryError("not really");
          }
        };
    var gate = new CountDownLatch(1);
    try (Loop loop = open()) {
      Task<?, ?> task = loop.createTask(() -> forkAndJoin(gate::await));
      boolean ended = task.awaitDone(LONG);
      gate.countDown();
      assertThat(ended).isTrue();
      assertThat(catchThrowable(task::await)).hasMessage("lost");
    }
    assertThat(once).isFalse();
    assertThat(lost()).isEmpty();
  }

  /** A scope whose children are one that fails and another. */
  private static void forkAndJoin(Action<IOException> sibling)
      throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open()) {
      scope.fork(sibling);
      scope.fork(FAILING, WorstPlacesTest::fail);
      scope.join();
    }
  }

  private static Task<Object, Exception> failingAfter(CountDownLatch gate, Loop loop) {
    return loop.createTask(
        FAILING,
        () -> {
          gate.await();
          return fail();
        });
  }

  // ---- no stack, in the caller's thread

  /** Does something so many frames above the place where the stack ends. */
  private static final class Dive {
    private final int above;
    private final Runnable action;

    Dive(int above, Runnable action) {
      this.above = above;
      this.action = action;
    }

    int down() {
      int height;
      try {
        height = down();
      } catch (StackOverflowError bottom) {
        return 1;
      }
      if (height == above) {
        action.run();
      }
      return height + 1;
    }
  }

  /** Plays it at each depth near the end of the stack. */
  private void atEachDepth(DeepRound round) throws Exception {
    // What it needs is loaded where there is room for that.
    play(round, Runnable::run);
    for (int above = 1; above < FRAMES; above++) {
      int frames = above;
      var played =
          new FutureTask<>(() -> {
            play(round, action -> new Dive(frames, action).down());
            return null;
          });
      new Thread(null, played, "deep", 256 << 10).start();
      try {
        played.get(LONG.toSeconds(), TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(above + " frames above the end of the stack", e.getCause());
      } catch (TimeoutException e) {
        throw new AssertionError("hangs " + above + " frames above the end of the stack", e);
      }
    }
  }

  private void play(DeepRound round, Consumer<Runnable> deep) throws Exception {
    try (Loop loop = open()) {
      loop.runUntilComplete(() -> round.play(loop, deep));
    }
    assertThat(reported.contexts).isEmpty();
  }

  @FunctionalInterface
  private interface DeepRound {
    void play(Loop loop, Consumer<Runnable> deep) throws Exception;
  }

  @Test
  @DisplayName(
      "no stack for a fork: it throws and starts nothing, or its child runs; the scope closes")
  void forkDeep() throws Exception {
    var refused = new AtomicInteger();
    atEachDepth((_, deep) -> {
      var ran = new AtomicInteger();
      var forked = new AtomicInteger();
      try (TaskScope<RuntimeException> scope = TaskScope.open()) {
        deep.accept(() -> {
          try {
            scope.fork(() -> ran.incrementAndGet());
            forked.incrementAndGet();
          } catch (StackOverflowError | RejectedExecutionException noStack) {
            refused.incrementAndGet();
          }
        });
        scope.fork(() -> "another").await();
        scope.join();
      }
      assertThat(ran).hasValue(forked.get());
    });
    assertThat(refused).hasPositiveValue();
  }

  @Test
  @DisplayName("no stack for an await: it throws, and awaiting again gives the failure")
  void awaitDeep() throws Exception {
    var refused = new AtomicInteger();
    atEachDepth((loop, deep) -> {
      var gate = new CountDownLatch(1);
      Task<Object, Exception> task = failingAfter(gate, loop);
      gate.countDown();
      deep.accept(() -> {
        Throwable thrown = catchThrowable(task::await);
        if (thrown instanceof StackOverflowError) {
          refused.incrementAndGet();
        } else {
          assertThat(thrown).hasMessage("lost");
        }
      });
      assertThat(catchThrowable(task::await)).hasMessage("lost");
    });
    assertThat(refused).hasPositiveValue();
  }
}
