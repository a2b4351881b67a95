package dev.selvedge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.LinkedHashSet;
import org.jspecify.annotations.Nullable;

/**
 * The fields of an {@link Owner} that every child writes when it ends. What a fork reads and writes
 * lies at least two cache lines further, as processors fetch them in pairs; otherwise each fork
 * would have to get it back from the core that ended a child last.
 */
abstract sealed class Live extends Frame permits Live.Rare {
  static final VarHandle LIVE;

  static {
    try {
      LIVE = MethodHandles.lookup().findVarHandle(Live.class, "live", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** The children that have not ended, less those that the owner's thread forked. */
  volatile int live;

  /** Written by whoever waits for the children, read by the last of them. */
  volatile @Nullable Thread waiter;

  /** What lies between: fields that are rarely used, and some that never are. */
  abstract static sealed class Rare extends Live permits Owner {
    final long birth = Timers.millis();

    /** Zero until somebody asks; guarded by this. */
    long id;

    /** When it was cancelled, by the loop's clock; written before {@code cancelled}. */
    long cancelledAt;

    /** The children that other threads forked; written under the monitor, null without any. */
    volatile @Nullable Listed listed;

    // Guarded by this.
    @Nullable LinkedHashSet<Failed> failures;
    LoopClock.@Nullable Alarm stragglerWatch;

    @SuppressWarnings("unused")
    private long p1, p2, p3, p4, p5, p6, p7;
  }
}
