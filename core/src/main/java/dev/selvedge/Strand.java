package dev.selvedge;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A line of execution that can be interrupted on purpose: the thread of a task, or a thread of
 * somebody else's in which a scope was opened.
 *
 * <p>It keeps the stack of what is open in it. An interrupt for one frame of that stack reaches the
 * thread unless a shield lies further in; then it waits for the end of the shield. The monitor of
 * the strand guards the stack, so that an interrupt can never arrive after its frame has gone.
 */
abstract sealed class Strand permits Cold, Strand.Foreign {
  /** A region that no cancellation interrupts. */
  static final class Shield extends Frame {
    private boolean pending; // guarded by the strand
  }

  /** The strand of a thread that is not a task's. */
  static final class Foreign extends Strand {
    private static final ThreadLocal<@Nullable Foreign> CURRENT = new ThreadLocal<>();

    /** Those in which something is open, also if their thread has ended without closing it. */
    private static final Set<Foreign> OPEN = ConcurrentHashMap.newKeySet();

    private final Thread thread = Thread.currentThread();

    /** The loop that is current in the thread; null for the default loop. */
    private @Nullable Loop loop;

    @Override
    Loop loop() {
      Loop current = loop;
      return current != null ? current : Loop.defaultLoop();
    }

    @Override
    Thread thread() {
      return thread;
    }

    @Override
    int interrupts() {
      return 0;
    }

    @Override
    void isOpen(boolean open) {
      if (open) {
        OPEN.add(this);
      } else {
        OPEN.remove(this);
      }
    }

    private static Foreign ofThisThread() {
      Foreign strand = CURRENT.get();
      if (strand == null) {
        strand = new Foreign();
        CURRENT.set(strand);
      }
      return strand;
    }
  }

  private @Nullable Frame top; // guarded by this

  /** Counts what CancelScopes of this strand delivered; guarded by this. */
  private int cancellations;

  /** To which the scopes that are opened here belong. */
  abstract Loop loop();

  abstract @Nullable Thread thread();

  /** How often the whole strand was interrupted through the library; guarded by this. */
  abstract int interrupts();

  /** The first frame was pushed, or the last one taken out. */
  void isOpen(boolean open) {}

  static Strand current() {
    TaskImpl<?, ?> task = TaskImpl.current();
    return task != null ? task.cold() : Foreign.ofThisThread();
  }

  /** The loop that is current in a thread that is not a task's. */
  static Loop foreignLoop() {
    Foreign strand = Foreign.CURRENT.get();
    return strand == null ? Loop.defaultLoop() : strand.loop();
  }

  /** The clock of that loop. It does not make the default loop, whose clock is the system's. */
  static LoopClock foreignClock() {
    Foreign strand = Foreign.CURRENT.get();
    return strand == null || strand.loop == null ? LoopClock.system() : strand.loop.clock();
  }

  /** Calls a body in a thread that is not a task's and has that loop as its current one. */
  static <T extends @Nullable Object, X extends Exception> T callIn(
      Loop loop, Body<? extends T, ? extends X> body) throws X, InterruptedException {
    Foreign strand = Foreign.ofThisThread();
    Loop outer = strand.loop;
    strand.loop = loop;
    try {
      return body.call();
    } finally {
      strand.loop = outer;
    }
  }

  /** The open scopes of all threads that are not tasks. */
  static Collection<TaskScope<?>> foreignScopes() {
    var scopes = new ArrayList<TaskScope<?>>();
    Foreign.OPEN.forEach(strand -> strand.addScopes(scopes));
    return scopes.reversed();
  }

  /** Those of them that belong to a loop. */
  static Collection<TaskScope<?>> foreignScopes(Loop loop) {
    Collection<TaskScope<?>> scopes = foreignScopes();
    scopes.removeIf(scope -> scope.loop() != loop);
    return scopes;
  }

  synchronized void addScopes(Collection<? super TaskScope<?>> scopes) {
    for (Frame frame = top; frame != null; frame = frame.enclosing) {
      if (frame instanceof TaskScope<?> scope) {
        scopes.add(scope);
      }
    }
  }

  /**
   * Whether nothing was opened inside of a frame; for the strand's own thread, which alone opens.
   */
  boolean isInnermost(Frame frame) {
    return top == frame;
  }

  synchronized void push(Frame frame) {
    if (top == null) {
      isOpen(true);
    }
    frame.enclosing = top;
    top = frame;
  }

