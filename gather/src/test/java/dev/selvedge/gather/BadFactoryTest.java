package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Threads;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A thread factory that has no thread at the n-th call, under each way to start several tasks. */
class BadFactoryTest {
  private static final int BODIES = 4;

  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private final RecordingHandler reported = new RecordingHandler();
  private final Queue<Throwable> thrown = new ConcurrentLinkedQueue<>();
  private final Queue<Throwable> arrived = new ConcurrentLinkedQueue<>();

  /** Starts bodies all of which fail; whatever it gets to know of their failures it throws. */
  @FunctionalInterface
  private interface Way {
    void run(List<Body<String, IOException>> bodies) throws Exception;
  }

  private static Stream<Arguments> ways() {
    return Stream.of(
            Arguments.of("gather", (Way) Gather::gather),
            Arguments.of("settle", (Way) BadFactoryTest::settle),
            Arguments.of("any", (Way) Gather::any),
            Arguments.of("quorum", (Way) bodies -> Gather.quorum(2, bodies)),
            Arguments.of("forEach", (Way) bodies -> Gather.forEach(bodies, BODIES, Body::call)),
            Arguments.of("group", (Way) BadFactoryTest::group),
            Arguments.of("supervisor", (Way) BadFactoryTest::supervise))
        // The first call is for the task in which it runs.
        .flatMap(way ->
            IntStream.rangeClosed(2, BODIES + 1)
                .mapToObj(n -> Arguments.of(way.get()[0], way.get()[1], n)));
  }

  private static void settle(List<Body<String, IOException>> bodies) throws Exception {
    throw ExceptionGroup.of(
        Gather.settle(bodies).stream()
            .filter(Outcome.Failure.class::isInstance)
            .map(outcome -> ((Outcome.Failure<String>) outcome).exception())
            .toList());
  }

  private static void group(List<Body<String, IOException>> bodies) throws Exception {
    TaskGroup.run(group -> bodies.forEach(group::createTask));
  }

  private static void supervise(List<Body<String, IOException>> bodies) throws Exception {
    Supervisor supervisor = Supervisor.builder().maxRestarts(0, Duration.ofMinutes(1)).build();
    for (Body<String, IOException> body : bodies) {
      supervisor.add("child " + bodies.indexOf(body), body::call);
    }
    supervisor.run();
  }

  @ParameterizedTest(name = "{0}, call {2}")
  @MethodSource("ways")
  @DisplayName("no thread for the n-th task: that is told, and no failure of the others is lost")
  void nothingIsLost(String name, Way way, int n) throws Exception {
    var calls = new AtomicInteger();
    ThreadFactory threads =
        Threads.PLATFORM ? Thread.ofPlatform().daemon().factory() : Thread.ofVirtual().factory();
    List<Body<String, IOException>> bodies =
        IntStream.range(0, BODIES).mapToObj(this::failing).toList();
    try (Loop loop =
        Loop.builder()
            .handleSignals(false)
            .exceptionHandler(reported)
            .threadFactory(task -> calls.incrementAndGet() == n ? null : threads.newThread(task))
            .build()) {
      loop.runUntilComplete(() -> way.run(bodies));
    } catch (Exception e) {
      arrived.add(e);
    }
    arrived.addAll(reported.exceptions());

    Set<Throwable> all = all(arrived);
    // A failure of an earlier one may have ended it before.
    if (calls.get() >= n) {
      assertThat(all).hasAtLeastOneElementOfType(RejectedExecutionException.class);
    }
    assertThat(all).containsAll(thrown);
  }

  private Body<String, IOException> failing(int number) {
    return () -> {
      var failure = new IOException("failure " + number);
      thrown.add(failure);
      throw failure;
    };
  }

  /** With whatever is suppressed in them, is a cause, or a member of a group. */
  private static Set<Throwable> all(Collection<Throwable> roots) {
    Set<Throwable> all = Collections.newSetFromMap(new IdentityHashMap<>());
    var open = new ArrayDeque<>(roots);
    for (Throwable each; (each = open.poll()) != null; ) {
      if (all.add(each)) {
        Collections.addAll(open, each.getSuppressed());
        if (each.getCause() != null) {
          open.add(each.getCause());
        }
      }
    }
    return all;
  }
}
