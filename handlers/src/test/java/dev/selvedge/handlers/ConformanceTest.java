package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.selvedge.Body;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Gate;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.Threads;
import dev.selvedge.gather.Gather;
import dev.selvedge.gather.ReturnWhen;
import dev.selvedge.handlers.micrometer.MdcCarrier;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** The rows of asyncio's behaviour about handlers and unread failures, with ready-made handlers. */
class ConformanceTest extends JournalFixture {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final int ROUNDS = 100;

  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();

  /** Everything that this module has, in one. Closed by the test. */
  private final class Everything implements AutoCloseable {
    final Journal journal = open();
    final RateLimited limited = RateLimited.create(HOUR, slf4j());
    final Queued queued = Queued.create(100, reported, Handlers.stderr());
    final Health health = Health.create(HOUR);
    final LoopExceptionHandler handler =
        Handlers.all(
            journal,
            limited,
            queued,
            health,
            Watchdog.builder().build(),
            Handlers.all((_, _) -> {}));

    Everything() throws IOException {}

    @Override
    public void close() throws IOException {
      queued.close();
      limited.close();
      journal.close();
    }
  }

  private LoopExceptionHandler slf4j() {
    var logger = new LoggerContext().getLogger("failures");
    logger.addAppender(logged);
    logged.start();
    return Handlers.slf4j(logger);
  }

