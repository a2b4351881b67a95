package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import dev.selvedge.LoopListener;
import dev.selvedge.Outcome;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.Threads;
import dev.selvedge.testkit.ManualClock;
import dev.selvedge.testkit.RecordingHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** {@code stream}, {@code streamCompleted} and {@code asCompleted}. */
class MapStreamTest extends LoopFixture {
  private static final List<Integer> NUMBERS = IntStream.range(0, 100).boxed().toList();

  private static Iterable<Integer> endless(AtomicInteger pulled) {
    return Stream.generate(pulled::getAndIncrement)::iterator;
  }

  @Test
  @DisplayName("stream gives the values in the order of the inputs, parallel() too")
  void inOrder() throws Exception {
    inTask(() -> {
      for (int limit : List.of(1, 3, 1000)) {
        try (Stream<String> values = Gather.stream(NUMBERS, limit, i -> "n" + i)) {
          assertThat(values.toList()).isEqualTo(NUMBERS.stream().map(i -> "n" + i).toList());
        }
      }
      try (Stream<Integer> values = Gather.stream(NUMBERS, 4, i -> i)) {
        assertThat(values.parallel().toList()).isEqualTo(NUMBERS);
      }
      try (Stream<Integer> values = Gather.stream(List.<Integer>of(), 4, i -> i)) {
        assertThat(values.toList()).isEmpty();
      }
    });
  }

  @Test
  @DisplayName("streamCompleted gives them in order of completion")
  void inOrderOfCompletion() throws Exception {
    inTask(() -> {
      var seen = new ArrayList<Integer>();
      try (Stream<Integer> values =
          Gather.streamCompleted(
              List.of(0, 1, 2),
              3,
              i -> {
                if (i == 0) {
                  gate.pass();
                }
                return i;
              })) {
        values.forEach(i -> {
          seen.add(i);
          if (seen.size() == 2) {
            gate.open();
          }
        });
      }
      assertThat(seen).hasSize(3).endsWith(0);
    });
  }

  @Test
  @DisplayName("never more than the limit is pulled ahead of what was read")
  void lazy() throws Exception {
    inTask(() -> {
      for (boolean ordered : List.of(true, false)) {
        var pulled = new AtomicInteger();
        var read = new AtomicInteger();
        try (Stream<Integer> values =
            ordered
                ? Gather.stream(endless(pulled), 4, i -> i)
                : Gather.streamCompleted(endless(pulled), 4, i -> i)) {
          assertThat(pulled).hasValue(0);
          values
              .limit(50)
              .forEach(
                  _ -> assertThat(pulled.get() - read.getAndIncrement()).isLessThanOrEqualTo(4));
        }
        assertThat(pulled.get()).isLessThanOrEqualTo(53);
      }
    });
  }

  @Test
  @DisplayName(
      "the first failure in time ends the stream, with the others; the compiler asks for its type")
  void failFast() throws Exception {
    var failure = new IOException("2");
    var cleanUp = new IOException("clean-up");
    for (boolean ordered : List.of(true, false)) {
      inTask(() -> {
        var begun = new CountDownLatch(1);
        Mapper<Integer, Integer, IOException> mapper =
            i -> {
              if (i == 0) {
                begun.countDown();
                try {
                  Thread.sleep(Duration.ofDays(1));
                } catch (InterruptedException e) {
                  throw cleanUp;
                }
              }
              if (i == 2) {
                begun.await();
                throw failure;
              }
              return i;
            };
        try (Stream<Integer> values =
            ordered
                ? Gather.stream(NUMBERS, 4, mapper)
                : Gather.streamCompleted(NUMBERS, 4, mapper)) {
          values.forEach(i -> {});
          throw new AssertionError("no failure");
        } catch (IOException e) {
          assertThat(e).isSameAs(failure);
          assertThat(Suppressed.in(e)).contains(cleanUp);
        }
      });
    }
  }

