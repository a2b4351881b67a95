package dev.selvedge.stress.soak;

import static java.util.Objects.requireNonNull;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.gather.ExceptionGroup;
import dev.selvedge.gather.RestartLimitException;
import dev.selvedge.stress.soak.Mark.Way;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The model of one round: what was thrown, and what arrived where. It is told by the bodies and the
 * exception handler alone, and never asks the library how much it has counted.
 *
 * <p>A failure has arrived where somebody has taken it, or what it is suppressed in. What passes
 * through a body has not arrived yet: it is the failure of that task then.
 */
final class Ledger {
  private static final AtomicLong IDS = new AtomicLong();

  /** Whether a failure may be reported although it has been read: by {@code orphanAfter}. */
  private final boolean reportsAtAnyTime;

  private final Queue<Mark> thrown = new ConcurrentLinkedQueue<>();
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();

  /** The marks of what the JVM threw. */
  private final Map<Throwable, Mark> foreign = Collections.synchronizedMap(new IdentityHashMap<>());

  private final Map<Plan.Kind, Throwable> shared = new EnumMap<>(Plan.Kind.class);
  private final LongAdder bodies = new LongAdder();

  /** What bodies and the handler have told so far. */
  private final LongAdder told = new LongAdder();

  Ledger(Frame round, boolean reportsAtAnyTime) {
    this.reportsAtAnyTime = reportsAtAnyTime;
    for (Plan.Kind kind : List.of(Plan.Kind.SHARED, Plan.Kind.SHARED_BARE)) {
      Mark mark = new Mark(IDS.incrementAndGet(), kind, round);
      thrown.add(mark);
      shared.put(kind, Bomb.of(mark));
    }
  }

  // ---- what bodies tell

  void begins(Frame task) {
    bodies.increment();
    told.increment();
    task.begin();
    if (task.refused) {
      violation("a body ran in what was cancelled before: " + task.path());
    }
    Frame owner = task.parent;
    if (owner != null && owner.isClosed()) {
      violation("a body began after its owner was closed: " + task.path());
    }
  }

  /** Changes as long as something happens. */
  long told() {
    return told.sum();
  }

  /** The owner's close, or the call that was one, has returned. */
  void closed(Frame owner) {
    int running = owner.close();
    if (running != 0) {
      violation("returned while " + running + " bodies beneath ran: " + owner.path());
    }
  }

  /** Something to throw. */
  Throwable thrown(Plan.Kind kind, Frame where) {
    if (kind == Plan.Kind.OVERFLOW) {
      return overflow(where);
    }
    Throwable known = shared.get(kind);
    if (known != null) {
      requireNonNull(markOf(known)).thrown = 1;
      return known;
    }
    Mark mark = new Mark(IDS.incrementAndGet(), kind, where);
    mark.thrown = 1;
    thrown.add(mark);
    return Bomb.of(mark);
  }

  private Throwable overflow(Frame where) {
    try {
      return new AssertionError(recurse(1));
    } catch (StackOverflowError e) {
      Mark mark = new Mark(IDS.incrementAndGet(), Plan.Kind.OVERFLOW, where);
      mark.thrown = 1;
      foreign.put(e, mark);
      thrown.add(mark);
      return e;
    }
  }

  @SuppressWarnings("InfiniteRecursion") // that is what it is for
  private static int recurse(int level) {
    return recurse(level + 1) + level;
  }

  /** A failure leaves a task, whose owner hears of it next. */
  void leaves(Throwable failure, Frame task) {
    told.increment();
    if (task.parent != null) {
      task.parent.failed();
    }
    long carrier = Task.current().map(Task::id).orElse(0L);
    walk(
        failure,
        (mark, _) -> {
          mark.carrier = carrier;
          mark.shared |= task.shared;
        });
  }

  /** Somebody has got a failure out of a task or a call, and may pass it on. */
  void read(Throwable failure, Frame owner) {
    if (!owner.isClosing() && !reportsAtAnyTime) {
      walk(failure, (mark, _) -> mark.read = mark.carrier);
    }
  }

  /** Others may get this exception, too, with all that a call has suppressed in it. */
  void lent(Throwable failure) {
    walk(failure, (mark, _) -> mark.shared = true);
  }

  /** Somebody has got a failure and passes it to nobody. */
  void taken(Throwable failure) {
    told.increment();
    refuseStrange(failure);
    walk(failure, (mark, top) -> mark.arrive(top ? Way.AWAITED : Way.SUPPRESSED));
  }

  /** The same, but for what comes again in another exception. */
  void takenBefore(Throwable failure, Throwable other) {
    Set<Mark> again = new HashSet<>();
    walk(
        other,
        (mark, _) -> {
          again.add(mark);
          // What the first exception did not take was reported then, and may come again all the
          // same.
          mark.shared = true;
        });
    walk(
        failure,
        (mark, top) -> {
          if (!again.contains(mark)) {
            mark.arrive(top ? Way.AWAITED : Way.SUPPRESSED);
          }
        });
  }

