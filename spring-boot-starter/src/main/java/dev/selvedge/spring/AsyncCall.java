package dev.selvedge.spring;

import org.jspecify.annotations.Nullable;

/**
 * A call of an {@code @Async} method: bound in the thread that calls it, so that its task can be
 * named after it.
 *
 * @param name those of the bean and the method
 * @param isVoid whether nobody can await it
 */
record AsyncCall(String name, boolean isVoid) {
  private static final ScopedValue<AsyncCall> CURRENT = ScopedValue.newInstance();

  static @Nullable AsyncCall current() {
    return CURRENT.isBound() ? CURRENT.get() : null;
  }

  <T extends @Nullable Object> T bind(ScopedValue.CallableOp<T, Throwable> call) throws Throwable {
    return ScopedValue.where(CURRENT, this).call(call);
  }
}
