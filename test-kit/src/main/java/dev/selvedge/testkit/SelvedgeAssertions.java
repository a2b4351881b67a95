package dev.selvedge.testkit;

import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import org.jspecify.annotations.Nullable;

/**
 * Assertions about tasks and outcomes, to be imported statically beside those of AssertJ.
 *
 * {@snippet file="dev/selvedge/testkit/SamplesTest.java" region="assertions"}
 *
 * @since 0.1.0
 */
public final class SelvedgeAssertions {
  private SelvedgeAssertions() {}

  /**
   * Assertions about a task.
   *
   * @param <T> the type of its value
   * @param task the task
   * @return the assertions
   */
  public static <T extends @Nullable Object> TaskAssert<T> assertThat(@Nullable Task<T, ?> task) {
    return new TaskAssert<>(task);
  }

  /**
   * Assertions about how a task ended.
   *
   * @param <T> the type of the value
   * @param outcome the outcome
   * @return the assertions
   */
  public static <T extends @Nullable Object> OutcomeAssert<T> assertThat(
      @Nullable Outcome<T> outcome) {
    return new OutcomeAssert<>(outcome, String.valueOf(outcome));
  }

  /**
   * Says that the failure of a task reaches the exception handler because nobody retrieves it, and
   * waits for that, at most ten seconds. For tests of a {@link SelvedgeExtension}, which fail for
   * every report that they do not expect.
   *
   * {@snippet file="dev/selvedge/testkit/SamplesTest.java" region="orphan"}
   *
   * @param <E> the type of the failure
   * @param type the class of the failure, or one above it
   * @return the failure
   * @throws AssertionError if none of that type comes; what came instead is suppressed in it
   * @throws IllegalStateException if the current loop's handler does not record
   * @throws InterruptedException if the caller is interrupted
   * @see RecordingHandler#expectOrphan(Class)
   */
  public static <E extends Throwable> E expectOrphan(Class<E> type) throws InterruptedException {
    Loop loop = Loop.current();
    if (loop.getExceptionHandler().orElse(null) instanceof RecordingHandler handler) {
      return handler.expectOrphan(type);
    }
    throw new IllegalStateException(
        "the handler of "
            + loop
            + " is no RecordingHandler: call expectOrphan in a test of a SelvedgeExtension which"
            + " sets no other");
  }
}
