package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.selvedge.internal.Seams;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class CoreSeamsTest {
  private final Seams seams = Seams.get();
  private final Threads.Reported reported = new Threads.Reported();
  private final Gate gate = new Gate();

  @Test
  void theThreadsOfALoopAreThoseOfItsTasksItsGuestsAndItsHandler() throws Exception {
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((_, context) -> {
              reported.contexts.add(context);
              gate.pass();
            })
            .build()) {
      assertThat(seams.loops()).contains(loop);
      assertThat(seams.threads(loop)).isEmpty();
      loop.asCurrent(() -> {
        assertThat(seams.threads(loop)).containsExactly(Thread.currentThread());
        assertThat(seams.isChanging(loop)).isFalse();
        try (var scope = TaskScope.<RuntimeException>open()) {
          Task<Void, RuntimeException> child = scope.fork(gate::pass);
          assertThat(seams.openScopes(loop)).containsExactly(scope);
          assertThat(seams.openScopes(null)).contains(scope);
          assertThat(seams.unended(loop)).containsExactly(child);
          assertThat(seams.threads(loop)).contains(seams.thread(child));
          assertThat(seams.mustWait(child)).isTrue();
          assertThat(seams.mustWait(scope)).isTrue();
          assertThat(seams.mustWait(gate)).isNull();

          int before = seams.threads(loop).size();
          loop.launch(() -> {
            throw new IllegalStateException("for the handler");
          });
          await().until(() -> !reported.contexts.isEmpty());
          assertThat(seams.threads(loop)).hasSizeGreaterThan(before);
          gate.open();
          scope.join();
          assertThat(seams.mustWait(child)).isFalse();
          assertThat(seams.mustWait(scope)).isFalse();
        }
      });
      await().untilAsserted(() -> assertThat(seams.threads(loop)).isEmpty());
      assertThat(seams.isChanging(loop)).isFalse();
    }
  }

  @Test
  void unreadFailuresAreListedAndReportedOnRequest() throws Exception {
    var failure = new IllegalArgumentException("unread");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, RuntimeException> task =
          loop.createTask(() -> {
            throw failure;
          });
      task.awaitDone();
      await().until(() -> seams.unread(loop).contains(failure));
      seams.reportUnread(loop, each -> each instanceof IllegalStateException);
      assertThat(seams.unread(null)).contains(failure);
      seams.reportUnread(loop, each -> each instanceof IllegalArgumentException);
      await().untilAsserted(() -> assertThat(reported.exceptions()).containsExactly(failure));
      assertThat(seams.unread(loop)).isEmpty();
      assertThat(task.state()).isEqualTo(Future.State.FAILED);
    }
    assertThat(seams.armedTimers()).isZero();
  }
}
