package dev.selvedge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The children of an owner that other threads than its own forked.
 *
 * <p>A fork takes the next slot of a chunk, and the end of a task empties it, both without a lock:
 * so neither waits for another, and nothing holds a task that has ended. Forking threads are spread
 * over several stripes, each with a list of chunks. A stripe that has grown to twice of what it
 * needed lets go of the chunks all of whose tasks have ended.
 */
final class Listed {
  private static final int CHUNK = 16;
  private static final int MOST_STRIPES = 16;

  /** More chunks than that are not kept by an owner without tasks. */
  private static final int FEW = 16;

  private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Object[].class);
  private static final VarHandle TAKEN;

  static {
    try {
      TAKEN = MethodHandles.lookup().findVarHandle(Chunk.class, "taken", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** In the slot of a task that has ended. */
  private static final Object GONE = new Object();

  /** Slots that are used once: null until the task is there, and GONE at last. */
  static final class Chunk {
    private final @Nullable Object[] slots = new @Nullable Object[CHUNK];

    /** How many slots were taken; more than there are if somebody came too late. */
    @SuppressWarnings("unused")
    private volatile int taken;

    /** Guarded by the stripe. */
    private @Nullable Chunk older;

    private boolean isGone() {
      for (int i = 0; i < CHUNK; i++) {
        if (SLOT.getVolatile(slots, i) != GONE) {
          return false;
        }
      }
      return true;
    }
  }

  private static final class Stripe {
    /** Written under the monitor. */
    private volatile Chunk newest = new Chunk();

    // Guarded by this.
    private int chunks = 1;
    private int sweepAt = FEW;

    /** Returns whether there are so many chunks now that an idle owner should let go of them. */
    @SuppressWarnings("ReferenceEquality") // nodes of a list
    synchronized boolean grow(Chunk full) {
      if (newest == full) {
        if (chunks >= sweepAt) {
          sweep();
        }
        var chunk = new Chunk();
        chunk.older = newest;
        chunks++;
        newest = chunk;
      }
      return chunks > FEW;
    }

    synchronized void sweep() {
      int left = 1;
      Chunk kept = newest;
      for (Chunk chunk = kept.older; chunk != null; chunk = chunk.older) {
        if (!chunk.isGone()) {
          kept.older = chunk;
          kept = chunk;
          left++;
        }
      }
      kept.older = null;
      chunks = left;
      sweepAt = Math.max(FEW, 2 * left);
    }

    /** The newest first. */
    synchronized void addUnended(List<TaskImpl<?, ?>> tasks) {
      for (Chunk chunk = newest; chunk != null; chunk = chunk.older) {
        for (int i = CHUNK - 1; i >= 0; i--) {
          if (SLOT.getVolatile(chunk.slots, i) instanceof TaskImpl<?, ?> task && !task.hasEnded()) {
            tasks.add(task);
          }
        }
      }
    }
  }

  private final Stripe[] stripes;

  /** Whether a sweep is worth while when no task is left. */
  private volatile boolean large;

  private Listed(int stripes) {
    this.stripes = new Stripe[stripes];
    Arrays.setAll(this.stripes, _ -> new Stripe());
  }

  /** For an owner to which many threads fork. */
  static Listed striped() {
    int cores = Runtime.getRuntime().availableProcessors();
    return new Listed(Math.min(MOST_STRIPES, Integer.highestOneBit(2 * cores)));
  }

  /** For an owner to which few threads fork but its own. */
  static Listed single() {
    return new Listed(1);
  }

  /** Whoever looks from now on finds the task. */
  void add(ListedTask<?, ?> task) {
    Stripe stripe = stripe();
    while (true) {
      Chunk chunk = stripe.newest;
      int slot = chunk.taken < CHUNK ? (int) TAKEN.getAndAdd(chunk, 1) : CHUNK;
      if (slot < CHUNK) {
        task.chunk = chunk;
        task.slot = slot;
        SLOT.setVolatile(chunk.slots, slot, task);
        return;
      }
      if (stripe.grow(chunk)) {
        large = true;
      }
    }
  }

  private Stripe stripe() {
    // The golden ratio spreads neighbouring ids.
    long hash = Thread.currentThread().threadId() * 0x9E3779B97F4A7C15L;
    return stripes[(int) (hash >>> 48) & (stripes.length - 1)];
  }

  /** Nothing holds the task any more. */
  static void remove(ListedTask<?, ?> task) {
    Chunk chunk = task.chunk;
    if (chunk != null) {
      SLOT.setRelease(chunk.slots, task.slot, GONE);
      // Whoever keeps the handle must not keep the chunk, and all that are older.
      task.chunk = null;
    }
  }

  /** So that an owner which has become idle keeps nothing of its busy time. */
  void idle() {
    if (large) {
      large = false;
      for (Stripe stripe : stripes) {
        stripe.sweep();
      }
    }
  }

  /** Those whose threads have not come to their end, the newest first. */
  void addUnended(List<TaskImpl<?, ?>> tasks) {
    var all = new ArrayList<TaskImpl<?, ?>>();
    for (Stripe stripe : stripes) {
      stripe.addUnended(all);
    }
    if (stripes.length > 1) {
      all.sort(Comparator.<TaskImpl<?, ?>>comparingLong(TaskImpl::id).reversed());
    }
    tasks.addAll(all);
  }
}
