package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.CancelReason;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import dev.selvedge.LoopListener;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.Threads;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code any}, {@code winner}, {@code race}, {@code quorum} and {@code hedge}. */
class FirstTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private final RecordingHandler reported = new RecordingHandler();
  private final List<Throwable> tolerated = new ArrayList<>();
  private final Loop loop =
      Threads.builder()
          .exceptionHandler(reported)
          .listener(
              new LoopListener() {
                @Override
                public void tolerated(Task<?, ?> task, Throwable failure) {
                  synchronized (tolerated) {
                    tolerated.add(failure);
                  }
                }
              })
          .build();
  private final Gate gate = new Gate();

  @AfterEach
  void close() {
    gate.open();
    loop.close();
    assertThat(reported.contexts()).isEmpty();
  }

  private void inTask(Action<Exception> body) throws Exception {
    loop.<Exception>runUntilComplete(body);
  }

  private static Body<String, IOException> failing(Throwable failure) {
    return () -> {
      throw Suppression.<RuntimeException>sneak(failure);
    };
  }

  /** Says that it has begun: what has begun and not yet failed fails, also if it is cancelled. */
  private static Body<String, IOException> failing(CountDownLatch begun, Throwable failure) {
    return () -> {
      begun.countDown();
      return failing(failure).call();
    };
  }

  /** Blocks until it is cancelled, and says why it was. */
  private static Body<String, RuntimeException> blocked(
      CountDownLatch begun, ConcurrentLinkedQueue<CancelReason> reasons) {
    return () -> {
      begun.countDown();
      try {
        Thread.sleep(Duration.ofDays(1));
        return "never";
      } finally {
        reasons.add(Task.current().orElseThrow().cancelReason().orElseThrow());
      }
    };
  }

  private static Body<String, IOException> failingInCleanUp(
      CountDownLatch begun, IOException failure) {
    return () -> {
      begun.countDown();
      try {
        Thread.sleep(Duration.ofDays(1));
        return "never";
      } catch (InterruptedException cancelled) {
        throw failure;
      }
    };
  }

  private static <T> Body<T, RuntimeException> after(CountDownLatch event, T value) {
    return () -> {
      event.await();
      return value;
    };
  }

  // ---- any

  @Test
  @DisplayName(
      "any: the first success wins, the losers are cancelled with NOT_NEEDED and waited for")
  void theFirstSuccessWins() throws Exception {
    var begun = new CountDownLatch(2);
    var reasons = new ConcurrentLinkedQueue<CancelReason>();
    inTask(() -> {
      String value =
          Gather.any(blocked(begun, reasons), after(begun, "won"), blocked(begun, reasons));

      assertThat(value).isEqualTo("won");
      assertThat(reasons)
          .hasSize(2)
          .allMatch(reason -> reason.source() == CancelReason.Source.NOT_NEEDED);
    });
    assertThat(tolerated).isEmpty();
  }

  @Test
  @DisplayName("any: failures of losers are tolerated, and listed by winner [L6, L7]")
  void failuresOfLosersAreTolerated() throws Exception {
    var early = new IOException("early");
    var cleanUp = new IOException("clean-up");
    inTask(() -> {
      var begun = new CountDownLatch(2);

      Winner<String> winner =
          Gather.winner(
              failing(begun, early), failingInCleanUp(begun, cleanUp), after(begun, "won"));

      assertThat(winner).isEqualTo(new Winner<>("won", 2, List.of(early, cleanUp)));
      assertThat(tolerated).containsExactlyInAnyOrder(early, cleanUp);
    });
  }

  @Test
  @DisplayName("winner: the index counts what was given, a task that occurs twice too")
  void theIndexOfTheWinner() throws Exception {
    Task<String, RuntimeException> task =
        loop.createTask(() -> {
          Thread.sleep(Duration.ofDays(1));
          return "never";
        });
    inTask(() -> {
      Body<String, RuntimeException> body = () -> "won";
      assertThat(Gather.winner(task, task, body).index()).isEqualTo(2);
      assertThat(Gather.options().concurrency(1).winner(body, body).index()).isZero();
    });
  }

  @Test
  @DisplayName("any: if all failed the group lists every failure in the order of the bodies [L7]")
  void allFailed() throws Exception {
    var failures = List.of(new IOException("a"), new IllegalStateException("b"), new Error("c"));
    inTask(() -> {
      var last = new CountDownLatch(1);
      Throwable thrown =
          catchThrowable(() ->
              Gather.any(
                  () -> {
                    last.await();
                    return failing(failures.get(0)).call();
                  },
                  failing(failures.get(1)),
                  () -> {
                    last.countDown();
                    return failing(failures.get(2)).call();
                  }));

      assertThat(thrown)
          .isInstanceOfSatisfying(
              ExceptionGroup.class, group -> assertThat(group.exceptions()).isEqualTo(failures));
    });
    assertThat(tolerated).isEmpty();
  }

  @Test
  @DisplayName("any: tasks are taken over; one that was cancelled is a loser like any other")
  void anyOfTasks() throws Exception {
    Task<String, IOException> cancelled =
        loop.createTask(() -> {
          Thread.sleep(Duration.ofDays(1));
          return "never";
        });
    var begun = new CountDownLatch(1);
    var reasons = new ConcurrentLinkedQueue<CancelReason>();
    Task<String, RuntimeException> slow = loop.createTask(blocked(begun, reasons));
    cancelled.cancel();
    inTask(() -> {
      assertThat(Gather.<String>any(cancelled, slow, slow, after(begun, "won"))).isEqualTo("won");

      assertThat(slow.isDone()).isTrue();
      assertThat(reasons)
          .singleElement()
          .matches(r -> r.source() == CancelReason.Source.NOT_NEEDED);
      assertThatThrownBy(() -> Gather.any(cancelled))
          .isInstanceOfSatisfying(
              ExceptionGroup.class,
              group ->
                  assertThat(group.exceptions())
                      .singleElement()
                      .isInstanceOf(TaskCancelledException.class));
    });
  }

  @Test
  @DisplayName("any: a task that waits for the caller loses, it does not close a circle")
  void noFalseCircle() throws Exception {
    inTask(() -> {
      Task<?, ?> caller = Task.current().orElseThrow();
      Task<Object, Exception> waiting = loop.createTask(() -> caller.await());
      Gate.awaitBlocked(waiting);

      Object value =
          Gather.<Object>any(
              waiting,
              () -> {
                // Longer than the search for circles takes to begin.
                Thread.sleep(700);
                return "won";
              });

      assertThat(value).isEqualTo("won");
      assertThat(waiting.isCancelled()).isTrue();
    });
  }

  @Test
  @DisplayName("any: cancelling the caller cancels all, their failures are suppressed")
  void anyIsCancelled() throws Exception {
    var early = new IOException("early");
    var cleanUp = new IOException("clean-up");
    var begun = new CountDownLatch(2);
    Task<String, Exception> caller =
        loop.createTask(() -> Gather.any(failing(begun, early), failingInCleanUp(begun, cleanUp)));
    begun.await();
    Gate.awaitBlocked(caller);

    caller.cancel();

    Throwable thrown = catchThrowable(() -> caller.await());
    assertThat(((TaskCancelledException) thrown).failures())
        .containsExactlyInAnyOrder(early, cleanUp);
    assertThat(tolerated).isEmpty();
  }

  @Test
  @DisplayName("any of actions ends with the first that succeeds")
  void anyOfActions() throws Exception {
    inTask(() -> {
      var done = new CountDownLatch(1);
      Gather.any(
          () -> Thread.sleep(Duration.ofDays(1)),
          () -> {
            done.countDown();
          });
      assertThat(done.getCount()).isZero();
    });
  }

  // ---- race

  @Test
  @DisplayName("race: the first to end wins, also with a failure")
  void theFirstToEndWins() throws Exception {
    var failure = new IOException("first");
    var begun = new CountDownLatch(1);
    var reasons = new ConcurrentLinkedQueue<CancelReason>();
    inTask(() -> {
      Body<String, IOException> failsFirst =
          () -> {
            begun.await();
            throw failure;
          };

      Throwable thrown =
          catchThrowable(() -> Gather.<String, Exception>race(blocked(begun, reasons), failsFirst));

      assertThat(thrown).isSameAs(failure);
      assertThat(reasons)
          .singleElement()
          .matches(r -> r.source() == CancelReason.Source.NOT_NEEDED);
      String value = Gather.race(() -> "only");
      assertThat(value).isEqualTo("only");
    });
  }

  @Test
  @DisplayName("race: what the losers throw is tolerated")
  void racersMayFail() throws Exception {
    var cleanUp = new IOException("clean-up");
    inTask(() -> {
      var begun = new CountDownLatch(1);

      String value = Gather.race(failingInCleanUp(begun, cleanUp), after(begun, "won"));

      assertThat(value).isEqualTo("won");
      assertThat(tolerated).containsExactly(cleanUp);
    });
  }

  // ---- quorum

  @Test
  @DisplayName("quorum: returns when so many have succeeded; the rest is cancelled")
  void enoughSuccesses() throws Exception {
    var begun = new CountDownLatch(2);
    var reasons = new ConcurrentLinkedQueue<CancelReason>();
    inTask(() -> {
      List<String> values =
          Gather.quorum(
              2,
              after(begun, "a"),
              failing(begun, new IOException("tolerated")),
              blocked(begun, reasons),
              after(begun, "b"));

      assertThat(values).containsExactlyInAnyOrder("a", "b");
      assertThat(reasons)
          .singleElement()
          .matches(r -> r.source() == CancelReason.Source.NOT_NEEDED);
      assertThat(tolerated).hasSize(1);
    });
  }

  @Test
  @DisplayName("quorum one by one: values in order of completion, and no body more than needed")
  void quorumOneByOne() throws Exception {
    var started = new AtomicInteger();
    Body<Integer, RuntimeException> body = started::incrementAndGet;
    inTask(() -> {
      List<Integer> values =
          Gather.options()
              .name("one by one")
              .concurrency(1)
              .quorum(3, body, body, body, body, body);

      assertThat(values).containsExactly(1, 2, 3);
      assertThat(started).hasValue(3);
    });
  }

  @Test
  @DisplayName("quorum: fails as soon as it cannot be reached, with every failure")
  void quorumOutOfReach() throws Exception {
    var a = new IOException("a");
    var b = new IOException("b");
    var cleanUp = new IOException("clean-up");
    inTask(() -> {
      var begun = new CountDownLatch(1);

      Throwable thrown =
          catchThrowable(() ->
              Gather.quorum(
                  2,
                  failing(a),
                  failingInCleanUp(begun, cleanUp),
                  () -> {
                    begun.await();
                    throw b;
                  }));

      assertThat(((ExceptionGroup) thrown).exceptions()).containsExactly(a, cleanUp, b);
    });
    assertThat(tolerated).isEmpty();
  }

  // ---- hedge

  @Test
  @DisplayName("hedge: of more failures than an exception takes, the rest goes to the handler")
  void hedgeWithManyFailures() throws Exception {
    List<IOException> failures =
        IntStream.range(0, 20).mapToObj(i -> new IOException("attempt " + i)).toList();
    var attempts = new AtomicInteger();
    var rest = new RecordingHandler();
    try (Loop own = Threads.builder().exceptionHandler(rest).build()) {
      own.<Exception>runUntilComplete(() -> {
        Throwable thrown =
            catchThrowable(() ->
                Gather.<Void, IOException>hedge(
                    Duration.ofDays(1),
                    20,
                    () -> {
                      throw failures.get(attempts.getAndIncrement());
                    }));
        assertThat(thrown).isSameAs(failures.getFirst());
        assertThat(Suppressed.in(thrown)).isEqualTo(failures.subList(1, 17));
      });
    }
    assertThat(rest.exceptions()).isEqualTo(failures.subList(17, 20));
  }

  @Test
  @DisplayName("hedge: an attempt that answers in time is the only one")
  void oneAttemptIsEnough() throws Exception {
    var attempts = new AtomicInteger();
    inTask(() -> {
      int value = Gather.hedge(Duration.ofDays(1), 3, attempts::incrementAndGet);

      assertThat(value).isEqualTo(1);
      assertThat(attempts).hasValue(1);
    });
  }

  @Test
  @DisplayName("hedge: the next attempt starts when the last is late; the first success wins")
  void aLateAttemptIsHedged() throws Exception {
    var attempts = new AtomicInteger();
    var cancelled = new AtomicInteger();
    inTask(() -> {
      String value =
          Gather.hedge(
              Duration.ofMillis(5),
              3,
              () -> {
                int attempt = attempts.incrementAndGet();
                if (attempt < 3) {
                  try {
                    Thread.sleep(Duration.ofDays(1));
                  } catch (InterruptedException e) {
                    cancelled.incrementAndGet();
                    throw e;
                  }
                }
                return "attempt " + attempt;
              });

      assertThat(value).isEqualTo("attempt 3");
      assertThat(cancelled).hasValue(2);
    });
  }

  @Test
  @DisplayName("hedge: after a failure the next attempt starts at once; the failure is tolerated")
  void aFailedAttemptIsRepeated() throws Exception {
    var failure = new IOException("first attempt");
    var attempts = new AtomicInteger();
    inTask(() -> {
      String value =
          Gather.hedge(
              Duration.ofDays(1),
              2,
              () -> attempts.incrementAndGet() == 1 ? failing(failure).call() : "second");

      assertThat(value).isEqualTo("second");
      assertThat(tolerated).containsExactly(failure);
    });
  }

  @Test
  @DisplayName("hedge: if all attempts fail the first failure is thrown with the others")
  void allAttemptsFail() throws Exception {
    var failures = List.of(new IOException("1"), new IOException("2"), new IOException("3"));
    var attempts = new AtomicInteger();
    inTask(() -> {
      Throwable thrown =
          catchThrowable(() ->
              Gather.hedge(
                  Duration.ofDays(1),
                  3,
                  () -> failing(failures.get(attempts.getAndIncrement())).call()));

      assertThat(thrown).isSameAs(failures.getFirst());
      assertThat(Suppressed.in(thrown)).isEqualTo(failures.subList(1, 3));
      assertThat(tolerated).isEmpty();
    });
  }

  @Test
  @DisplayName("hedge: cancelling the caller cancels the attempts, failures are suppressed")
  void hedgeIsCancelled() throws Exception {
    var failure = new IOException("first attempt");
    var begun = new CountDownLatch(1);
    var attempts = new AtomicInteger();
    Task<String, Exception> caller =
        loop.createTask(() ->
            Gather.<String, Exception>hedge(
                Duration.ofDays(1),
                2,
                () -> {
                  if (attempts.incrementAndGet() == 1) {
                    throw failure;
                  }
                  begun.countDown();
                  Thread.sleep(Duration.ofDays(1));
                  return "never";
                }));
    begun.await();
    Gate.awaitBlocked(caller);

    caller.cancel();

    Throwable thrown = catchThrowable(() -> caller.await());
    assertThat(((TaskCancelledException) thrown).failures()).containsExactly(failure);
  }

  @Test
  @DisplayName("with a limit of concurrency no more attempts than that run at once")
  void hedgeWithFewAtOnce() throws Exception {
    var failure = new IOException("first attempt");
    var attempts = new AtomicInteger();
    inTask(() -> {
      String value =
          Gather.options()
              .concurrency(1)
              .hedge(
                  Duration.ZERO,
                  3,
                  () -> {
                    int attempt = attempts.incrementAndGet();
                    Thread.sleep(2);
                    return attempt < 3 ? failing(failure).call() : "attempt " + attempt;
                  });

      assertThat(value).isEqualTo("attempt 3");
    });
  }

  // ---- bad input

  @Test
  @DisplayName("bad input is refused before anything starts")
  void badInput() throws Exception {
    var started = new AtomicInteger();
    Body<Integer, RuntimeException> body = started::incrementAndGet;
    assertThatThrownBy(() -> Gather.any(List.<Body<String, IOException>>of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Gather.race(List.<Body<String, IOException>>of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Gather.quorum(3, body, body))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 of 2");
    assertThatThrownBy(() -> Gather.quorum(0, body, body))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Gather.hedge(Duration.ofMillis(-1), 2, body))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("delay");
    assertThatThrownBy(() -> Gather.hedge(Duration.ZERO, 0, body))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("times");
    assertThat(started).hasValue(0);
  }
}
