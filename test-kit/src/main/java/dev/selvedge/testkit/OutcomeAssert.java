package dev.selvedge.testkit;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelReason;
import dev.selvedge.Outcome;
import dev.selvedge.TaskCancelledException;
import java.util.Objects;
import org.assertj.core.api.AbstractAssert;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ObjectAssert;
import org.jspecify.annotations.Nullable;

/**
 * Assertions about how a task ended.
 *
 * @param <T> the type of the value
 * @since 0.1.0
 */
public final class OutcomeAssert<T extends @Nullable Object>
    extends AbstractAssert<OutcomeAssert<T>, Outcome<T>> {
  private final String subject;

  OutcomeAssert(@Nullable Outcome<T> outcome, String subject) {
    super(outcome, OutcomeAssert.class);
    this.subject = subject;
  }

  /**
   * It has a value.
   *
   * @return this
   */
  public OutcomeAssert<T> succeeded() {
    success("a success");
    return this;
  }

  /**
   * It has that value.
   *
   * @param value what it is equal to
   * @return this
   */
  public OutcomeAssert<T> succeededWith(@Nullable Object value) {
    T actualValue = success("the value " + value).value();
    if (!Objects.equals(actualValue, value)) {
      throw unlike("the value " + value, null);
    }
    return this;
  }

  /**
   * It has a value, of which more is to be asserted.
   *
   * @return assertions about the value
   */
  public ObjectAssert<T> value() {
    return Assertions.assertThat(success("a success").value()).as(subject);
  }

  /**
   * It failed, of which more is to be asserted.
   *
   * @return assertions about the failure
   */
  public AbstractThrowableAssert<?, Throwable> failed() {
    return failedWith(Throwable.class);
  }

  /**
   * It failed with an exception of that type.
   *
   * @param <E> the type
   * @param type the class of the exception, or one above it
   * @return assertions about the failure
   */
  public <E extends Throwable> AbstractThrowableAssert<?, E> failedWith(Class<E> type) {
    String wanted = "a failure of the type " + requireNonNull(type, "type").getName();
    Throwable failure = failure(wanted);
    if (!type.isInstance(failure)) {
      throw unlike(wanted, failure);
    }
    return Assertions.assertThat(type.cast(failure)).as(subject);
  }

  /**
   * It failed with that very exception.
   *
   * @param same the exception
   * @return this
   */
  @SuppressWarnings("ReferenceEquality") // an exception may call itself equal to others
  public OutcomeAssert<T> failedWith(Throwable same) {
    String wanted = "this very failure: " + requireNonNull(same, "same");
    Throwable failure = failure(wanted);
    if (failure != same) {
      throw unlike(wanted, failure);
    }
    return this;
  }

  /**
   * It was cancelled.
   *
   * @return this
   */
  public OutcomeAssert<T> isCancelled() {
    cancelled("a cancellation");
    return this;
  }

  /**
   * It was cancelled, and this is why.
   *
   * @param source what kind of cancellation it was
   * @return this
   */
  public OutcomeAssert<T> wasCancelledBecause(CancelReason.Source source) {
    String wanted = "a cancellation because of " + requireNonNull(source, "source");
    TaskCancelledException cancelled = cancelled(wanted);
    if (cancelled.reason().source() != source) {
      throw unlike(wanted + ", but the reason is " + cancelled.reason(), cancelled);
    }
    return this;
  }

  /**
   * It was cancelled, and this is why.
   *
   * @param source what kind of cancellation it was
   * @param message the whole message of whoever cancelled it
   * @return this
   */
  public OutcomeAssert<T> wasCancelledBecause(CancelReason.Source source, String message) {
    wasCancelledBecause(source);
    String wanted = "a cancellation with the message \"" + message + "\"";
    TaskCancelledException cancelled = cancelled(wanted);
    if (!cancelled.reason().message().equals(message)) {
      throw unlike(wanted + ", but the reason is " + cancelled.reason(), cancelled);
    }
    return this;
  }

  private Outcome.Success<T> success(String wanted) {
    isNotNull();
    return switch (actual) {
      case Outcome.Success<T> success -> success;
      case Outcome.Failure<T>(Throwable exception) -> throw unlike(wanted, exception);
      case Outcome.Cancelled<T>(TaskCancelledException exception) ->
          throw unlike(wanted, exception);
    };
  }

  private Throwable failure(String wanted) {
    isNotNull();
    return switch (actual) {
      case Outcome.Success<T> _ -> throw unlike(wanted, null);
      case Outcome.Failure<T>(Throwable exception) -> exception;
      case Outcome.Cancelled<T>(TaskCancelledException exception) ->
          throw unlike(wanted, exception);
    };
  }

  private TaskCancelledException cancelled(String wanted) {
    isNotNull();
    return switch (actual) {
      case Outcome.Success<T> _ -> throw unlike(wanted, null);
      case Outcome.Failure<T>(Throwable exception) -> throw unlike(wanted, exception);
      case Outcome.Cancelled<T>(TaskCancelledException exception) -> exception;
    };
  }

  private AssertionError unlike(String wanted, @Nullable Throwable cause) {
    AssertionError error = failure("%nExpecting%n  %s%nto have ended with%n  %s", subject, wanted);
    if (cause != null && error.getCause() == null) {
      error.initCause(cause);
    }
    return error;
  }
}
