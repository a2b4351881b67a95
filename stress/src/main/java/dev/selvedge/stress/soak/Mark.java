package dev.selvedge.stress.soak;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/** What the ledger knows of one exception object: where it was thrown and where it arrived. */
final class Mark {
  /** A way in which a failure arrives. If there are several, the first of them counts. */
  enum Way {
    /** By the exception handler. */
    REPORTED(0),
    /** As what an await, a read or a verb threw or returned. */
    AWAITED(1),
    /** Below what was taken so. */
    SUPPRESSED(2),
    /** A loser, by the contract of its verb or {@code ignoreFailure}. */
    TOLERATED(3);

    private final int place;

    Way(int place) {
      this.place = place;
    }
  }

  final long id;
  final Plan.Kind kind;

  /** Where it was thrown first. */
  final Frame where;

  private final AtomicIntegerArray arrivals = new AtomicIntegerArray(Way.values().length);

  /** The task that it left last. */
  volatile long carrier;

  /** The task from which it was read when its owner had not begun to close. */
  volatile long read;

  /** The task as whose failure it was reported last. */
  volatile long reported;

  /** Whether a supervisor has reported it. */
  volatile boolean supervised;

  /** Whether it left a task that several others may await. */
  volatile boolean shared;

  /** How often it was thrown; more than once if it is one of the shared objects. */
  volatile int thrown;

  Mark(long id, Plan.Kind kind, Frame where) {
    this.id = id;
    this.kind = kind;
    this.where = where;
  }

  int arrive(Way way) {
    return arrivals.incrementAndGet(way.place);
  }

  int arrived(Way way) {
    return arrivals.get(way.place);
  }

  @Nullable Way counted() {
    for (Way way : Way.values()) {
      if (arrived(way) > 0) {
        return way;
      }
    }
    return null;
  }

  boolean isSingle() {
    return kind != Plan.Kind.SHARED && kind != Plan.Kind.SHARED_BARE;
  }

  Set<Way> ways() {
    Set<Way> ways = EnumSet.allOf(Way.class);
    ways.removeIf(way -> arrived(way) == 0);
    return ways;
  }

  @Override
  public String toString() {
    return "#" + id + " " + kind + " thrown in " + where.path() + ", arrived " + ways();
  }
}
