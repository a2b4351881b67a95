package dev.selvedge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * One round of a race whose sides are moved against each other at core's {@link Points}.
 *
 * <p>A side is a thread with the name of that side: of a task which was given it, or one that the
 * round {@linkplain #start starts}. The schedule is a list of turns. In a turn one side passes so
 * many points, and the others are held at theirs; a side that is blocked, has ended, or does not
 * come gives its turn away. After the last turn all run free.
 *
 * <p>A number stands for a schedule. The first of them go through all positions: one side passes n
 * points, another one m, then the first goes to its end, and the other. Any other number is the
 * seed of random turns. A round that fails tells its number, and {@code -Dselvedge.seed=NUMBER}
 * plays that round alone, some times.
 */
final class Sweep implements Points.Hook {
  /** What is played in each round: the sides, and what must be true of them. */
  @FunctionalInterface
  interface Round {
    void play(Sweep sweep) throws Exception;
  }

  private record Turn(String side, int points) {
    @Override
    public String toString() {
      return side + (points == ALL ? " all" : " " + points);
    }
  }

  private static final int ALL = Integer.MAX_VALUE;

  /** As many points of a side are tried as places to hold it. */
  private static final int POSITIONS = 10;

  /** Of these so many in the usual run, and all with more effort. */
  private static final int USUAL_POSITIONS = Threads.EFFORT > 1 ? POSITIONS : 7;

  private static final int RANDOM_ROUNDS = Threads.times(Threads.PLATFORM ? 50 : 100);
  private static final int REPLAYS = 200;
  private static final long REPLAYED = Long.getLong("selvedge.seed", -1);

  /** A side that has not come to its first point by then will not soon. */
  private static final long ABSENT_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** A side that runs that long without coming to a point is waiting in a way of its own. */
  private static final long BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private static final long HANGS_SECONDS = 20;

  private final long number;
  private final List<String> sides;
  private final List<Turn> turns;
  private final Map<String, Thread> threads = new ConcurrentHashMap<>();

  // Guarded by this.
  private final List<String> trace = new ArrayList<>();
  private int current;
  private int passed;
  private long since = System.nanoTime();

  private Sweep(long number, List<String> sides) {
    this.number = number;
    this.sides = sides;
    this.turns = turns(number, sides);
  }

  /** Plays all positions and then random rounds, or the one that is asked for. */
  static void play(List<String> sides, Round round) throws Exception {
    if (!Points.ON) {
      throw new AssertionError("core was loaded without -Dselvedge.points=true");
    }
    var random = new Random();
    int systematic = pairs(sides).size() * POSITIONS * POSITIONS;
    int rounds = REPLAYED >= 0 ? REPLAYS : systematic + RANDOM_ROUNDS;
    for (int i = 0; i < rounds; i++) {
      if (REPLAYED < 0 && i < systematic && !isUsual(i)) {
        continue;
      }
      long fresh = i < systematic ? i : systematic + (random.nextLong() >>> 24);
      new Sweep(REPLAYED >= 0 ? REPLAYED : fresh, sides).play(round);
    }
  }

  private static boolean isUsual(int number) {
    int n = number / POSITIONS % POSITIONS;
    return n < USUAL_POSITIONS && number % POSITIONS < USUAL_POSITIONS;
  }

  /** In a thread of its own, so that a round which hangs can be told. */
  private void play(Round round) throws InterruptedException {
    Points.hook = this;
    var played =
        new FutureTask<>(() -> {
          round.play(this);
          return null;
        });
    Thread.ofPlatform().daemon().name("round").start(played);
    try {
      played.get(HANGS_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError(toString(), e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("it hangs: " + this, e);
    } finally {
      Points.hook = null;
    }
  }

  /** Starts a side; what it throws is thrown by its {@code get}. */
  <T> FutureTask<T> start(String side, Callable<T> action) {
    var started =
        new FutureTask<>(() -> {
          Points.reach("begin");
          return action.call();
        });
    (Threads.PLATFORM ? Thread.ofPlatform().daemon() : Thread.ofVirtual())
        .name(side)
        .start(started);
    return started;
  }

  /** The number of the round, for variants of what is played. */
  long number() {
    return number;
  }

  /** Whether a side passed one point before another passed the other. */
  synchronized boolean hasPassed(String first, String then) {
    int at = trace.indexOf(first);
    return at >= 0 && at < trace.indexOf(then);
  }

  // ---- the schedule

  private static List<List<String>> pairs(List<String> sides) {
    var pairs = new ArrayList<List<String>>();
    for (String first : sides) {
      for (String second : sides) {
        if (!first.equals(second)) {
          pairs.add(List.of(first, second));
        }
      }
    }
    return pairs;
  }

  private static List<Turn> turns(long number, List<String> sides) {
    List<List<String>> pairs = pairs(sides);
    int positions = POSITIONS * POSITIONS;
    if (number < (long) pairs.size() * positions) {
      List<String> pair = pairs.get((int) number / positions);
      int n = (int) number % positions / POSITIONS;
      int m = (int) number % POSITIONS;
      return List.of(
          new Turn(pair.get(0), n),
          new Turn(pair.get(1), m),
          new Turn(pair.get(0), ALL),
          new Turn(pair.get(1), ALL));
    }
    var random = new Random(number);
    var turns = new ArrayList<Turn>();
    for (int i = 3 + random.nextInt(8); i > 0; i--) {
      turns.add(new Turn(sides.get(random.nextInt(sides.size())), random.nextInt(5)));
    }
    return turns;
  }

  @Override
  public void reached(String point) {
    Thread thread = Thread.currentThread();
    String side = thread.getName();
    if (!sides.contains(side)) {
      return;
    }
    threads.put(side, thread);
    while (!mayPass(side, point)) {
      Thread.yield();
    }
  }

  private synchronized boolean mayPass(String side, String point) {
    while (current < turns.size()) {
      Turn turn = turns.get(current);
      boolean ours = turn.side.equals(side);
      if (ours && passed < turn.points) {
        passed++;
        since = System.nanoTime();
        trace.add(side + " " + point);
        return true;
      }
      if (!ours && !givesAway(turn.side)) {
        return false;
      }
      current++;
      passed = 0;
      since = System.nanoTime();
    }
    trace.add(side + " " + point);
    return true;
  }

  private boolean givesAway(String side) {
    Thread thread = threads.get(side);
    long waited = System.nanoTime() - since;
    if (thread == null) {
      return waited > ABSENT_NANOS;
    }
    return switch (thread.getState()) {
      case BLOCKED, WAITING, TIMED_WAITING, TERMINATED -> true;
      case NEW, RUNNABLE -> waited > BUSY_NANOS;
    };
  }

  @Override
  public synchronized String toString() {
    return "-Dselvedge.seed="
        + number
        + " plays it again: "
        + turns.stream().map(Turn::toString).collect(Collectors.joining(", "))
        + "; the points passed were "
        + trace;
  }
}
