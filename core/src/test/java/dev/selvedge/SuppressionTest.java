package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Several failures in one exception: its bounds, and who gets what does not fit. */
@ExtendWith(Oracle.class)
class SuppressionTest {
  private final Threads.Reported reported = new Threads.Reported();

  /** Takes no suppressed exceptions and has no trace, as the JVM's own do under memory pressure. */
  private static final class Refusing extends Exception {
    private static final long serialVersionUID = 1L;

    Refusing(String message) {
      super(message, null, false, false);
    }
  }

  @Test
  @DisplayName("L3: of more than 17 failures 16 are suppressed in the first, the rest is reported")
  void moreThanSixteenGoToTheHandler() throws Exception {
    int children = 20;
    var failures = new ArrayList<Throwable>();
    Throwable thrown = failTogether(children, failures);

    var others = new ArrayList<>(failures);
    others.remove(thrown);
    assertThat(Suppressed.in(thrown)).hasSize(16).isSubsetOf(others);
    var delivered = new ArrayList<>(Suppressed.in(thrown));
    delivered.addAll(reported.exceptions());
    assertThat(delivered).containsExactlyInAnyOrderElementsOf(others);
  }

  @Test
  @DisplayName("L3: exactly 17 failures need no handler")
  void seventeenFitIntoOne() throws Exception {
    var failures = new ArrayList<Throwable>();
    Throwable thrown = failTogether(17, failures);

    assertThat(failures).contains(thrown);
    assertThat(Suppressed.in(thrown)).hasSize(16);
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("L3: an exception that refuses suppression: the others go to the handler")
  void whatAnExceptionRefusesGoesToTheHandler() throws Exception {
    var one = new Refusing("one");
    var two = new Refusing("two");
    Throwable thrown = joinAll(List.of(one, two));

    assertThat(thrown).isIn(one, two).hasNoSuppressedExceptions();
    assertThat(reported.exceptions()).containsExactly(thrown == one ? two : one);
    assertThat(reported.contexts.element().message())
        .isEqualTo("Task exception was never retrieved");
  }

  @Test
  @DisplayName("EXC-02, L3: a singleton thrown by two children neither grows nor suppresses itself")
  void aSingletonDoesNotSuppressItself() throws Exception {
    var singleton = new IOException("singleton");
    for (int i = 0; i < 3; i++) {
      Throwable thrown = joinAll(List.of(singleton, singleton, singleton));

      assertThat(thrown).isSameAs(singleton);
      // At most the one note that a sibling's failure had cancelled the thrower.
      assertThat(Suppressed.in(singleton)).hasSizeLessThanOrEqualTo(1).doesNotContain(singleton);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("EXC-02: two failures thrown together again and again are listed once")
  void aRepeatedPairIsListedOnce() throws Exception {
    var one = new IOException("one");
    var two = new IOException("two");
    for (int i = 0; i < 3; i++) {
      Throwable thrown = joinAll(List.of(one, two));

      assertThat(thrown).isIn(one, two);
      assertThat(Suppressed.in(thrown)).containsOnlyOnce(thrown == one ? two : one);
      assertThat(Suppressed.in(thrown)).hasSizeLessThanOrEqualTo(2);
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("promise 2: a full exception that is awaited in two scopes still loses nothing")
  void aFullExceptionLosesNothing() throws Exception {
    var full = new IOException("full");
    for (int i = 0; i < 16; i++) {
      full.addSuppressed(new IOException("its own " + i));
    }
    var other = new IOException("other");
    Throwable thrown = joinAll(List.of(full, other));

    if (thrown == full) {
      assertThat(reported.exceptions()).containsExactly(other);
    } else {
      assertThat(Suppressed.in(thrown)).containsExactly(full);
      assertThat(reported.contexts).isEmpty();
    }
  }

  @Test
  @DisplayName("promise 2: joining again throws the same and reports nothing twice")
  void joiningAgainReportsNothingTwice() throws Exception {
    var one = new Refusing("one");
    var two = new Refusing("two");
    Threads.<Object, Exception>run(
        reported,
        loop -> {
          try (TaskScope<Exception> scope = TaskScope.open()) {
            var go = new CountDownLatch(1);
            forkAll(scope, go, List.of(one, two));
            go.countDown();
            Throwable thrown = catchThrowable(scope::join);
            assertThatThrownBy(scope::join).isSameAs(thrown);
          }
          return "done";
        });

    assertThat(reported.contexts).hasSize(1);
  }

  private Throwable failTogether(int children, List<Throwable> failures) throws Exception {
    for (int i = 0; i < children; i++) {
      failures.add(new IOException("child " + i));
    }
    return joinAll(failures);
  }

  /** What join throws when all of these are thrown by children whom no cancellation reaches. */
  private Throwable joinAll(List<? extends Throwable> failures) throws Exception {
    return Threads.<Throwable, Exception>run(
        reported,
        loop -> {
          try (TaskScope<Exception> scope = TaskScope.open()) {
            var go = new CountDownLatch(1);
            forkAll(scope, go, failures);
            go.countDown();
            return catchThrowable(scope::join);
          }
        });
  }

  /** Returns when all children are running, so that none is cancelled before its start. */
  private static void forkAll(
      TaskScope<Exception> scope, CountDownLatch go, List<? extends Throwable> failures)
      throws InterruptedException {
    var running = new CountDownLatch(failures.size());
    for (Throwable failure : failures) {
      scope.fork(() ->
          Task.shielded(() -> {
            running.countDown();
            go.await();
            throw Failures.<RuntimeException>sneak(failure);
          }));
    }
    running.await();
  }
}
