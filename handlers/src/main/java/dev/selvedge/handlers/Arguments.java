package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/** Checks arguments that several handlers have. */
final class Arguments {
  private Arguments() {}

  static int positive(int number, String name) {
    if (number < 1) {
      throw new IllegalArgumentException(name + " must be at least 1: " + number);
    }
    return number;
  }

  static Duration positive(Duration duration, String name) {
    if (!requireNonNull(duration, name).isPositive()) {
      throw new IllegalArgumentException(name + " must be longer than zero: " + duration);
    }
    return duration;
  }
}
