package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Gate;
import dev.selvedge.Outcome;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** {@code map}, {@code settleMap} and {@code forEach}. */
class MapTest extends LoopFixture {
  private static final List<Integer> NUMBERS = IntStream.range(0, 100).boxed().toList();

  private static <T> Iterable<T> iterable(Iterator<T> iterator) {
    return () -> iterator;
  }

  /** 0, 1, 2 ... without an end; counts what was pulled. */
  private static Iterable<Integer> endless(AtomicInteger pulled) {
    return Stream.generate(pulled::getAndIncrement)::iterator;
  }

  private static String text(int number) throws IOException {
    if (number < 0) {
      throw new IOException("negative");
    }
    return "n" + number;
  }

  @Test
  @DisplayName("values come in the order of the inputs, whatever the limit")
  void valuesInOrder() throws Exception {
    inTask(() -> {
      for (int limit : List.of(1, 2, 7, 100, Integer.MAX_VALUE)) {
        List<String> values = Gather.map(NUMBERS, limit, MapTest::text);

        assertThat(values).isEqualTo(NUMBERS.stream().map(i -> "n" + i).toList());
        assertThatThrownBy(() -> values.set(0, "x"))
            .isInstanceOf(UnsupportedOperationException.class);
      }
      assertThat(Gather.map(List.<Integer>of(), 3, MapTest::text)).isEmpty();
    });
  }

  @Test
  @DisplayName("null elements and null values are allowed")
  void nulls() throws Exception {
    inTask(() -> {
      List<String> values = Gather.map(Arrays.asList("a", null, "c"), 2, s -> s);
      assertThat(values).containsExactly("a", null, "c");
    });
  }

  @Test
  @DisplayName("a stream is an input as stream::iterator")
  void streams() throws Exception {
    inTask(() -> {
      Stream<Integer> stream = IntStream.range(0, 5).boxed();
      List<Integer> values = Gather.map(stream::iterator, 2, i -> i * i);
      assertThat(values).containsExactly(0, 1, 4, 9, 16);
    });
  }

  @Test
  @DisplayName("as many run at once as the limit says, and no input is pulled before its turn")
  void boundedAndLazy() throws Exception {
    int limit = 5;
    var pulled = new AtomicInteger();
    var finished = new AtomicInteger();
    var running = new AtomicInteger();
    var most = new AtomicInteger();
    var farthest = new AtomicInteger();
    var full = new CountDownLatch(limit);
    Iterator<Integer> inputs =
        IntStream.range(0, 300)
            .peek(i ->
                farthest.accumulateAndGet(pulled.incrementAndGet() - finished.get(), Math::max))
            .iterator();
    inTask(() ->
        Gather.forEach(
            iterable(inputs),
            limit,
            input -> {
              most.accumulateAndGet(running.incrementAndGet(), Math::max);
              full.countDown();
              full.await();
              running.decrementAndGet();
              finished.incrementAndGet();
            }));

    assertThat(pulled).hasValue(300);
    assertThat(most).hasValue(limit);
    assertThat(farthest.get()).isLessThanOrEqualTo(limit);
  }