  /** Takes a frame out; a scope may be closed inside of a shield that was opened later. */
  synchronized void pop(Frame frame) {
    if (top == frame) {
      top = frame.enclosing;
      if (top == null) {
        isOpen(false);
      }
      return;
    }
    for (Frame each = top; each != null; each = each.enclosing) {
      if (each.enclosing == frame) {
        each.enclosing = frame.enclosing;
        return;
      }
    }
  }

  /**
   * Closes the scopes that were opened inside of a frame and forgotten; for the strand's own
   * thread.
   *
   * @param frame null for all of them
   */
  void closeInside(@Nullable Frame frame) {
    while (top != frame && top instanceof TaskScope<?> scope) {
      scope.closeForgotten();
    }
  }

  /**
   * Why the innermost thing that is open in the current thread was cancelled; null if nothing was,
   * or if a shield keeps it off.
   */
  static @Nullable CancelReason cancellation() {
    TaskImpl<?, ?> task = TaskImpl.current();
    Strand strand = openInThisThread(task);
    if (strand != null) {
      synchronized (strand) {
        for (Frame frame = strand.top; frame != null; frame = frame.enclosing) {
          switch (frame) {
            case Shield _ -> {
              return null;
            }
            case CancelScope scope when scope.reasonInStrand() != null -> {
              return scope.reasonInStrand();
            }
            case CancelScope _ -> {}
            case Owner _ -> {}
          }
        }
      }
    }
    return task == null ? null : task.cancelReason().orElse(null);
  }

  /** The nearest of the deadlines around the caller, as far as a shield and along ownership. */
  static @Nullable Instant deadline() {
    TaskImpl<?, ?> task = TaskImpl.current();
    Strand strand = openInThisThread(task);
    TaskScope<?> owner = null;
    Instant nearest = null;
    while (true) {
      if (strand != null) {
        synchronized (strand) {
          Frame frame = owner == null ? strand.top : owner.enclosing;
          for (; frame != null; frame = frame.enclosing) {
            if (frame instanceof Shield) {
              return nearest;
            }
            if (frame instanceof CancelScope scope && scope.timeout() != null) {
              Instant when = scope.timeout().when();
              nearest = nearest == null || when.isBefore(nearest) ? when : nearest;
            }
          }
        }
      }
      if (task == null || !(task.owner() instanceof TaskScope<?> scope)) {
        return nearest;
      }
      owner = scope;
      strand = scope.strand();
      task = scope.ownerTask();
    }
  }

  private static @Nullable Strand openInThisThread(@Nullable TaskImpl<?, ?> task) {
    if (task == null) {
      return Foreign.CURRENT.get();
    }
    return task.hasCold() ? task.cold() : null;
  }

  synchronized int nextCancellation() {
    return ++cancellations;
  }

  synchronized int cancellations() {
    return cancellations;
  }

  /**
   * Adds the scopes inside of a frame to which a cancellation has to be forwarded, those inside of
   * a shield apart. The caller holds the monitor and has seen that the frame is open.
   *
   * @param frame null for all that the strand has open
   */
  void addExposed(@Nullable Frame frame, Collection<? super Owner> exposed) {
    assert Thread.holdsLock(this);
    if (top == frame) {
      return;
    }
    var scopes = new ArrayList<Owner>();
    for (Frame each = top; each != null && each != frame; each = each.enclosing) {
      switch (each) {
        case Shield _ -> scopes.clear();
        case TaskScope<?> scope -> scopes.add(scope);
        case CancelScope _ -> {}
        case Loop loop -> throw new AssertionError(loop);
      }
    }
    exposed.addAll(scopes);
  }

  /**
   * Interrupts what runs inside of a frame, or has the outermost shield in it do so at its end. The
   * caller holds the monitor and has seen that the frame is open.
   *
   * @param frame null for all that the strand runs
   */
  void interrupt(@Nullable Frame frame) {
    assert Thread.holdsLock(this);
    Shield shield = null;
    for (Frame each = top; each != null && each != frame; each = each.enclosing) {
      shield = each instanceof Shield found ? found : shield;
    }
    Thread thread = thread();
    if (shield != null) {
      shield.pending = true;
    } else if (thread != null) {
      thread.interrupt();
    }
  }

  <T extends @Nullable Object, X extends Exception> T shielded(Body<? extends T, ? extends X> body)
      throws X {
    var shield = new Shield();
    synchronized (this) {
      push(shield);
      shield.pending = Thread.interrupted();
    }
    try {
      return body.call();
    } catch (InterruptedException e) {
      throw Failures.<RuntimeException>sneak(e);
    } finally {
      closeInside(shield);
      Points.reach("leave shield");
      synchronized (this) {
        pop(shield);
        if (shield.pending) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }
}