  void tolerated(Throwable failure) {
    walk(failure, (mark, _) -> mark.arrive(Way.TOLERATED));
  }

  /** The exception handler's. */
  void reported(ExceptionContext context) {
    told.increment();
    Throwable failure = context.exception();
    if (failure == null) {
      return;
    }
    refuseStrange(failure);
    Task<?, ?> task = context.future();
    long id = task == null ? 0 : task.id();
    boolean supervised = context.message().startsWith("Supervised");
    walk(
        failure,
        (mark, top) -> {
          int times = mark.arrive(top ? Way.REPORTED : Way.SUPPRESSED);
          if (top && mark.isSingle()) {
            // Two calls may be given one task whose failure neither can take along; and a verb or a
            // supervisor may come too late for orphanAfter, whose report may be queued behind.
            mark.supervised |= supervised;
            boolean excused =
                ((mark.shared || reportsAtAnyTime) && (mark.reported != id || id == 0))
                    || (mark.supervised && reportsAtAnyTime);
            if (times > 1 && !excused) {
              violation("reported " + times + " times, \"" + context.message() + "\": " + mark);
            } else if (mark.read == id && id != 0 && !supervised) {
              violation(
                  "reported although it was read before, \"" + context.message() + "\": " + mark);
            }
            mark.reported = id;
          }
        });
  }

  void violation(String what) {
    violations.add(what);
  }

  // ---- what an exception says

  private interface Visitor {
    void visit(Mark mark, boolean top);
  }

  private @Nullable Mark markOf(Throwable exception) {
    if (exception instanceof Bomb bomb) {
      return bomb.mark();
    }
    return exception instanceof StackOverflowError ? foreign.get(exception) : null;
  }

  /** All failures that whoever has got this exception has got, as the documents say. */
  @SuppressWarnings("ReferenceEquality") // the exception itself
  private void walk(Throwable root, Visitor visitor) {
    Mark own = markOf(root);
    if (own != null && root.getSuppressed().length == 0) {
      visitor.visit(own, true);
      return;
    }
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    var open = new ArrayDeque<Throwable>();
    open.add(root);
    for (Throwable each; (each = open.poll()) != null; ) {
      if (!seen.add(each)) {
        continue;
      }
      Mark mark = markOf(each);
      if (mark != null) {
        visitor.visit(mark, each == root);
      }
      Collections.addAll(open, each.getSuppressed());
      if (each instanceof ExceptionGroup group) {
        open.addAll(group.exceptions());
      } else if (each instanceof TaskCancelledException cancelled) {
        open.addAll(cancelled.failures());
        if (cancelled.getCause() instanceof TaskCancelledException before) {
          open.add(before);
        }
      }
    }
  }

  /** Nothing but what was thrown here, and what the documents promise, may come out. */
  private void refuseStrange(Throwable failure) {
    boolean known =
        markOf(failure) != null
            || failure instanceof InterruptedException
            || failure instanceof TaskCancelledException
            || failure instanceof TimeoutException
            || failure instanceof ExceptionGroup
            || failure instanceof RestartLimitException
            || failure instanceof RejectedExecutionException
            || failure instanceof Closed;
    if (!known) {
      var text = new StringBuilder("nobody has thrown this: " + failure);
      for (StackTraceElement frame : failure.getStackTrace()) {
        text.append("\n        at ").append(frame);
      }
      violation(text.toString());
    }
  }

  /** That something was refused because its owner is closed, which a round may come upon. */
  static final class Closed extends Exception {
    Closed(IllegalStateException refusal) {
      super(refusal);
    }
  }

  // ---- the end

  /**
   * What has become of a round.
   *
   * @param bodies how many have begun
   * @param arrived the failures by how they arrived
   * @param violations of the promises, with the trees concerned
   */
  record Account(
      long bodies,
      long thrown,
      Map<Way, Long> arrived,
      List<String> violations,
      Set<Integer> trees) {}

  /** Settles the account, when everything has ended. */
  Account settle() {
    Map<Way, Long> arrived = new EnumMap<>(Way.class);
    var all = new ArrayList<String>(violations);
    Set<Integer> trees = Collections.newSetFromMap(new TreeMap<>());
    long count = 0;
    for (Mark mark : thrown) {
      if (mark.thrown == 0) {
        continue;
      }
      count++;
      Way way = mark.counted();
      if (way != null) {
        arrived.merge(way, 1L, Long::sum);
      }
      boolean reportedToo = way == Way.REPORTED && mark.ways().size() > 1;
      if (way == null) {
        all.add("lost: " + mark);
      } else if (reportedToo && mark.isSingle() && isOwn(mark)) {
        all.add("reported, and arrived otherwise: " + mark);
      } else {
        continue;
      }
      trees.add(mark.where.tree);
    }
    return new Account(bodies.sum(), count, arrived, all, trees);
  }

  private boolean isOwn(Mark mark) {
    return !mark.shared && !reportsAtAnyTime;
  }
}