  @Test
  @DisplayName("the first failure ends it, over an endless input too; siblings are cancelled")
  void failFast() throws Exception {
    var failure = new IOException("7");
    var cleanUp = new IOException("clean-up");
    var pulled = new AtomicInteger();
    var begun = new CountDownLatch(1);
    inTask(() -> {
      Throwable thrown =
          catchThrowable(() ->
              Gather.map(
                  endless(pulled),
                  3,
                  input -> {
                    if (input == 0) {
                      begun.countDown();
                      try {
                        Thread.sleep(Duration.ofDays(1));
                      } catch (InterruptedException e) {
                        throw cleanUp;
                      }
                    }
                    if (input == 7) {
                      begun.await();
                      throw failure;
                    }
                    if (input > 7) {
                      Thread.sleep(Duration.ofDays(1));
                    }
                    return input;
                  }));

      assertThat(thrown).isSameAs(failure);
      assertThat(Suppressed.in(thrown)).containsExactly(cleanUp);
      assertThat(pulled.get()).isLessThanOrEqualTo(10);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  @Test
  @DisplayName("a caller that is blocked in the iterator is interrupted out of it by a failure")
  void blockedInTheIterator() throws Exception {
    var failure = new IOException("element");
    var queue = new LinkedBlockingQueue<Integer>(List.of(1));
    Iterable<Integer> blocking =
        Stream.generate(() -> {
          try {
            return queue.take();
          } catch (InterruptedException e) {
            throw Suppression.<RuntimeException>sneak(e);
          }
        })
            ::iterator;
    inTask(() -> {
      assertThat(
              catchThrowable(() ->
                  Gather.forEach(
                      blocking,
                      3,
                      input -> {
                        throw failure;
                      })))
          .isSameAs(failure);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  @Test
  @DisplayName(
      "an iterator that throws is a failure: elements are cancelled, theirs are suppressed in it")
  void theIteratorThrows() throws Exception {
    var failure = new IllegalStateException("inputs");
    var cleanUp = new IOException("clean-up");
    var begun = new CountDownLatch(1);
    inTask(() -> {
      for (boolean settles : List.of(false, true)) {
        Mapper<Integer, String, IOException> mapper =
            input -> {
              begun.countDown();
              try {
                Thread.sleep(Duration.ofDays(1));
              } catch (InterruptedException e) {
                throw cleanUp;
              }
              return "never";
            };
        Iterable<Integer> inputs =
            IntStream.range(0, 10)
                    .peek(i -> {
                      if (i == 1) {
                        awaitQuietly(begun);
                        throw failure;
                      }
                    })
                    .boxed()
                ::iterator;

        Throwable thrown =
            catchThrowable(() -> {
              if (settles) {
                Gather.settleMap(inputs, 4, mapper);
              } else {
                Gather.map(inputs, 4, mapper);
              }
            });

        assertThat(thrown).isSameAs(failure);
        assertThat(Suppressed.in(thrown)).containsExactly(cleanUp);
      }
      assertThatThrownBy(() -> Gather.map(iterable(null), 2, i -> i))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("inputs");
    });
  }

  private static void awaitQuietly(CountDownLatch event) {
    try {
      event.await();
    } catch (InterruptedException e) {
      throw Suppression.<RuntimeException>sneak(e);
    }
  }

  /** No exception of the mapper is declared. */
  private static List<Outcome<String>> settled(List<Integer> numbers) throws InterruptedException {
    return Gather.settleMap(numbers, 2, MapTest::text);
  }

  @Test
  @DisplayName("settleMap says how each ended, in the order of the inputs")
  void settles() throws Exception {
    inTask(() -> {
      List<Outcome<String>> outcomes = settled(List.of(1, -1, 3));

      assertThat(outcomes.get(0)).isEqualTo(new Outcome.Success<>("n1"));
      assertThat(outcomes.get(1)).isInstanceOf(Outcome.Failure.class);
      assertThat(outcomes.get(2)).isEqualTo(new Outcome.Success<>("n3"));
    });
  }

  @Test
  @DisplayName("a mapper may map: limits are counted per call, nothing deadlocks")
  void nested() throws Exception {
    inTask(() -> {
      List<Integer> few = NUMBERS.subList(0, 30);
      List<Integer> sums =
          Gather.map(few, 2, i -> Gather.map(few, 2, j -> i + j).stream().mapToInt(x -> x).sum());

      assertThat(sums).hasSize(30);
      assertThat(sums.getFirst()).isEqualTo(435);
    });
  }

  @Test
  @DisplayName(
      "cancelled while it waits for a permit, in the iterator, or for the last: nothing is lost")
  void cancelled() throws Exception {
    var cleanUp = new IOException("clean-up");
    for (int phase = 0; phase < 3; phase++) {
      int limit = phase == 0 ? 1 : 10;
      var begun = new CountDownLatch(1);
      var blocked = new CountDownLatch(1);
      boolean blocksPulling = phase == 1;
      Iterable<Integer> inputs =
          IntStream.range(0, 2)
                  .peek(i -> {
                    if (i == 1 && blocksPulling) {
                      awaitQuietly(blocked);
                    }
                  })
                  .boxed()
              ::iterator;
      Task<?, IOException> caller =
          loop.createTask(() ->
              Gather.map(
                  inputs,
                  limit,
                  input -> {
                    if (input == 0) {
                      begun.countDown();
                    }
                    try {
                      Thread.sleep(Duration.ofDays(1));
                    } catch (InterruptedException e) {
                      if (input == 0) {
                        throw cleanUp;
                      }
                      throw e;
                    }
                    return "never";
                  }));
      begun.await();
      Gate.awaitBlocked(caller);

      caller.cancel("outside");

      caller.awaitDone();
      assertThat(caller.outcome())
          .isInstanceOfSatisfying(
              Outcome.Cancelled.class,
              ended -> {
                TaskCancelledException cancelled = ended.exception();
                assertThat(cancelled.failures()).isEqualTo(List.of(cleanUp));
              });
    }
  }

  @Test
  @DisplayName("an element that somebody cancels before it starts gives its permit back")
  void aCancelledElement() throws Exception {
    inTask(() -> {
      var cancelled = new ArrayList<Boolean>();
      Throwable thrown =
          catchThrowable(() ->
              Gather.forEach(
                  NUMBERS,
                  1,
                  i -> {
                    if (i == 3) {
                      Task<?, ?> self = Task.current().orElseThrow();
                      cancelled.add(self.cancel("by itself"));
                      Task.checkCancelled();
                    }
                  }));

      assertThat(cancelled).containsExactly(true);
      assertThat(thrown).isInstanceOf(TaskCancelledException.class);
      assertThatThrownBy(() ->
              Gather.map(
                  NUMBERS,
                  1,
                  i -> {
                    if (i == 3) {
                      Task.current().orElseThrow().cancel("by itself");
                      Task.checkCancelled();
                    }
                    return i;
                  }))
          .isInstanceOf(TaskCancelledException.class);
    });
  }

  @Test
  @DisplayName("a limit below 1, a missing input, a missing mapper: refused by name")
  void badInput() {
    assertThatThrownBy(() -> Gather.map(NUMBERS, 0, i -> i))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0");
    assertThatThrownBy(() -> Gather.forEach(NUMBERS, -1, i -> {}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Gather.map((List<Integer>) null, 1, i -> i))
        .hasMessageContaining("inputs");
    Mapper<Integer, Integer, RuntimeException> none = null;
    assertThatThrownBy(() -> Gather.map(NUMBERS, 1, none)).hasMessageContaining("mapper");
    Visitor<Integer, RuntimeException> noVisitor = null;
    assertThatThrownBy(() -> Gather.forEach(NUMBERS, 1, noVisitor)).hasMessageContaining("visitor");
  }

  @Test
  @DisplayName("the inputs are cancelled with failures deep in that: none is lost")
  void failuresDeepInTheCancellation() throws Exception {
    var suppressed = new IOException("in an interrupted close");
    var wrapped = new IOException("in an interrupted join");
    Iterator<Integer> inputs =
        Stream.<Integer>generate(
                () -> {
                  throw Suppression.<RuntimeException>sneak(
                      Cancellations.with(suppressed, wrapped));
                })
            .iterator();
    inTask(() -> {
      Throwable thrown = catchThrowable(() -> Gather.map(iterable(inputs), 2, i -> i));

      assertThat(thrown).isInstanceOf(InterruptedException.class);
      assertThat(Suppressed.in(thrown)).containsExactly(suppressed, wrapped);
    });
  }
}
