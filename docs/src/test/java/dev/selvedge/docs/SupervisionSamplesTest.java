package dev.selvedge.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.gather.Backoff;
import dev.selvedge.gather.Child;
import dev.selvedge.gather.Every;
import dev.selvedge.gather.Gather;
import dev.selvedge.gather.RestartLimitException;
import dev.selvedge.gather.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The samples of supervision.md. */
@Timeout(30)
class SupervisionSamplesTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final CountDownLatch connected = new CountDownLatch(1);
  private final CountDownLatch imported = new CountDownLatch(1);
  private final CountDownLatch refreshed = new CountDownLatch(1);
  private final CountDownLatch served = new CountDownLatch(4);

  private void keepConnected() throws IOException, InterruptedException {
    if (connections.getAndIncrement() == 0) {
      throw new IOException("connection lost");
    }
    connected.countDown();
    new CountDownLatch(1).await();
  }

  private void consume() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  private void importOnce() {
    imported.countDown();
  }

  private void serve(int shard) throws InterruptedException {
    log.add("shard " + shard);
    served.countDown();
    new CountDownLatch(1).await();
  }

  @Test
  void aSupervisorStartsItsChildrenAgain() throws Exception {
    // @start region="handler"
    LoopExceptionHandler handler =
        (_, context) -> {
          if ("restarted".equals(context.details().get("then"))) {
            log.add(context.details().get("child") + " comes back");
          } else {
            log.add("look at this: " + context.message());
          }
        };
    // @end
    try (Loop loop = Loop.builder().handleSignals(false).exceptionHandler(handler).build()) {
      // @start region="supervisor"
      Supervisor workers =
          Supervisor.builder()
              .name("workers")
              .strategy(Supervisor.Strategy.REST_FOR_ONE)
              .maxRestarts(5, Duration.ofMinutes(1))
              .backoff(Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(30)))
              .build()
              .add("connection", this::keepConnected)
              .add("consumer", this::consume)
              .add(Child.of("import", this::importOnce).restart(Child.Restart.TRANSIENT));
      Task<Void, RestartLimitException> task = loop.createTask("supervisor", workers);
      // @end
      imported.await();
      connected.await();
      task.cancel();
      assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    }
    assertThat(log).containsExactly("connection comes back");
  }

  @Test
  void supervisorsNest() throws Exception {
    connections.set(1);
    // @start region="tree"
    Supervisor shards = Supervisor.builder().name("shards").build();
    for (int i = 0; i < 4; i++) {
      int shard = i;
      shards.add("shard-" + i, () -> serve(shard));
    }
    Supervisor top =
        Supervisor.builder()
            .name("top")
            .maxRestarts(1, Duration.ofHours(1))
            .build()
            .add("connection", this::keepConnected)
            .add("shards", shards);
    // @end
    try (Loop loop = Loop.builder().handleSignals(false).build()) {
      Task<Void, RestartLimitException> task = loop.createTask("top", top);
      served.await();
      top.stop();
      task.await();
    }
    assertThat(log).containsExactlyInAnyOrder("shard 0", "shard 1", "shard 2", "shard 3");
  }

  private void refresh() {
    log.add("refresh");
    refreshed.countDown();
  }

  private void poll(long number) {
    log.add("poll " + number);
  }

  @Test
  void periodicWork() throws Exception {
    try (Loop loop = Loop.builder().handleSignals(false).build()) {
      // @start region="every"
      loop.launch("refresh", () -> Gather.every(Duration.ofMinutes(1), this::refresh));
      loop.launch(
          "poll",
          () ->
              Every.fixedDelay(Duration.ofSeconds(5))
                  .initialDelay(Duration.ofSeconds(1))
                  .maxFailures(10)
                  .run(tick -> poll(tick.number())));
      // @end
      refreshed.await();
    }
    assertThat(log).containsExactly("refresh");
  }
}
