package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Body;
import dev.selvedge.Gate;
import dev.selvedge.Outcome;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.TaskTree;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class GatherOptionsTest extends LoopFixture {
  @Test
  @DisplayName("the name is that of the group in the tree, and of its children with their number")
  void theName() throws Exception {
    Body<String, RuntimeException> body =
        () -> {
          gate.pass();
          return Task.current().orElseThrow().name();
        };
    Task<List<String>, RuntimeException> caller =
        loop.createTask(() -> Gather.options().name("pages").gather(body, body));
    Gate.awaitBlocked(caller);

    TaskTree.Node scope =
        loop.snapshot().roots().getFirst().children().getFirst().children().getFirst();
    assertThat(scope.kind()).isEqualTo(TaskTree.Kind.SCOPE);
    assertThat(scope.name()).isEqualTo("pages");
    gate.open();
    assertThat(caller.await()).containsExactly("pages-0", "pages-1");
  }

  @Test
  @DisplayName("a limit in time: TimeoutException, the failures suppressed in it [L9, L17]")
  void theLimitInTime() throws Exception {
    var early = new IOException("early");
    var cleanUp = new IOException("clean-up");
    inTask(() -> {
      Throwable thrown =
          Limited.until(
              2,
              (limit, begun) ->
                  catchThrowable(() ->
                      Gather.options()
                          .limit(limit)
                          .settle(
                              () -> {
                                begun.countDown();
                                throw early;
                              },
                              () -> {
                                begun.countDown();
                                try {
                                  Thread.sleep(Duration.ofDays(1));
                                } catch (InterruptedException e) {
                                  throw cleanUp;
                                }
                              })));

      assertThat(thrown).isInstanceOf(TimeoutException.class);
      assertThat(Suppressed.in(thrown)).containsExactlyInAnyOrder(early, cleanUp);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  @Test
  @DisplayName(
      "a limit that is not reached changes nothing; the compiler asks for TimeoutException")
  void theLimitIsNotReached() throws Exception {
    inTask(() -> {
      List<String> values;
      try {
        values = Gather.options().limit(Duration.ofDays(1)).gather(() -> "a", () -> "b");
      } catch (TimeoutException e) {
        values = List.of("too slow");
      }
      assertThat(values).containsExactly("a", "b");
      String first = Gather.options().limit(Duration.ofDays(1)).any(() -> "a");
      assertThat(first).isEqualTo("a");
    });
  }

  @Test
  @DisplayName("a TimeoutException of a body is that body's failure")
  void anotherTimeout() throws Exception {
    var own = new TimeoutException("the body's");
    inTask(() ->
        assertThat(
                catchThrowable(() ->
                    Gather.options()
                        .limit(Duration.ofDays(1))
                        .gather(() -> {
                          throw own;
                        })))
            .isSameAs(own));
  }

  @Test
  @DisplayName("a limit of concurrency: never more at once, and that many if there are")
  void concurrency() throws Exception {
    var running = new AtomicInteger();
    var most = new AtomicInteger();
    var three = new CountDownLatch(3);
    Body<String, RuntimeException> body =
        () -> {
          most.accumulateAndGet(running.incrementAndGet(), Math::max);
          three.countDown();
          three.await();
          running.decrementAndGet();
          return "done";
        };
    List<Body<String, RuntimeException>> bodies = Collections.nCopies(50, body);
    inTask(() -> {
      var options = Gather.options().concurrency(3);

      assertThat(options.gather(bodies)).hasSize(50).containsOnly("done");
      assertThat(options.settle(bodies))
          .hasSize(50)
          .allMatch(new Outcome.Success<>("done")::equals);
      assertThat(options.any(bodies)).isEqualTo("done");
      assertThat(options.race(bodies)).isEqualTo("done");
      assertThat(options.quorum(10, bodies)).hasSize(10);
    });
    assertThat(most).hasValue(3);
  }

  @Test
  @DisplayName("with few at once, a failure keeps the rest from starting")
  void aFailureKeepsTheRestFromStarting() throws Exception {
    var failure = new IOException("second");
    var started = new AtomicInteger();
    var bodies = new ArrayList<Body<Integer, IOException>>();
    for (int i = 0; i < 20; i++) {
      bodies.add(() -> {
        if (started.incrementAndGet() == 2) {
          throw failure;
        }
        return 1;
      });
    }
    inTask(() -> {
      assertThat(catchThrowable(() -> Gather.options().concurrency(1).gather(bodies)))
          .isSameAs(failure);
      assertThat(started).hasValue(2);
    });
  }

  @Test
  @DisplayName("cancelled while bodies wait for their turn: those never run, failures are not lost")
  void cancelledWhileSomeWait() throws Exception {
    var cleanUp = new IOException("clean-up");
    var started = new AtomicInteger();
    for (boolean settles : List.of(false, true)) {
      started.set(0);
      var begun = new CountDownLatch(1);
      Body<Integer, IOException> body =
          () -> {
            started.incrementAndGet();
            begun.countDown();
            try {
              Thread.sleep(Duration.ofDays(1));
              return 1;
            } catch (InterruptedException e) {
              throw cleanUp;
            }
          };
      Task<Object, IOException> caller =
          loop.createTask(() -> {
            var options = Gather.options().concurrency(1);
            try {
              return settles
                  ? options.settle(body, body, body)
                  : options.<Integer, IOException>gather(body, body, body);
            } catch (InterruptedException e) {
              assertThat(Suppressed.in(e)).containsExactly(cleanUp);
              throw e;
            }
          });
      begun.await();
      Gate.awaitBlocked(caller);

      caller.cancel();

      caller.awaitDone();
      assertThat(caller.outcome())
          .isInstanceOfSatisfying(
              Outcome.Cancelled.class,
              ended -> assertThat(ended.exception().failures()).isEqualTo(List.of(cleanUp)));
      assertThat(started).hasValue(1);
    }
  }

  @Test
  @DisplayName("bad options are refused; options are immutable and print themselves")
  void badOptions() {
    GatherOptions<RuntimeException> options = Gather.options();

    assertThatThrownBy(() -> options.concurrency(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("concurrency");
    assertThatThrownBy(() -> options.name(null)).hasMessageContaining("name");
    assertThatThrownBy(() -> options.limit(null)).hasMessageContaining("limit");
    assertThatThrownBy(() -> options.map(List.of(1), i -> i))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("concurrency(n)");
    assertThatThrownBy(() -> options.concurrency(2).group(group -> 1))
        .isInstanceOf(IllegalStateException.class);
    assertThat(options.name("pages").limit(Duration.ofSeconds(1)).concurrency(3))
        .hasToString("GatherOptions[name=pages, limit=PT1S, concurrency=3]");
    assertThat(options).hasToString("GatherOptions[name=null, limit=null, concurrency=unlimited]");
  }
}
