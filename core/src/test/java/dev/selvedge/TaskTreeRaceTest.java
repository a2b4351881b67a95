package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Snapshots of what does not stand still. */
@Tag("race")
@ExtendWith(Oracle.class)
class TaskTreeRaceTest {
  private static final int TIMES = Threads.times(Threads.PLATFORM ? 60 : 400);
  private final Threads.Reported reported = new Threads.Reported();
  private final AtomicInteger snapshots = new AtomicInteger();

  /** Everything that can be looked at. */
  private void look(Loop loop) {
    TaskTree tree = loop.snapshot();
    List<TaskTree.Node> nodes = tree.nodes().toList();
    assertThat(nodes.stream().map(TaskTree.Node::id)).doesNotHaveDuplicates();
    assertThat(tree.toString().lines().count()).isEqualTo(nodes.size());
    assertThat(nodes)
        .allSatisfy(node -> {
          assertThat(node.awaits()).hasSizeLessThanOrEqualTo(1).doesNotContainNull();
          assertThat(node.age().isNegative()).isFalse();
          assertThat(node.toString()).startsWith(node.kind().name().toLowerCase(Locale.ROOT));
        });
    for (Task<?, ?> task : loop.allTasks()) {
      assertThat(task.toString()).startsWith("Task[");
      assertThat(task.stackTrace()).doesNotContainNull();
    }
    snapshots.incrementAndGet();
  }

  /** Looks again and again until the others have ended, from two sides. */
  private void lookWhile(Loop loop, List<? extends Task<?, ?>> others) throws Exception {
    var looker = new ArrayList<Throwable>();
    Thread second =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (!others.stream().allMatch(Task::isDone)) {
                  look(loop);
                }
              } catch (Throwable t) {
                looker.add(t);
              }
            });
    do {
      look(loop);
    } while (!others.stream().allMatch(Task::isDone));
    second.join();
    assertThat(looker).isEmpty();
    for (Task<?, ?> other : others) {
      other.await();
    }
    assertThat(snapshots.get()).isPositive();
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName(
      "INTRO-01: looking never throws while tasks come, go, fail, cancel, await and fork from all"
          + " sides")
  void lookingWhileEverythingMoves() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      lookWhile(
          loop,
          List.of(
              loop.<Exception>createTask("chaos", () -> chaos(TIMES)),
              loop.<Exception>createTask("chaos", () -> chaos(TIMES))));
    }
  }

  private static void chaos(int times) throws Exception {
    for (int i = 0; i < times; i++) {
      int round = i;
      TaskScope.Policy policy = TaskScope.Policy.values()[i % 2];
      try (TaskScope<Exception> scope = TaskScope.open(policy)) {
        Task<Integer, Exception> quick = scope.fork(() -> round);
        Task<Integer, Exception> awaiting = scope.fork("awaiting", () -> quick.await() + 1);
        scope.fork(
            "forks from another thread",
            () -> {
              for (int j = 0; j < 3; j++) {
                scope.fork(() -> Thread.yield());
              }
            });
        scope.fork(() -> {
          try (TaskScope<Exception> inner = TaskScope.open()) {
            inner.fork("sleeper", () -> Thread.sleep(60_000));
            inner.fork(() -> Thread.onSpinWait());
            inner.cancel("enough");
            inner.join();
          }
        });
        if (round % 3 == 0) {
          scope
              .fork(() -> {
                throw new IllegalStateException("expected");
              })
              .ignoreFailure();
        }
        if (round % 5 == 0) {
          awaiting.cancel("not needed");
        }
        scope.join();
      } catch (IllegalStateException expected) {
        assertThat(expected).hasMessage("expected");
      }
    }
  }

  @Test
  @DisplayName("loops that come and go inside of tasks")
  void loopsThatComeAndGo() throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, Exception> nesting =
          loop.<Exception>createTask(() -> {
            for (int i = 0; i < TIMES; i++) {
              try (Loop inner = Threads.builder().name("inner").build()) {
                inner.runUntilComplete(() -> inner.createTask(() -> Thread.yield()).await());
              }
            }
          });
      lookWhile(loop, List.of(nesting));
    }
  }

  @Test
  @DisplayName("scopes of plain threads that come and go")
  void scopesOfPlainThreads() throws Exception {
    var ended = new AtomicInteger();
    var failures = new ArrayList<Throwable>();
    Thread plain =
        Thread.ofPlatform()
            .start(() -> {
              try {
                for (int i = 0; i < TIMES; i++) {
                  try (TaskScope<RuntimeException> scope = TaskScope.open();
                      TaskScope<RuntimeException> inner = TaskScope.open()) {
                    scope.fork("child", () -> Thread.yield());
                    inner.fork(() -> Thread.yield());
                    inner.join();
                  }
                }
              } catch (Throwable t) {
                failures.add(t);
              } finally {
                ended.incrementAndGet();
              }
            });
    while (ended.get() == 0) {
      look(Loop.current());
    }
    plain.join();
    assertThat(failures).isEmpty();
  }
}
