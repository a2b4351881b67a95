package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the tasks of a loop take along from the threads that fork them. A loop that was told to
 * carry nothing has none.
 *
 * <p>The exception handler is to see the context of the task that failed. When a report is made
 * that task may be gone, so a failing body captures its context once more, on its way out.
 */
final class Context {
  private final List<ScopedValue<?>> inherited;
  private final List<ContextCarrier> carriers;

  Context(List<ScopedValue<?>> inherited, List<ContextCarrier> carriers) {
    this.inherited = List.copyOf(inherited);
    this.carriers = List.copyOf(carriers);
  }

  /** Something to run later, in the context in which this was captured. */
  static final class Captured {
    private final Body<@Nullable Void, RuntimeException> carried;
    private Runnable action = () -> {};

    private Captured(Context context) {
      carried =
          context.capture(() -> {
            action.run();
            return null;
          });
    }

    /** Runs an action. Not for two threads at a time. */
    void run(Runnable action) throws InterruptedException {
      this.action = action;
      carried.call();
    }
  }

  /** The body of a task, in the context of the caller. */
  <T extends @Nullable Object, X extends Exception> Body<T, X> carry(
      Body<? extends T, ? extends X> body) {
    return capture(() -> {
      try {
        return body.call();
      } catch (Throwable failure) {
        remember(failure);
        throw failure;
      }
    });
  }

  private void remember(Throwable failure) {
    TaskImpl<?, ?> task = TaskImpl.current();
    if (task != null) {
      try {
        task.cold().context = new Captured(this);
      } catch (Throwable broken) {
        if (!Failures.suppress(failure, broken)) {
          task.loop()
              .reports()
              .post(new ExceptionContext("Exception in a context carrier", broken, task, Map.of()));
        }
      }
    }
  }

  private <T extends @Nullable Object, X extends Exception> Body<T, X> capture(Body<T, X> body) {
    Body<T, X> carried = body;
    for (ContextCarrier carrier : carriers.reversed()) {
      carried =
          requireNonNull(
              carrier.carry(carried), () -> carrier + " returned null instead of a body");
    }
    ScopedValue.Carrier bindings = null;
    for (ScopedValue<?> value : inherited) {
      if (value.isBound()) {
        bindings = bind(bindings, value);
      }
    }
    return bindings == null ? carried : bound(bindings, carried);
  }

  private static <V> ScopedValue.Carrier bind(
      ScopedValue.@Nullable Carrier bindings, ScopedValue<V> value) {
    return bindings == null
        ? ScopedValue.where(value, value.get())
        : bindings.where(value, value.get());
  }

  private static <T extends @Nullable Object, X extends Exception> Body<T, X> bound(
      ScopedValue.Carrier bindings, Body<T, X> body) {
    return () -> {
      try {
        return bindings.call(body::call);
      } catch (Exception e) {
        throw Failures.<RuntimeException>sneak(e);
      }
    };
  }
}
