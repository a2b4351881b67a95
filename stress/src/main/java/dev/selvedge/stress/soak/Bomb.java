package dev.selvedge.stress.soak;

/** What bodies of the soak throw: exceptions that carry their mark. */
sealed interface Bomb {
  Mark mark();

  /** The exception with this mark. */
  static Throwable of(Mark mark) {
    return switch (mark.kind) {
      case CHECKED, SHARED -> new Checked(mark, true, false);
      case TRACED -> new Checked(mark, true, true);
      case BARE, SHARED_BARE -> new Checked(mark, false, false);
      case UNCHECKED -> new Unchecked(mark);
      case ERROR -> new Fatal(mark);
      case OVERFLOW -> throw new IllegalArgumentException("the JVM's own");
    };
  }

  final class Checked extends Exception implements Bomb {
    private final transient Mark mark;

    Checked(Mark mark, boolean suppresses, boolean traced) {
      super("#" + mark.id, null, suppresses, traced);
      this.mark = mark;
    }

    @Override
    public Mark mark() {
      return mark;
    }
  }

  final class Unchecked extends RuntimeException implements Bomb {
    private final transient Mark mark;

    Unchecked(Mark mark) {
      super("#" + mark.id, null, true, false);
      this.mark = mark;
    }

    @Override
    public Mark mark() {
      return mark;
    }
  }

  final class Fatal extends Error implements Bomb {
    private final transient Mark mark;

    Fatal(Mark mark) {
      super("#" + mark.id, null, true, false);
      this.mark = mark;
    }

    @Override
    public Mark mark() {
      return mark;
    }
  }
}