  @Test
  @DisplayName("a reader that is blocked in the inputs is interrupted out of them by a failure")
  void blockedInTheInputs() throws Exception {
    var failure = new IOException("element");
    Iterable<Integer> inputs =
        Stream.iterate(
                0,
                i -> {
                  try {
                    Thread.sleep(Duration.ofDays(1));
                  } catch (InterruptedException e) {
                    throw Suppression.<RuntimeException>sneak(e);
                  }
                  return i + 1;
                })
            ::iterator;
    inTask(() -> {
      try (Stream<Integer> values =
          Gather.stream(
              inputs,
              3,
              i -> {
                throw failure;
              })) {
        assertThat(catchThrowable(() -> values.forEach(i -> {}))).isSameAs(failure);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
      }
    });
  }

  @Test
  @DisplayName("closing early cancels what runs with NOT_NEEDED, and waits for it")
  void closingEarly() throws Exception {
    var reasons = new ConcurrentLinkedQueue<CancelReason>();
    inTask(() -> {
      var begun = new CountDownLatch(3);
      try (Stream<Integer> values =
          Gather.streamCompleted(
              NUMBERS,
              4,
              i -> {
                if (i == 0) {
                  begun.await(); // nothing can be handed out until the others have been pulled
                  return i;
                }
                begun.countDown();
                try {
                  Thread.sleep(Duration.ofDays(1));
                } finally {
                  reasons.add(Task.current().orElseThrow().cancelReason().orElseThrow());
                }
                return i;
              })) {
        assertThat(values.findFirst()).contains(0);
      }
      assertThat(reasons)
          .hasSizeGreaterThanOrEqualTo(3)
          .allMatch(reason -> reason.source() == CancelReason.Source.NOT_NEEDED);
      assertThat(loop.allTasks()).hasSize(1);
    });
  }

