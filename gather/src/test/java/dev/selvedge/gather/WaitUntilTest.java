package dev.selvedge.gather;

import static dev.selvedge.gather.Gather.waitUntil;
import static dev.selvedge.gather.ReturnWhen.ALL_COMPLETED;
import static dev.selvedge.gather.ReturnWhen.FIRST_COMPLETED;
import static dev.selvedge.gather.ReturnWhen.FIRST_EXCEPTION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Gate;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskTree;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class WaitUntilTest extends LoopFixture {
  WaitUntilTest() {
    super(Kit.builder().expectAnything().build());
  }

  /** Ends with a value when the gate opens. */
  private Task<String, IOException> running() {
    return loop.createTask(() -> {
      gate.pass();
      return done("value");
    });
  }

  private static String done(String value) throws IOException {
    if (value.isEmpty()) {
      throw new IOException("bad");
    }
    return value;
  }

  private Task<String, IOException> ended(String value) throws InterruptedException {
    Task<String, IOException> task = loop.createTask(() -> done(value));
    task.awaitDone();
    return task;
  }

  @Test
  @DisplayName("FIRST_COMPLETED returns at the first end of any kind [WAIT-01, WAIT-03, L8]")
  void firstCompleted() throws Exception {
    var first = new Gate();
    Task<String, IOException> soon =
        loop.createTask(() -> {
          first.pass();
          return done("");
        });
    Task<String, IOException> later = running();
    inTask(() -> {
      Task<Void, RuntimeException> opener = loop.createTask(first::open);
      Waited<String, IOException> waited = waitUntil(FIRST_COMPLETED, List.of(later, soon));

      assertThat(waited.done()).containsExactly(soon);
      assertThat(waited.pending()).containsExactly(later);
      assertThat(later.cancelRequests()).isZero();
      opener.await();
    });
    gate.open();
    loop.close();
    // It marked nothing as retrieved.
    assertThat(reported.exceptions()).hasSize(1);
  }

  @Test
  @DisplayName(
      "FIRST_EXCEPTION returns at the first failure; a cancelled task is none [WAIT-03, WAIT-04]")
  void firstException() throws Exception {
    var second = new Gate();
    Task<String, IOException> fine = ended("fine");
    Task<String, IOException> cancelled = running();
    Task<String, IOException> failing =
        loop.createTask(() -> {
          second.pass();
          return done("");
        });
    Task<String, IOException> later = running();
    inTask(() -> {
      var waiting =
          loop.createTask(
              () -> waitUntil(FIRST_EXCEPTION, List.of(fine, cancelled, failing, later)));
      Gate.awaitBlocked(waiting);
      cancelled.cancel();
      assertThat(waiting.awaitDone(Duration.ofMillis(20))).isFalse();
      second.open();

      Waited<String, IOException> waited = waiting.await();

      assertThat(waited.done()).contains(fine, failing);
      assertThat(waited.pending()).contains(later).doesNotContain(failing);
    });
    gate.open();
    assertThat(failing.exception()).isPresent();
  }

  @Test
  @DisplayName("FIRST_EXCEPTION without one, and ALL_COMPLETED, return when all are done [WAIT-03]")
  void allCompleted() throws Exception {
    List<Task<String, IOException>> tasks = List.of(running(), ended("a"), running());
    inTask(() -> {
      Task<Void, RuntimeException> opener = loop.createTask(gate::open);
      assertThat(waitUntil(FIRST_EXCEPTION, tasks).pending()).isEmpty();
      assertThat(waitUntil(ALL_COMPLETED, tasks).done()).containsExactlyElementsOf(tasks);
      assertThat(waitUntil(ALL_COMPLETED, tasks, Duration.ZERO).pending()).isEmpty();
      opener.await();
    });
  }

  @Test
  @DisplayName("reaching the limit is no error: it returns what is done [WAIT-02]")
  void theLimit() throws Exception {
    Task<String, IOException> fine = ended("fine");
    Task<String, IOException> later = running();
    inTask(() -> {
      for (ReturnWhen until : List.of(FIRST_EXCEPTION, ALL_COMPLETED)) {
        for (Duration limit : List.of(Duration.ofMillis(2), Duration.ZERO, Duration.ofDays(-1))) {
          Waited<String, IOException> waited = waitUntil(until, List.of(fine, later), limit);

          assertThat(waited.done()).containsExactly(fine);
          assertThat(waited.pending()).containsExactly(later);
        }
      }
      assertThat(waitUntil(FIRST_COMPLETED, List.of(later), Duration.ofMillis(2)).done()).isEmpty();
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  @Test
  @DisplayName("it leaves nothing behind on a long-lived task")
  void leavesNothingBehind() throws Exception {
    Task<String, IOException> longLived = running();
    Task<String, IOException> fine = ended("fine");
    inTask(() -> {
      for (int i = 0; i < 100; i++) {
        waitUntil(FIRST_COMPLETED, List.of(longLived, fine));
        waitUntil(FIRST_COMPLETED, List.of(longLived), Duration.ofNanos(1 + i * 1000L));
      }
      assertThat(loop.snapshot().roots().getFirst().children())
          .filteredOn(node -> node.kind() == TaskTree.Kind.SCOPE)
          .isEmpty();
      assertThat(loop.allTasks()).hasSize(2);
    });
  }

  @Test
  @DisplayName("cancelling the caller ends the wait at once, the tasks go on")
  void cancellingTheCaller() throws Exception {
    Task<String, IOException> task = running();
    for (ReturnWhen until : ReturnWhen.values()) {
      var waiting = loop.createTask(() -> waitUntil(until, List.of(task)));
      Gate.awaitBlocked(waiting);

      waiting.cancel();

      assertThatThrownBy(waiting::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(task.cancelRequests()).isZero();
    assertThat(task.isDone()).isFalse();
  }

  @Test
  @DisplayName("bad input is refused")
  void badInput() {
    assertThatThrownBy(() -> waitUntil(ALL_COMPLETED, List.<Task<String, IOException>>of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tasks");
    assertThatThrownBy(
            () -> waitUntil(ALL_COMPLETED, Arrays.asList((Task<String, IOException>) null)))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("tasks[0]");
    assertThatThrownBy(() -> waitUntil(ALL_COMPLETED, List.of(running()), null))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("limit");
  }

  @Test
  @DisplayName("a limit of zero or less, however far, does not wait")
  void limitsThatAreReachedAtOnce() throws Exception {
    Task<String, IOException> task = running();
    for (Duration limit :
        List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
      for (ReturnWhen until : ReturnWhen.values()) {
        assertThat(waitUntil(until, List.of(task), limit).pending()).containsExactly(task);
      }
    }
  }
}
