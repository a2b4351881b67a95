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
  private static final ScopedValue<UncaughtAsyncFailure> CURRENT = ScopedValue.newInstance();

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

  /** For Spring, whichever executor a call runs on. */
  static AsyncUncaughtExceptionHandler handler(Loop loop) {
    return (Throwable failure, Method method, @Nullable Object... arguments) -> {
      if (CURRENT.isBound()) {
        CURRENT.get().failure = failure;
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