  @Test
  @DisplayName(
      "a limit in time counts from the creation: TimeoutException, failures suppressed in it"
          + " [WAIT-09]")
  void theLimitInTime() throws Exception {
    var cleanUp = new IOException("clean-up");
    Function<CountDownLatch, Mapper<Integer, Integer, IOException>> mapper =
        begun ->
            i -> {
              if (i == 0) {
                return i;
              }
              begun.countDown();
              try {
                Thread.sleep(Duration.ofDays(1));
              } catch (InterruptedException e) {
                throw cleanUp;
              }
              return i;
            };
    List<BiFunction<GatherOptions<TimeoutException>, CountDownLatch, Body<Stream<?>, Exception>>>
        streams =
            List.of(
                (options, begun) -> () -> options.stream(List.of(0, 1), mapper.apply(begun)),
                (options, begun) ->
                    () -> options.streamCompleted(List.of(0, 1), mapper.apply(begun)),
                (options, begun) ->
                    () ->
                        options.asCompleted(
                            () -> mapper.apply(begun).apply(0),
                            () -> mapper.apply(begun).apply(1)));
    inTask(() -> {
      for (var stream : streams) {
        Throwable thrown =
            Limited.until(
                1,
                (limit, begun) -> {
                  var options = Gather.options().limit(limit).concurrency(2);
                  try (Stream<?> values = stream.apply(options, begun).call()) {
                    return catchThrowable(() -> values.forEach(i -> {}));
                  }
                });
        assertThat(thrown).isInstanceOf(TimeoutException.class);
        assertThat(Suppressed.in(thrown)).containsExactly(cleanUp);
      }
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
  }

  @Test
  @DisplayName("a limit in time that is far away changes nothing")
  void theLimitIsFarAway() throws Exception {
    GatherOptions<TimeoutException> far =
        Gather.options().limit(Duration.ofMinutes(1)).concurrency(3);
    inTask(() -> {
      try (Stream<Integer> values = far.stream(NUMBERS, i -> i)) {
        assertThat(values.toList()).isEqualTo(NUMBERS);
      }
      try (Stream<Integer> values = far.streamCompleted(NUMBERS, i -> i)) {
        assertThat(values.toList()).containsExactlyInAnyOrderElementsOf(NUMBERS);
      }
    });
  }

  @Test
  @DisplayName("a stream that is closed before its limit leaves no timer behind")
  void closedBeforeItsLimit() throws Exception {
    GatherOptions<TimeoutException> far = Gather.options().limit(Duration.ofDays(1)).concurrency(2);
    inTask(() -> {
      try (Stream<Integer> values = far.stream(NUMBERS, i -> i)) {
        assertThat(values.findFirst()).contains(NUMBERS.getFirst());
      }
    });
  }

  @Test
  @DisplayName("the children of a stream that has a name are numbered")
  void names() throws Exception {
    GatherOptions<RuntimeException> pages = Gather.options().name("page").concurrency(2);
    inTask(() -> {
      try (Stream<String> names =
          pages.stream(List.of(7, 8, 9), _ -> Task.current().orElseThrow().name())) {
        assertThat(names.toList()).containsExactly("page-0", "page-1", "page-2");
      }
    });
  }

  @Test
  @DisplayName("the limit in time holds while the reader is blocked in the inputs")
  void theLimitInTheInputs() throws Exception {
    Iterable<Integer> inputs =
        Stream.generate(() -> {
          try {
            Thread.sleep(Duration.ofDays(1));
            return 1;
          } catch (InterruptedException e) {
            throw Suppression.<RuntimeException>sneak(e);
          }
        })
            ::iterator;
    inTask(() -> {
      try (Stream<Integer> values =
          Gather.options().limit(Duration.ofMillis(5)).concurrency(2).stream(inputs, i -> i)) {
        assertThatThrownBy(() -> values.forEach(i -> {})).isInstanceOf(TimeoutException.class);
      }
    });
  }

  @Test
  @DisplayName("cancelling the reader cancels all; what they throw is suppressed")
  void cancelled() throws Exception {
    var cleanUp = new IOException("clean-up");
    for (boolean ordered : List.of(true, false)) {
      var begun = new CountDownLatch(2);
      Mapper<Integer, Integer, IOException> mapper =
          i -> {
            begun.countDown();
            try {
              Thread.sleep(Duration.ofDays(1));
            } catch (InterruptedException e) {
              if (i == 0) {
                throw cleanUp;
              }
              throw e;
            }
            return i;
          };
      Task<Long, IOException> reader =
          loop.createTask(() -> {
            try (Stream<Integer> values =
                ordered
                    ? Gather.stream(List.of(0, 1), 2, mapper)
                    : Gather.streamCompleted(List.of(0, 1), 2, mapper)) {
              return values.filter(i -> i >= 0).count();
            }
          });
      begun.await();
      Gate.awaitBlocked(reader);

      reader.cancel();

      Throwable thrown = catchThrowable(() -> reader.await());
      assertThat(((TaskCancelledException) thrown).failures()).containsExactly(cleanUp);
    }
  }

  @Test
  @DisplayName(
      "an element that is cancelled as if a sibling had failed ends the stream at its turn")
  void cancelledAsIfASiblingHadFailed() throws Exception {
    var reason = new CancelReason(CancelReason.Source.SIBLING_FAILURE, "not true", null);
    inTask(() -> {
      var seen = new ArrayList<Integer>();
      try (Stream<Integer> values =
          Gather.stream(
              NUMBERS,
              3,
              i -> {
                if (i == 7) {
                  Task.current().orElseThrow().cancel(reason);
                  Task.checkCancelled();
                }
                return i;
              })) {
        assertThat(catchThrowable(() -> values.forEach(seen::add)))
            .isInstanceOf(TaskCancelledException.class);
      }
      assertThat(seen).isEqualTo(NUMBERS.subList(0, 7));
    });
  }

  @Test
  @DisplayName("the stream belongs to the thread that made it")
  void anotherThread() throws Exception {
    inTask(() -> {
      try (Stream<Integer> values = Gather.stream(NUMBERS, 2, i -> i)) {
        Task<List<Integer>, RuntimeException> other = loop.createTask(() -> values.toList());
        assertThatThrownBy(other::await)
            .isInstanceOf(WrongThreadException.class)
            .hasMessageContaining("the stream belongs to");
      }
    });
  }

  @Test
  @DisplayName(
      "asCompleted hands out every outcome at its turn, failures and cancellations too [WAIT-08]")
  void outcomes() throws Exception {
    var failure = new IOException("bad");
    Task<String, RuntimeException> cancelled =
        loop.createTask(() -> {
          Thread.sleep(Duration.ofDays(1));
          return "never";
        });
    cancelled.cancel("not needed");
    inTask(() -> {
      var last = new CountDownLatch(1);
      var seen = new ArrayList<Outcome<String>>();
      try (Stream<Outcome<String>> outcomes =
          Gather.asCompleted(
              () -> {
                last.await();
                return "last";
              },
              () -> {
                throw failure;
              },
              cancelled)) {
        outcomes.forEach(outcome -> {
          seen.add(outcome);
          if (seen.size() == 2) {
            last.countDown();
          }
        });
      }

      assertThat(seen)
          .hasSize(3)
          .contains(new Outcome.Failure<>(failure), cancelled.outcome())
          .endsWith(new Outcome.Success<>("last"));
    });
  }

  @Test
  @DisplayName(
      "leaving asCompleted early cancels and waits; failures of clean-up reach the handler")
  void leavingEarly() throws Exception {
    var cleanUp = new IOException("clean-up");
    var begun = new CountDownLatch(1);
    inTask(() -> {
      try (Stream<Outcome<String>> outcomes =
          Gather.asCompleted(
              () -> "first",
              () -> {
                begun.countDown();
                try {
                  Thread.sleep(Duration.ofDays(1));
                } catch (InterruptedException e) {
                  throw cleanUp;
                }
                return "never";
              })) {
        begun.await();
        assertThat(outcomes.findFirst()).contains(new Outcome.Success<>("first"));
      }
    });
    assertThat(reported.exceptions()).containsExactly(cleanUp);
    reported.expectAnything();
  }

  @Test
  @DisplayName("a limit in time of zero or less is reached at once, however far it is")
  void limitsThatAreReachedAtOnce() throws Exception {
    inTask(() -> {
      for (Duration limit :
          List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
        var options = Gather.options().limit(limit).concurrency(2);
        try (Stream<Integer> values = options.stream(NUMBERS, i -> i)) {
          assertThatThrownBy(values::toList).isInstanceOf(TimeoutException.class);
        }
        try (Stream<Integer> values = options.streamCompleted(NUMBERS, i -> i)) {
          assertThatThrownBy(values::toList).isInstanceOf(TimeoutException.class);
        }
        try (Stream<Outcome<Integer>> outcomes = options.asCompleted(() -> 1, () -> 2)) {
          assertThatThrownBy(outcomes::toList).isInstanceOf(TimeoutException.class);
        }
      }
    });
  }

  @Test
  @DisplayName("the stream fails when all have ended, although the element it waits for is first")
  void theFailureThatIsWaitedFor() throws Exception {
    var go = new CountDownLatch(1);
    var firstDone = new CountDownLatch(1);
    var secondBegun = new CountDownLatch(1);
    var reader = new CompletableFuture<Task<?, ?>>();
    var failure = new IOException("first");
    var cleanUp = new IOException("clean-up");
    var late =
        new LoopListener() {
          @Override
          public void finished(Task<?, ?> task, @Nullable Throwable exception) {
            if (task.name().equals("s-0")) {
              // Done, but nobody has been told. The reader sees it, and waits for the others.
              firstDone.countDown();
              Gate.awaitBlocked(reader.join());
            }
          }
        };
    Iterator<Integer> inputs =
        new Iterator<>() {
          private int next;

          @Override
          public boolean hasNext() {
            if (next == 2) {
              assertThatCode(secondBegun::await).doesNotThrowAnyException();
              go.countDown();
              assertThatCode(firstDone::await).doesNotThrowAnyException();
            }
            return next < 2;
          }

          @Override
          public Integer next() {
            return next++;
          }
        };
    try (Loop listening = Threads.builder().listener(late).build()) {
      Task<?, ?> reading =
          listening.createTask(() -> {
            var options = Gather.options().name("s").concurrency(3);
            try (Stream<String> values =
                options.stream(
                    () -> inputs,
                    i -> {
                      if (i == 1) {
                        return failingInCleanUp(secondBegun, cleanUp).call();
                      }
                      go.await();
                      throw failure;
                    })) {
              return values.toList();
            }
          });
      reader.complete(reading);

      assertThat(catchThrowable(reading::await)).isSameAs(failure);
    }
    assertThat(Suppressed.in(failure)).containsExactly(cleanUp);
  }

  @Test
  @DisplayName("the limit in time cancels what runs also while the reader is busy")
  void theLimitWhileTheReaderIsBusy() throws Exception {
    var clock = new ManualClock();
    var begun = new CountDownLatch(1);
    var cancelled = new CompletableFuture<CancelReason>();
    try (Loop timed = Threads.builder().clock(clock).build()) {
      timed.<Exception>runUntilComplete(() -> {
        try (Stream<Outcome<Integer>> outcomes =
            Gather.options()
                .limit(Duration.ofSeconds(1))
                .asCompleted(
                    () -> 1,
                    () -> {
                      begun.countDown();
                      try {
                        new CountDownLatch(1).await();
                        return 2;
                      } catch (InterruptedException e) {
                        cancelled.complete(CancelReason.current().orElseThrow());
                        throw e;
                      }
                    })) {
          Iterator<Outcome<Integer>> reader = outcomes.iterator();
          assertThat(reader.next()).isEqualTo(new Outcome.Success<>(1));
          begun.await();
          clock.advance(Duration.ofSeconds(1));

          assertThat(cancelled.get().source()).isEqualTo(CancelReason.Source.TIMEOUT);
          assertThatThrownBy(reader::next)
              .isInstanceOf(TimeoutException.class)
              .hasMessageContaining("PT1S");
        }
      });
    }
  }

  @Test
  @DisplayName("who reads on after the close is told that the stream is closed")
  void readingAfterTheClose() throws Exception {
    inTask(() -> {
      Stream<Integer> values = Gather.stream(NUMBERS, 2, i -> i);
      assertThatThrownBy(() -> values.forEach(i -> values.close()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("the stream is closed")
          .hasNoSuppressedExceptions();
      Stream<Outcome<Integer>> outcomes = Gather.asCompleted(() -> 1, () -> 2);
      Iterator<Outcome<Integer>> reader = outcomes.iterator();
      reader.next();
      outcomes.close();
      assertThatThrownBy(reader::next)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("the stream is closed");
    });
  }

  @Test
  @DisplayName("the warning of a stream that was opened later and is closed first names a stream")
  void closedInTheWrongOrder() throws Exception {
    var reported = new RecordingHandler();
    try (Loop warned = Threads.builder().exceptionHandler(reported).build()) {
      warned.<Exception>runUntilComplete(() -> {
        try (Stream<Integer> both =
            Stream.concat(
                Gather.stream(List.of(1, 2), 2, i -> i), Gather.stream(List.of(3, 4), 2, i -> i))) {
          assertThat(both.toList()).containsExactly(1, 2, 3, 4);
        }
      });
    }
    assertThat(reported.contexts())
        .singleElement()
        .satisfies(context ->
            assertThat(context.details().get("scope").toString()).contains("TaskScope[stream"));
  }
}
