package dev.selvedge.spring;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.interceptor.AsyncUncaughtExceptionHandler;

/**
 * What an {@code @Async} method that returns nothing has thrown. Spring catches it, and tells a
 * handler that must not throw: so it is kept until the call is over, and ends the task then.
 */
final class UncaughtAsyncFailure {
  private static final ScopedValue<@Nullable UncaughtAsyncFailure> CURRENT =
      ScopedValue.newInstance();

  private @Nullable Throwable failure;

  /** Makes a call throw what Spring catches. */
  static void rethrowing(Callable<?> call) throws Exception {
    var uncaught = new UncaughtAsyncFailure();
    ScopedValue.where(CURRENT, uncaught).call(call::call);
    Throwable failure = uncaught.failure;
    if (failure != null) {
      throw Sneaky.<RuntimeException>thrown(failure);
    }
  }

  private static @Nullable UncaughtAsyncFailure current() {
    return CURRENT.isBound() ? CURRENT.get() : null;
  }

  /** The method itself: what fails in other calls, which it makes, is not its own failure. */
  static <T extends @Nullable Object> T inMethod(ScopedValue.CallableOp<T, Throwable> method)
      throws Throwable {
    return current() == null ? method.call() : ScopedValue.where(CURRENT, null).call(method);
  }

  /** For Spring, whichever executor a call runs on. */
  static AsyncUncaughtExceptionHandler handler(Loop loop) {
    return (Throwable failure, Method method, @Nullable Object... arguments) -> {
      UncaughtAsyncFailure call = current();
      if (call != null) {
        call.failure = failure;
      } else {
        loop.callExceptionHandler(
            new ExceptionContext(
                "Exception in an @Async method",
                failure,
                Task.current().orElse(null),
                Map.of("method", method.getDeclaringClass().getName() + "." + method.getName())));
      }
    };
  }
}
