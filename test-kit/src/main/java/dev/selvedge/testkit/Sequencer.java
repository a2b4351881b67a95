package dev.selvedge.testkit;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.Task;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Forces an order of steps across tasks: whoever comes to a step waits until those before it have
 * been taken. Steps have the numbers from 1 on, or names.
 *
 * {@snippet file="dev/selvedge/testkit/SamplesTest.java" region="sequencer"}
 *
 * <p><b>Failure:</b> nobody waits for ever. Whose turn does not come within ten seconds, or the
 * limit that was given, gets an {@link AssertionError} that says which step is missing and who
 * waits for what. The time is the system's, also in a loop with another clock.
 *
 * <p><b>Cancellation:</b> interrupts who waits; the step is then not taken and may be taken by
 * another.
 *
 * @since 0.1.0
 */
public final class Sequencer {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Of a sequence without names. */
  private static final int ENDLESS = Integer.MAX_VALUE;

  private final List<String> names;
  private final Duration limit;

  // Guarded by this.
  private int taken;
  private final Map<Integer, String> claimed = new TreeMap<>();

  /** A sequence of steps that have numbers; each waits ten seconds at most. */
  public Sequencer() {
    this(PATIENCE);
  }

  /**
   * A sequence of steps that have numbers.
   *
   * @param limit how long each waits at most; zero or more
   * @throws IllegalArgumentException if it is negative
   */
  public Sequencer(Duration limit) {
    this(List.of(), limit);
    if (limit.isNegative()) {
      throw new IllegalArgumentException("limit is negative: " + limit);
    }
  }

  private Sequencer(List<String> names, Duration limit) {
    this.names = names;
    this.limit = requireNonNull(limit, "limit");
  }

  /**
   * A sequence of steps that have names.
   *
   * @param names in the order that is forced; all different
   * @return the sequence; each step waits ten seconds at most
   * @throws IllegalArgumentException if there is none, or two are the same
   */
  public static Sequencer of(String... names) {
    requireNonNull(names, "names");
    for (int i = 0; i < names.length; i++) {
      requireNonNull(names[i], "names[" + i + "]");
    }
    List<String> steps = List.of(names);
    if (steps.isEmpty() || Set.copyOf(steps).size() < steps.size()) {
      throw new IllegalArgumentException("steps need names, each its own: " + steps);
    }
    return new Sequencer(steps, PATIENCE);
  }

  /**
   * Takes a step when those before it have been taken.
   *
   * @param number its number, the first being 1
   * @throws AssertionError if its turn does not come
   * @throws IllegalStateException if it was taken, or somebody waits to take it
   * @throws InterruptedException if the caller is interrupted before
   */
  public void step(int number) throws InterruptedException {
    begin(number);
    end(number);
  }

  /**
   * Takes a step that has a name when those before it have been taken.
   *
   * @param name one of those given to {@link #of}
   * @throws AssertionError if its turn does not come
   * @throws InterruptedException if the caller is interrupted before
   * @see #step(int)
   */
  public void step(String name) throws InterruptedException {
    step(number(name));
  }

  /**
   * Takes a step that is over when an action has returned or thrown; only then the next begins.
   *
   * @param <X> the checked exception of the action
   * @param number its number
   * @param action what to do when its turn has come
   * @throws X what the action throws
   * @throws AssertionError if its turn does not come
   * @throws InterruptedException if the caller is interrupted before, or the action throws it
   */
  public <X extends Exception> void step(int number, Action<? extends X> action)
      throws X, InterruptedException {
    requireNonNull(action, "action");
    begin(number);
    try {
      action.run();
    } finally {
      end(number);
    }
  }

  /**
   * Takes a step that has a name and is over when an action has returned or thrown.
   *
   * @param <X> the checked exception of the action
   * @param name one of those given to {@link #of}
   * @param action what to do when its turn has come
   * @throws X what the action throws
   * @throws AssertionError if its turn does not come
   * @throws InterruptedException if the caller is interrupted before, or the action throws it
   * @see #step(int, Action)
   */
  public <X extends Exception> void step(String name, Action<? extends X> action)
      throws X, InterruptedException {
    this.<X>step(number(name), action);
  }

  /**
   * Waits until a step has been taken, and takes none.
   *
   * @param number its number
   * @throws AssertionError if that does not happen
   * @throws InterruptedException if the caller is interrupted before
   */
  public synchronized void await(int number) throws InterruptedException {
    awaitTaken(check(number), "for the end of " + label(number));
  }

  /**
   * Waits until a step that has a name has been taken, and takes none.
   *
   * @param name one of those given to {@link #of}
   * @throws AssertionError if that does not happen
   * @throws InterruptedException if the caller is interrupted before
   */
  public void await(String name) throws InterruptedException {
    await(number(name));
  }

  /**
   * How many steps have been taken.
   *
   * @return the number of the last one; zero before the first
   */
  public synchronized int taken() {
    return taken;
  }

  private synchronized void begin(int number) throws InterruptedException {
    check(number);
    if (number <= taken || claimed.containsKey(number)) {
      throw new IllegalStateException(
          label(number)
              + " is taken already, by "
              + claimed.getOrDefault(number, "somebody")
              + ": each step is taken once");
    }
    claimed.put(number, caller());
    boolean turn = false;
    try {
      awaitTaken(number - 1, "for its turn at " + label(number));
      turn = true;
    } finally {
      if (!turn) {
        claimed.remove(number);
      }
    }
  }

  private synchronized void end(int number) {
    taken = number;
    notifyAll();
  }

  private void awaitTaken(int number, String why) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("interrupted before it waited " + why);
    }
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(limit);
    while (taken < number) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        throw new AssertionError(
            caller()
                + " waited "
                + limit
                + " "
                + why
                + ", but nobody has taken "
                + label(taken + 1)
                + ". Taken: "
                + (taken == 0 ? "none" : "up to " + label(taken))
                + describeWaiting());
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  private String describeWaiting() {
    var text = new StringBuilder();
    claimed.forEach((number, who) -> {
      if (number > taken + 1) {
        text.append(". ").append(who).append(" waits for ").append(label(number));
      } else if (number > taken) {
        text.append(". ").append(who).append(" is in ").append(label(number));
      }
    });
    return text.toString();
  }

  private int check(int number) {
    if (number < 1 || number > (names.isEmpty() ? ENDLESS : names.size())) {
      throw new IllegalArgumentException(
          "there is no step "
              + number
              + ": steps are numbered from 1"
              + (names.isEmpty() ? "" : " to " + names.size()));
    }
    return number;
  }

  private int number(String name) {
    int index = names.indexOf(requireNonNull(name, "name"));
    if (index < 0) {
      throw new IllegalArgumentException(
          "there is no step \"" + name + "\": " + (names.isEmpty() ? "they have numbers" : names));
    }
    return index + 1;
  }

  private String label(int number) {
    return names.isEmpty() ? "step " + number : "step \"" + names.get(number - 1) + "\"";
  }

  private static String caller() {
    return Task.current().<String>map(Task::name).orElseGet(() -> Thread.currentThread().getName());
  }

  @Override
  public synchronized String toString() {
    return "Sequencer[" + taken + " taken" + (names.isEmpty() ? "" : " of " + names) + "]";
  }
}