  private static String printed(Action action) throws Exception {
    PrintStream before = System.err;
    var bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      action.run();
    } finally {
      System.setErr(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private interface Action {
    void run() throws Exception;
  }

  @Test
  @DisplayName("HND-01: a ready-made handler is the very object that is set, and null removes it")
  void set() {
    LoopExceptionHandler handler = Handlers.all(reported);
    loop.setExceptionHandler(handler);
    assertThat(loop.getExceptionHandler()).containsSame(handler);
    loop.setExceptionHandler(null);
    assertThat(loop.getExceptionHandler()).isEmpty();
  }

  @Test
  @DisplayName("HND-02: every handler reads a context that has a message and nothing else")
  void messageAlone() throws Exception {
    var alone = new ExceptionContext("Something happened", null, null, Map.of());
    assertThat(alone.asMap()).containsOnlyKeys("message");
    try (var everything = new Everything()) {
      everything.handler.handle(loop, alone);
      Handlers.route()
          .exception(IOException.class, throwing(new IllegalStateException()))
          .task("a", throwing(new IllegalStateException()))
          .otherwise(reported)
          .handle(loop, alone);
      assertThat(everything.health.isUp()).isTrue();
    }
    assertThat(entries()).extracting(Journal.Entry::message).containsExactly("Something happened");
    assertThat(logged.list).extracting(ILoggingEvent::getLevel).containsExactly(Level.WARN);
    assertThat(reported.contexts()).hasSize(2);
  }

  @Test
  @DisplayName("HND-03: nothing is printed unless stderr() is among the handlers")
  void nothingPrinted() throws Exception {
    String silent =
        printed(() -> {
          try (var everything = new Everything()) {
            loop.setExceptionHandler(everything.handler);
            fail("a", new IOException("lost"));
          }
        });
    assertThat(silent).isEmpty();
    loop.setExceptionHandler(Handlers.all(reported, Handlers.stderr()));
    assertThat(printed(() -> fail("a", new IOException("lost"))))
        .startsWith("Task exception was never retrieved")
        .contains("IOException: lost");
  }

  @Test
  @DisplayName("HND-05: a handler of several that throws a cancellation cancels nobody")
  void throwsCancellation() throws Exception {
    loop.setExceptionHandler(
        Handlers.all(
            (_, _) -> {
              Thread.currentThread().interrupt();
              throw new CancellationException("from a handler");
            },
            reported));
    var release = new CountDownLatch(1);
    Task<Void, RuntimeException> other = loop.createTask("other", () -> release.await());
    String printed =
        printed(() -> {
          loop.launch(() -> {
            throw new IOException("lost");
          });
          await().until(() -> !reported.contexts().isEmpty());
          assertThat(other.cancelRequests()).isZero();
          release.countDown();
          other.await();
          loop.close();
        });
    assertThat(printed).contains("from a handler");
    assertThat(reported.exceptions()).extracting(Throwable::getMessage).containsExactly("lost");
  }

  @Test
  @DisplayName("HND-09: stderr() prints message, then the keys in order, then the trace")
  void layout() throws Exception {
    var context =
        new ExceptionContext("m", new IOException("lost"), null, Map.of("b", 2, "a", 1, "c", 3));
    assertThat(printed(() -> Handlers.stderr().handle(loop, context)))
        .startsWith("m\na: 1\nb: 2\nc: 3\njava.io.IOException: lost\n\tat ");
  }

  @Test
  @DisplayName("HND-10: what logs a failure does so in the logging context of its task")
  void contextOfTheTask() {
    loop.close();
    var seen = new CopyOnWriteArrayList<String>();
    try (var carrying =
        Threads.builder()
            .carry(MdcCarrier.create())
            .exceptionHandler(Handlers.all((_, _) -> seen.add(String.valueOf(MDC.get("request")))))
            .build()) {
      for (String request : List.of("17", "18")) {
        MDC.put("request", request);
        fail(carrying, "a", new IOException("lost"));
      }
      MDC.clear();
      fail(carrying, "a", new IOException("lost"));
    }
    assertThat(seen).containsExactly("17", "18", "null");
  }

  @Test
  @DisplayName("HND-11: a handler whose logger forks a failing task causes one more report")
  void forkingHandler() {
    loop.setExceptionHandler(
        Handlers.all(
            reported,
            Handlers.route()
                .task(
                    "first",
                    (from, _) ->
                        from.launch(
                            "second",
                            () -> {
                              throw new IOException("of the logger");
                            }))
                .otherwise((_, _) -> {})));
    fail("first", new IOException("lost"));
    await().until(() -> reported.contexts().size() == 2);
    assertThat(reported.exceptions())
        .extracting(Throwable::getMessage)
        .containsExactly("lost", "of the logger");
  }

  @Test
  @DisplayName("HND-13: one loop calls its handlers one at a time")
  void oneAtATime() throws Exception {
    var inside = new AtomicInteger();
    var most = new AtomicInteger();
    loop.setExceptionHandler(
        Handlers.all((_, _) -> {
          most.accumulateAndGet(inside.incrementAndGet(), Math::max);
          Thread.yield();
          inside.decrementAndGet();
        }));
    // Who has begun fails, whenever the loop closes.
    var begun = new CountDownLatch(64);
    for (int i = 0; i < 64; i++) {
      loop.launch(() -> {
        begun.countDown();
        throw new IOException("lost");
      });
    }
    begun.await();
    loop.close();
    assertThat(most).hasValue(1);
  }

  @Test
  @DisplayName("NRX-04: writing, logging and counting a task retrieves nothing")
  void retrievesNothing() throws Exception {
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      Task<Object, IOException> task =
          loop.createTask(
              "failing",
              () -> {
                throw new IOException("lost");
              });
      task.awaitDone();
      everything.handler.handle(loop, new ExceptionContext("early", null, task, Map.of()));
      loop.close();
    }
    assertThat(entries())
        .extracting(Journal.Entry::message)
        .containsExactly("early", "Task exception was never retrieved");
  }

  @Test
  @DisplayName("NRX-09, NRX-10: a cancelled task is not written; what fails in its clean-up is")
  void cancelled() throws Exception {
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      var begun = new CountDownLatch(2);
      Task<Void, Exception> quiet =
          loop.createTask(
              "quiet",
              () -> {
                begun.countDown();
                Thread.sleep(HOUR);
              });
      Task<Void, Exception> loud =
          loop.createTask(
              "loud",
              () -> {
                begun.countDown();
                try {
                  Thread.sleep(HOUR);
                } catch (InterruptedException e) {
                  throw new IOException("clean-up");
                }
              });
      begun.await();
      quiet.cancel();
      loud.cancel();
      loop.close();
      assertThat(everything.health.status().failures()).isEqualTo(1);
    }
    assertThat(messages()).containsExactly("clean-up");
  }

