package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Which deadline code is under. */
@ExtendWith(Oracle.class)
class DeadlineTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);
  private final Threads.Reported reported = new Threads.Reported();

  /** What a child of the scope sees. */
  private static Optional<Instant> inAChild(TaskScope<Exception> scope) throws Exception {
    Task<Optional<Instant>, Exception> child = scope.fork(Timeout::deadline);
    return child.await();
  }

  @Test
  @DisplayName("there is none outside of limits, neither in a thread nor in a task")
  void noneOutside() throws Exception {
    assertThat(Timeout.deadline()).isEmpty();
    Threads.run(
        reported,
        loop -> {
          assertThat(Timeout.deadline()).isEmpty();
          try (var scope = TaskScope.<Exception>open()) {
            assertThat(inAChild(scope)).isEmpty();
          }
          return null;
        });
  }

  @Test
  @DisplayName("it is that of the limit around, and gone after the body")
  void thatOfTheLimitAround() throws Exception {
    Timeout.within(
        HOUR,
        timeout -> {
          assertThat(Timeout.deadline()).contains(timeout.when());
          return null;
        });

    assertThat(Timeout.deadline()).isEmpty();
  }

  @Test
  @DisplayName("it is gone after a body that timed out, and after one that failed")
  void goneAfterAFailure() {
    assertThatThrownBy(() -> Timeout.within(Duration.ZERO, () -> Task.checkCancelled()))
        .isInstanceOf(TimeoutException.class);
    assertThat(Timeout.deadline()).isEmpty();

    assertThatThrownBy(() ->
            Timeout.within(
                HOUR,
                () -> {
                  throw new IllegalArgumentException();
                }))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(Timeout.deadline()).isEmpty();
  }

  @Test
  @DisplayName("of several limits around one another it is the nearest")
  void theNearest() throws Exception {
    Timeout.within(
        DAY,
        day -> {
          Timeout.within(
              HOUR,
              hour -> {
                assertThat(Timeout.deadline()).contains(hour.when());
                Timeout.within(
                    DAY.plus(DAY),
                    () -> {
                      assertThat(Timeout.deadline()).contains(hour.when());
                    });
                return null;
              });
          assertThat(Timeout.deadline()).contains(day.when());
          return null;
        });
  }

  @Test
  @DisplayName("a limit that is far away is a deadline like any other")
  void farAway() throws Exception {
    Timeout.within(
        Duration.ofSeconds(Long.MAX_VALUE),
        () -> {
          assertThat(Timeout.deadline()).contains(Instant.MAX);
        });
  }

  @Test
  @DisplayName("a CancelScope has none, and hides none")
  void aCancelScope() throws Exception {
    CancelScope.create().run(() -> assertThat(Timeout.deadline()).isEmpty());
    Timeout.within(
        HOUR,
        timeout -> {
          CancelScope.create().run(() -> assertThat(Timeout.deadline()).contains(timeout.when()));
          return null;
        });
  }

  @Test
  @DisplayName("children of a scope inherit it, and so do theirs, in nested scopes as well")
  void inheritedByChildren() throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          Timeout.<Object, Exception>within(
              HOUR,
              timeout -> {
                Instant when = timeout.when();
                try (var scope = TaskScope.<Exception>open();
                    var second = TaskScope.<Exception>open()) {
                  assertThat(inAChild(scope)).contains(when);
                  assertThat(inAChild(second)).contains(when);
                  Task<Optional<Instant>, Exception> child =
                      scope.fork(() -> {
                        assertThat(inAChild(scope)).contains(when);
                        try (var nested = TaskScope.<Exception>open()) {
                          return inAChild(nested);
                        }
                      });
                  assertThat(child.await()).contains(when);
                }
                return null;
              });
          return null;
        });
  }

  @Test
  @DisplayName("children of a scope in a thread that is no task inherit it too")
  void inheritedOutsideOfTasks() throws Exception {
    Timeout.<Object, Exception>within(
        HOUR,
        timeout -> {
          try (var scope = TaskScope.<Exception>open()) {
            assertThat(inAChild(scope)).contains(timeout.when());
          }
          return null;
        });
  }

  @Test
  @DisplayName("a limit of the child's own counts with the inherited one: the nearest")
  void aLimitOfTheChildsOwn() throws Exception {
    Timeout.<Object, Exception>within(
        HOUR,
        timeout -> {
          try (var scope = TaskScope.<Exception>open()) {
            Task<Void, Exception> child =
                scope.fork(() -> {
                  Timeout.within(
                      DAY,
                      () -> {
                        assertThat(Timeout.deadline()).contains(timeout.when());
                      });
                  Timeout.within(
                      Duration.ofMinutes(1),
                      nearer -> {
                        assertThat(Timeout.deadline()).contains(nearer.when());
                        return null;
                      });
                });
            child.await();
          }
          return null;
        });
  }

  @Test
  @DisplayName("children of a scope that was opened before the limit do not inherit it")
  void aScopeAroundTheLimit() throws Exception {
    try (var scope = TaskScope.<Exception>open()) {
      Timeout.<Object, Exception>within(
          HOUR,
          () -> {
            assertThat(Timeout.deadline()).isPresent();
            assertThat(inAChild(scope)).isEmpty();
            return null;
          });
    }
  }

  @Test
  @DisplayName("a child sees the deadline being moved")
  void aChildSeesItMoved() throws Exception {
    Instant later = Instant.now().plus(DAY);
    Timeout.<Object, Exception>within(
        HOUR,
        timeout -> {
          try (var scope = TaskScope.<Exception>open()) {
            Task<Optional<Instant>, Exception> child =
                scope.fork(() -> {
                  timeout.reschedule(later);
                  return Timeout.deadline();
                });
            assertThat(child.await()).contains(later);
          }
          return null;
        });
  }

  @Test
  @DisplayName("a task of the loop inherits none, also if it is created under a limit")
  void notByTasksOfTheLoop() throws Exception {
    Threads.<Object, Exception>run(
        reported,
        loop ->
            Timeout.<Object, Exception>within(
                HOUR,
                () -> {
                  Task<Optional<Instant>, Exception> task = loop.createTask(Timeout::deadline);
                  assertThat(task.await()).isEmpty();
                  Task<Optional<Instant>, Exception> created = Task.create(Timeout::deadline);
                  assertThat(created.await()).isEmpty();
                  return null;
                }));
  }

  @Test
  @DisplayName("main of a run inherits none")
  void notByMain() throws Exception {
    Timeout.<Object, Exception>within(
        HOUR,
        () -> {
          assertThat(Loop.<Optional<Instant>, Exception>run(loop -> Timeout.deadline())).isEmpty();
          return null;
        });
  }

  @Test
  @DisplayName("a shield keeps it off, also from children; a limit inside of the shield counts")
  void notInAShield() throws Exception {
    Timeout.<Object, Exception>within(
        HOUR,
        timeout -> {
          Task.<Exception>shielded(() -> {
            assertThat(Timeout.deadline()).isEmpty();
            try (var scope = TaskScope.<Exception>open()) {
              assertThat(inAChild(scope)).isEmpty();
            }
            Timeout.within(
                DAY,
                within -> {
                  assertThat(Timeout.deadline()).contains(within.when());
                  return null;
                });
          });
          assertThat(Timeout.deadline()).contains(timeout.when());
          return null;
        });
  }

  @Test
  @DisplayName("the shield of a child keeps off what it inherits")
  void notInTheShieldOfAChild() throws Exception {
    Timeout.<Object, Exception>within(
        HOUR,
        timeout -> {
          try (var scope = TaskScope.<Exception>open()) {
            Task<Optional<Instant>, Exception> child =
                scope.fork(() -> Task.shielded(() -> Timeout.deadline()));
            assertThat(child.await()).isEmpty();
          }
          return null;
        });
  }

  @Test
  @DisplayName("another thread, and a callback after the limit, have none")
  void notElsewhere() throws Exception {
    var elsewhere = new AtomicReference<Optional<Instant>>();
    Timeout.within(
        HOUR,
        () -> {
          Thread.ofVirtual().start(() -> elsewhere.set(Timeout.deadline())).join();
        });
    assertThat(elsewhere.get()).isEmpty();

    Threads.<Object, Exception>run(
        reported,
        loop -> {
          Task<Void, Exception> task =
              loop.createTask(() -> Timeout.within(HOUR, () -> Thread.yield()));
          task.onDone(done -> elsewhere.set(Timeout.deadline()));
          return task.await();
        });
    assertThat(elsewhere.get()).isEmpty();
  }

  @Test
  @DisplayName("a limit that has expired is still the deadline of the clean-up")
  void expired() throws Exception {
    Timeout.<Object, Exception>within(
        Duration.ZERO,
        timeout -> {
          assertThat(Timeout.deadline()).contains(timeout.when());
          assertThat(Timeout.deadline().orElseThrow()).isBeforeOrEqualTo(Instant.now());
          return null;
        });
  }
}
