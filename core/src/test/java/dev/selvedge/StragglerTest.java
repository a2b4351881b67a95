package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Promise 3: what ignores its cancellation is named, again and again, until it ends. */
@ExtendWith(Oracle.class)
class StragglerTest {
  private static final Duration FIRST = Duration.ofMillis(40);

  private final Threads.Reported reported = new Threads.Reported();
  private final List<Long> times = new CopyOnWriteArrayList<>();
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);

  private Loop.Builder builder() {
    return Threads.builder()
        .stragglerWarning(FIRST)
        .exceptionHandler((loop, context) -> {
          times.add(System.nanoTime());
          reported.handle(loop, context);
        });
  }

  @Test
  @DisplayName(
      "promise 3: a cancelled task that goes on is named with its stack, at growing intervals")
  void aStragglerIsNamedAtGrowingIntervals() throws Exception {
    var cancelledAt = new ArrayList<Long>();
    try (Loop loop = builder().build()) {
      Task<Void, RuntimeException> task = loop.createTask("stubborn", this::ignoreInterrupts);
      started.await();
      cancelledAt.add(System.nanoTime());
      assertThat(task.cancel("please stop")).isTrue();

      await().until(() -> reported.contexts.size() >= 3);
      release.countDown();
      task.await();
    }

    assertThat(reported.contexts)
        .allSatisfy(context -> {
          assertThat(context.message()).isEqualTo("Task ignores its cancellation");
          assertThat(context.exception()).isNull();
          assertThat(context.future().name()).isEqualTo("stubborn");
          assertThat(context.details().get("reason").toString()).contains("please stop");
          assertThat(context.details().get("stack").toString()).contains("ignoreInterrupts");
        });
    // Timers are never early: after the delay, after twice the delay, after four times the delay.
    for (int i = 0; i < 3; i++) {
      long since = times.get(i) - cancelledAt.getFirst();
      assertThat(Duration.ofNanos(since)).isGreaterThanOrEqualTo(FIRST.multipliedBy((2L << i) - 1));
    }
  }

  @Test
  @DisplayName("promise 3: close names who keeps it waiting, and returns only when that has ended")
  void closeNamesWhoKeepsItWaiting() throws Exception {
    Loop loop = builder().build();
    Task<Void, RuntimeException> task = loop.createTask("stubborn", this::ignoreInterrupts);
    started.await();
    var closing =
        Thread.ofVirtual()
            .start(() -> {
              loop.close();
              times.clear();
            });

    await().until(() -> !reported.contexts.isEmpty());

    assertThat(closing.isAlive()).isTrue();
    assertThat(loop.isClosed()).isFalse();
    assertThat(reported.contexts.element().future()).isSameAs(task);
    assertThat(reported.contexts.element().details().get("reason").toString())
        .startsWith("SHUTDOWN");
    release.countDown();
    closing.join();
    assertThat(loop.isClosed()).isTrue();
  }

  @Test
  @DisplayName("promise 3: a scope names the children that keep its close waiting")
  void aScopeNamesItsStragglers() throws Exception {
    try (Loop loop = builder().build()) {
      Task<Void, RuntimeException> owner =
          loop.createTask(
              "owner",
              () -> {
                try (TaskScope<RuntimeException> scope = TaskScope.open()) {
                  scope.fork("stubborn", this::ignoreInterrupts);
                  started.await();
                }
              });
      await().until(() -> !reported.contexts.isEmpty());
      assertThat(owner.isDone()).isFalse();
      release.countDown();
      owner.await();
    }

    assertThat(reported.contexts)
        .allSatisfy(context -> assertThat(context.future().name()).isEqualTo("stubborn"));
  }

  @Test
  @DisplayName("promise 3: of many stragglers a hundred are named, and the rest are counted")
  void ofManyTheRestAreCounted() throws Exception {
    int many = 130;
    var running = new CountDownLatch(many);
    Loop loop = builder().build();
    for (int i = 0; i < many; i++) {
      loop.createTask(() -> {
        running.countDown();
        ignoreInterrupts();
      });
    }
    running.await();
    var closing = Thread.ofVirtual().start(loop::close);

    await().until(() -> reported.messages().contains("More tasks ignore their cancellation"));
    release.countDown();
    closing.join();

    ExceptionContext rest =
        reported.contexts.stream()
            .filter(context -> context.message().startsWith("More"))
            .findFirst()
            .orElseThrow();
    assertThat(rest.details()).containsEntry("tasks", 30);
    assertThat(rest.future()).isNull();
    assertThat(reported.messages().stream().filter("Task ignores its cancellation"::equals).count())
        .isGreaterThanOrEqualTo(100);
  }

  @Test
  @DisplayName("promise 3: a task that ends in time is not named")
  void aTaskThatEndsInTimeIsNotNamed() throws Exception {
    try (Loop loop = builder().stragglerWarning(Duration.ofSeconds(60)).build()) {
      Task<Void, RuntimeException> task = loop.createTask(() -> Thread.sleep(60_000));
      assertThat(task.cancel()).isTrue();
      await().until(task::isDone);
    }

    assertThat(reported.contexts).isEmpty();
    assertThat(Timers.armed()).isZero();
  }

  private void ignoreInterrupts() {
    started.countDown();
    while (true) {
      try {
        release.await();
        return;
      } catch (InterruptedException e) {
        // That is what a straggler does.
      }
    }
  }
}
