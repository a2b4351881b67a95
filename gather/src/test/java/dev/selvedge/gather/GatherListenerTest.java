package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Body;
import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the listeners of a loop are told by gather and supervisors. */
class GatherListenerTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private final List<String> told = new CopyOnWriteArrayList<>();

  private final LoopListener listener =
      new LoopListener() {
        @Override
        public void gathered(String verb, int width) {
          told.add(verb + " " + width);
        }

        @Override
        public void restarted(Task<?, ?> task, int restarts) {
          told.add(task.name() + " " + restarts);
        }
      };

  @Test
  @DisplayName("each verb that is given bodies says how many")
  void widths() throws Exception {
    Body<Integer, RuntimeException> one = () -> 1;
    try (var loop = Threads.builder().listener(listener).build()) {
      loop.<Exception>runUntilComplete(() -> {
        Gather.gather(List.of(one, one, one));
        Gather.settle(List.of(one, one));
        Gather.any(List.of(one));
        Gather.race(List.of(one, one));
        Gather.quorum(1, List.of(one, one, one, one));
        Gather.gather(List.of());
      });
    }
    assertThat(told).containsExactly("gather 3", "settle 2", "any 1", "race 2", "quorum 4");
  }

  @Test
  @DisplayName("a supervisor says each restart, with the new task")
  void restarts() throws Exception {
    var runs = new AtomicInteger();
    var done = new CountDownLatch(1);
    Supervisor supervisor = Supervisor.builder().build();
    supervisor.add(
        Child.of(
            "poller",
            () -> {
              if (runs.incrementAndGet() <= 2) {
                throw new IllegalStateException("crash");
              }
              done.countDown();
              new CountDownLatch(1).await();
            }));
    var reported = new RecordingHandler();
    try (var loop = Threads.builder().listener(listener).exceptionHandler(reported).build()) {
      loop.<Exception>runUntilComplete(() -> {
        Task<?, RestartLimitException> running = Task.create(supervisor);
        done.await();
        supervisor.stop();
        running.await();
      });
    }
    assertThat(told).containsExactly("poller 1", "poller 2");
    assertThat(reported.contexts()).hasSize(2);
  }
}