  @Test
  @DisplayName("NRX-05: waiting for tasks retrieves nothing, whatever it waits for")
  void waitingRetrievesNothing() throws Exception {
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      for (ReturnWhen until : ReturnWhen.values()) {
        Task<Object, IOException> first = failing(until + " 1");
        Task<Object, IOException> last = failing(until + " 2");
        Gather.waitUntil(ReturnWhen.ALL_COMPLETED, List.of(first, last));
        Gather.waitUntil(until, List.of(first, last));
        Gather.waitUntil(until, List.of(last));
      }
      loop.close();
    }
    assertThat(messages())
        .containsExactlyInAnyOrder(
            Stream.of(ReturnWhen.values())
                .flatMap(until -> Stream.of(until + " 1", until + " 2"))
                .toArray(String[]::new));
  }

  @Test
  @DisplayName("NRX-06, NRX-07: a gather that nobody awaits is written once, with all its failures")
  void gathered() throws Exception {
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      var left = new AtomicInteger(2);
      var both = new Gate();
      Body<Object, IOException> child =
          () -> {
            if (left.decrementAndGet() == 0) {
              both.open();
            }
            both.pass();
            throw new IOException("child");
          };
      Task<List<Object>, IOException> gathering =
          loop.createTask("gathering", () -> Gather.gather(List.of(child, child)));
      gathering.awaitDone();
      loop.close();
    }
    assertThat(entries()).hasSize(1);
    Journal.ExceptionEntry first = entries().getFirst().exception();
    assertThat(first.message()).isEqualTo("child");
    assertThat(first.suppressed())
        .filteredOn(each -> each.type().equals(IOException.class.getName()))
        .extracting(Journal.ExceptionEntry::message)
        .containsExactly("child");
  }

  @Test
  @DisplayName("NRX-08: cancelling a task that has failed takes no report away")
  void cancelledTooLate() throws Exception {
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      Task<Object, IOException> task = failing("lost");
      task.awaitDone();
      assertThat(task.cancel()).isFalse();
      loop.close();
    }
    assertThat(messages()).containsExactly("lost");
  }

  @Test
  @DisplayName(
      "NRX-11: who is cancelled while the task fails has the failure, or the journal has it")
  void theWaiterIsCancelled() throws Exception {
    var seen = new ConcurrentLinkedQueue<String>();
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      for (int i = 0; i < ROUNDS; i++) {
        var awaits = new CountDownLatch(1);
        var open = new CountDownLatch(1);
        String name = "lost " + i;
        Task<Object, Exception> task =
            loop.createTask(() -> {
              open.await();
              throw new IOException(name);
            });
        Task<Void, Exception> waiter =
            loop.createTask(() -> {
              awaits.countDown();
              try {
                task.await();
              } catch (IOException retrieved) {
                seen.add(retrieved.getMessage());
              }
            });
        awaits.await();
        open.countDown();
        waiter.cancel();
        task.awaitDone();
        waiter.awaitDone();
      }
      loop.close();
    }
    seen.addAll(messages());
    assertThat(seen)
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, ROUNDS).mapToObj(i -> "lost " + i).toList());
  }

  private Task<Object, IOException> failing(String message) {
    return loop.createTask(() -> {
      throw new IOException(message);
    });
  }

  @Test
  @DisplayName("NRX-12: what a join has thrown or suppressed is not written again")
  void joined() throws Exception {
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      loop.runUntilComplete(() -> {
        try (TaskScope<IOException> scope = TaskScope.open()) {
          for (int i = 0; i < 8; i++) {
            scope.fork(() -> {
              throw new IOException("one of several");
            });
          }
          assertThatThrownBy(scope::join).isInstanceOf(IOException.class);
        }
      });
      loop.close();
    }
    assertThat(entries()).isEmpty();
  }

  @Test
  @DisplayName("NRX-15: a straggler is a warning: journal and log name it, health is up")
  void straggler() throws Exception {
    var release = new CountDownLatch(1);
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      var begun = new CountDownLatch(1);
      Task<Void, RuntimeException> stubborn =
          loop.createTask(
              "stubborn",
              () -> {
                begun.countDown();
                while (release.getCount() > 0) {
                  try {
                    release.await();
                  } catch (InterruptedException ignored) {
                    // The point of this test.
                  }
                }
              });
      begun.await();
      stubborn.cancel();
      clock.advance(Duration.ofSeconds(10));
      await().until(() -> entries().size() == 1);
      release.countDown();
      stubborn.awaitDone();
      loop.close();
      assertThat(everything.health.isUp()).isTrue();
    }
    assertThat(entries().getFirst().task().name()).isEqualTo("stubborn");
    assertThat(entries().getFirst().exception()).isNull();
    assertThat(logged.list).extracting(ILoggingEvent::getLevel).containsExactly(Level.WARN);
  }

  @Test
  @DisplayName("NRX-17: a future that is dropped unread leaves the failure to the handler")
  void droppedFuture() throws Exception {
    try (var everything = new Everything()) {
      loop.setExceptionHandler(everything.handler);
      var begun = new CountDownLatch(1);
      loop.createTask(
              () -> {
                begun.countDown();
                throw new IOException("lost");
              })
          .toCompletableFuture();
      begun.await();
      loop.close();
    }
    assertThat(messages()).containsExactly("lost");
  }
}
