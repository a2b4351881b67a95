package dev.selvedge;

import org.jspecify.annotations.Nullable;

/**
 * Named points at which the order of threads decides something: tests hold threads there to force
 * an order. Off unless the system property {@code selvedge.points} is {@code true}; then a point is
 * a call of an empty method, which costs nothing once it is compiled.
 */
final class Points {
  /** Called by each thread that comes to a point. */
  @FunctionalInterface
  interface Hook {
    void reached(String point);
  }

  static final boolean ON = Boolean.getBoolean("selvedge.points");

  /** Written by tests. */
  static volatile @Nullable Hook hook;

  private Points() {}

  static void reach(String point) {
    if (ON) {
      Hook present = hook;
      if (present != null) {
        present.reached(point);
      }
    }
  }
}
