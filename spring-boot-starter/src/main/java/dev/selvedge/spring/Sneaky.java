package dev.selvedge.spring;

/** Throws what a functional interface in between does not declare, but its caller does. */
final class Sneaky {
  private Sneaky() {}

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // erased: nothing is cast
  static <X extends Throwable> X thrown(Throwable thrown) throws X {
    throw (X) thrown;
  }
}
