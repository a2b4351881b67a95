package dev.selvedge.stress.soak;

import dev.selvedge.Admission;
import dev.selvedge.Body;
import dev.selvedge.ContextCarrier;
import dev.selvedge.Loop;
import dev.selvedge.LoopListener;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.stress.soak.Ledger.Account;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** One loop, from its making to its close, with many trees at a time. */
final class Round {
  private static final int TREES = 400;
  private static final ScopedValue<Integer> NUMBER = ScopedValue.newInstance();

  /** How the trees are started. */
  private enum Way {
    /** By a plain thread that awaits each of them. */
    FROM_OUTSIDE,
    /** By the main of a run. */
    FROM_MAIN,
    /** In the plain thread itself, one after another. */
    AS_GUEST,
    /** By a plain thread that closes the loop while they go on. */
    ABRUPT
  }

  private final int number;
  private final Way way;
  private final boolean debug;
  private final boolean listens;
  private final boolean carries;
  private final boolean inherits;
  private final boolean ownThreads;
  private final boolean warns;
  private final boolean reportsEarly;
  private final int limit;
  private final int abruptAfter;
  private final List<Plan> trees = new ArrayList<>();
  private final Frame frame = Frame.loop(null, Frame.EVERYTHING);
  private final Ledger ledger;
  private final Interpreter interpreter;
  private final LongAdder started = new LongAdder();
  private final LongAdder finished = new LongAdder();
  private volatile @Nullable Loop loop;

  Round(long seed, int number) {
    this.number = number;
    // Not the next ones of one sequence: each round can be made alone.
    var random = new SplittableRandom(seed + number * 0x9E3779B97F4A7C15L).split();
    way = Way.values()[random.nextInt(Way.values().length)];
    debug = random.nextInt(8) == 0;
    listens = random.nextInt(4) == 0;
    carries = random.nextInt(6) == 0;
    inherits = random.nextInt(6) == 0;
    ownThreads = random.nextInt(10) == 0;
    warns = random.nextInt(10) == 0;
    reportsEarly = random.nextInt(10) == 0;
    limit = random.nextInt(6) == 0 ? random.nextInt(1, 9) : 0;
    abruptAfter = random.nextInt(1, 8000);
    var planner = new Planner(random, limit == 0);
    // A guest runs them one after another.
    int count = way == Way.AS_GUEST ? TREES / 16 : TREES;
    for (int i = 0; i < count; i++) {
      trees.add(planner.tree());
    }
    ledger = new Ledger(frame, reportsEarly);
    interpreter = new Interpreter(ledger, this::settings);
  }

  // ---- the loop

  private Loop.Builder settings(Loop.Builder builder) {
    builder
        .handleSignals(false)
        .debug(debug)
        .exceptionHandler((_, context) -> ledger.reported(context));
    if (listens) {
      builder.listener(
          new LoopListener() {
            @Override
            public void started(Task<?, ?> task) {
              started.increment();
            }

            @Override
            public void finished(Task<?, ?> task, @Nullable Throwable exception) {
              finished.increment();
            }
          });
    }
    if (carries) {
      builder.carry(
          new ContextCarrier() {
            @Override
            public <T extends @Nullable Object, X extends Exception> Body<T, X> carry(
                Body<T, X> body) {
              return () -> body.call();
            }
          });
    }
    if (inherits) {
      builder.inherit(NUMBER);
    }
    if (ownThreads) {
      builder.threadFactory(Thread.ofVirtual().factory());
    }
    if (warns) {
      builder.stragglerWarning(Duration.ofMillis(1));
    }
    if (reportsEarly) {
      builder.orphanAfter(Duration.ofMillis(1));
    }
    return builder;
  }

  private @Nullable Admission admission() {
    return switch (limit) {
      case 0 -> null;
      case 1, 2, 3 -> Admission.block(limit * 4);
      case 4, 5, 6 -> Admission.queue(limit, 100_000);
      default -> Admission.reject(limit * 10);
    };
  }

  // ---- running

  Account run() throws Exception {
    ScopedValue.where(NUMBER, number).call(this::runBound);
    for (Task<Integer, Exception> ignored : interpreter.board.ignored()) {
      switch (ignored.outcome()) {
        case Outcome.Success<Integer> _ -> {}
        case Outcome.Failure<Integer>(Throwable failure) -> ledger.tolerated(failure);
        case Outcome.Cancelled<Integer>(var cancelled) -> ledger.tolerated(cancelled);
      }
    }
    if (started.sum() != finished.sum()) {
      ledger.violation("started " + started + " tasks and finished " + finished);
    }
    return ledger.settle();
  }

  private boolean runBound() throws InterruptedException {
    Loop.Builder builder = settings(Loop.builder().name("round-" + number));
    Admission admission = admission();
    Loop made = (admission == null ? builder : builder.admission(admission)).build();
    loop = made;
    try {
      switch (way) {
        case FROM_OUTSIDE -> awaitAll(startAll(made));
        case FROM_MAIN ->
            made.<Integer, InterruptedException>runUntilComplete(() -> {
              awaitAll(startAll(made));
              return 1;
            });
        case AS_GUEST -> beGuest(made);
        case ABRUPT -> {
          startAll(made);
          Thread.sleep(Interpreter.micros(abruptAfter));
        }
      }
    } finally {
      frame.closing();
      made.close();
      ledger.closed(frame);
    }
    if (!made.allTasks().isEmpty()) {
      ledger.violation("tasks of a closed loop: " + made.allTasks());
    }
    return true;
  }

  private List<Task<Integer, Exception>> startAll(Loop loop) {
    var tasks = new ArrayList<Task<Integer, Exception>>();
    for (int i = 0; i < trees.size(); i++) {
      try {
        tasks.add(loop.createTask(interpreter.body(trees.get(i), frame.root(i, "tree " + i))));
      } catch (RejectedExecutionException full) {
        ledger.taken(full);
      }
    }
    return tasks;
  }

  private void awaitAll(List<Task<Integer, Exception>> tasks) throws InterruptedException {
    for (Task<Integer, Exception> task : tasks) {
      try {
        task.await();
      } catch (InterruptedException e) {
        throw e;
      } catch (Throwable t) {
        ledger.read(t, frame);
        ledger.taken(t);
      }
    }
  }

  private void beGuest(Loop loop) throws InterruptedException {
    for (int i = 0; i < trees.size(); i++) {
      Plan tree = trees.get(i);
      Frame root = frame.root(i, "tree " + i);
      try {
        loop.<Integer, Exception>asCurrent(() -> interpreter.run(tree, root));
      } catch (Throwable t) {
        ledger.taken(t);
      }
      interpreter.requireNoLeak(root, "a tree in a plain thread");
    }
  }

  // ---- for whoever watches

  int number() {
    return number;
  }

  /** Changes as long as the round makes progress. */
  long progress() {
    return ledger.told();
  }

  String snapshot() {
    Loop made = loop;
    return made == null ? "no loop" : made.snapshot().toString();
  }

  Plan tree(int index) {
    return trees.get(index);
  }

  @Override
  public String toString() {
    return "round "
        + number
        + " ("
        + way
        + (debug ? ", debug" : "")
        + (listens ? ", listener" : "")
        + (carries ? ", carrier" : "")
        + (inherits ? ", scoped value" : "")
        + (ownThreads ? ", threads of a factory" : "")
        + (warns ? ", warnings" : "")
        + (reportsEarly ? ", orphanAfter" : "")
        + (limit == 0 ? "" : ", " + admission())
        + ")";
  }
}
