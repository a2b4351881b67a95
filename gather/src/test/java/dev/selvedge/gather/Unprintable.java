package dev.selvedge.gather;

import java.util.List;

/** Exceptions that cannot print themselves. */
final class Unprintable {
  private static final class AsNull extends RuntimeException {
    private static final long serialVersionUID = 1;

    @Override
    @SuppressWarnings("NullAway") // on purpose
    public String toString() {
      return null;
    }
  }

  private static final class WithAnError extends RuntimeException {
    private static final long serialVersionUID = 1;

    @Override
    public String toString() {
      throw new AssertionError("on purpose");
    }
  }

  private static final class WithABadMessage extends RuntimeException {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw new IllegalStateException("on purpose");
    }
  }

  private Unprintable() {}

  static List<RuntimeException> all() {
    return List.of(new AsNull(), new WithAnError(), new WithABadMessage());
  }
}
