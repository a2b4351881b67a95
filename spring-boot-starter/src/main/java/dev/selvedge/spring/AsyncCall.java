package dev.selvedge.spring;

import org.jspecify.annotations.Nullable;

/**
 * A call of an {@code @Async} method: bound in the thread that calls it until the method itself
 * runs, so that its task can be named after it.
 *
 * @param name those of the bean and the method
 * @param isVoid whether nobody can await it
 */
record AsyncCall(String name, boolean isVoid) {
  private static final ScopedValue<@Nullable AsyncCall> CURRENT = ScopedValue.newInstance();

  static @Nullable AsyncCall current() {
    return CURRENT.isBound() ? CURRENT.get() : null;
  }

  /** The method itself, which other executors may run in the thread that calls it. */
  static <T extends @Nullable Object> T inMethod(ScopedValue.CallableOp<T, Throwable> method)
      throws Throwable {
    return current() == null ? method.call() : ScopedValue.where(CURRENT, null).call(method);
  }

  <T extends @Nullable Object> T bind(ScopedValue.CallableOp<T, Throwable> call) throws Throwable {
    return ScopedValue.where(CURRENT, this).call(call);
  }
}
