package dev.selvedge;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What is running, by ownership, at about one moment: {@code asyncio.print_call_graph} and {@code
 * python -m asyncio pstree}. Taking it stops nobody, so parts of it may be some microseconds apart.
 *
 * {@snippet file="dev/selvedge/SamplesTest.java" region="snapshot"}
 *
 * <p>{@link #toString} draws it, a line per node. Siblings that look the same are one line.
 *
 * @param roots the loop, and the scopes that threads outside of tasks opened while it was their
 *     current loop
 * @since 0.1.0
 */
public record TaskTree(List<Node> roots) {
  /** Makes the list unmodifiable. */
  public TaskTree {
    roots = List.copyOf(roots);
  }

  /** What a node stands for. */
  public enum Kind {
    /** A loop. One that runs inside of a task is a child of that task. */
    LOOP,
    /** An open scope. It is a child of the task that opened it. */
    SCOPE,
    /** A task whose thread has not come to its end. */
    TASK
  }

  /**
   * A loop, a scope or a task.
   *
   * @param kind which of them
   * @param id the id of the task; loops and scopes have a number from the same sequence
   * @param name the name of the loop, the scope or the task; {@code TaskScope} if a scope was given
   *     none
   * @param state of a task {@code pending}, {@code cancelling}, {@code finished} or {@code
   *     cancelled} (the last two while its callbacks run); of a loop or a scope {@code open},
   *     {@code running}, {@code cancelling} or {@code closed}
   * @param age how long ago it was created, to the millisecond
   * @param awaits the ids of what it waits for: a task, or a scope that it joins or closes
   * @param cancelRequests how many are outstanding
   * @param folded how many siblings that look the same, with their descendants, this node stands
   *     for besides itself
   * @param children what it owns, in the order of creation
   * @param details as far as there are any: {@code thread} (its number, as in a thread dump, and
   *     its state), {@code reason} of a cancellation, in debug mode {@code created}, {@code limit},
   *     {@code active}, {@code queued} and {@code rejected} of an {@link Admission}, {@code queued}
   *     of a task that waits for a place, and what was given to {@link TaskScope#details}
   */
  public record Node(
      Kind kind,
      long id,
      String name,
      String state,
      Duration age,
      List<Long> awaits,
      int cancelRequests,
      int folded,
      List<Node> children,
      Map<String, String> details) {
    /** Checks the components and makes the collections unmodifiable. */
    public Node {
      requireNonNull(kind, "kind");
      requireNonNull(name, "name");
      requireNonNull(state, "state");
      requireNonNull(age, "age");
      awaits = List.copyOf(awaits);
      children = List.copyOf(children);
      details = Map.copyOf(details);
    }

    /**
     * A node without details.
     *
     * @param kind which kind
     * @param id the id
     * @param name the name
     * @param state the state
     * @param age how long ago it was created
     * @param awaits the ids of what it waits for
     * @param cancelRequests how many are outstanding
     * @param folded how many siblings it stands for besides itself
     * @param children what it owns
     */
    public Node(
        Kind kind,
        long id,
        String name,
        String state,
        Duration age,
        List<Long> awaits,
        int cancelRequests,
        int folded,
        List<Node> children) {
      this(kind, id, name, state, age, awaits, cancelRequests, folded, children, Map.of());
    }

    @Override
    public String toString() {
      return line(Map.of());
    }

    private String line(Map<Long, String> names) {
      var text = new StringBuilder(kind.name().toLowerCase(Locale.ROOT));
      text.append(' ').append(label(id, name));
      if (folded > 0) {
        text.append(" and ").append(folded).append(" like it");
      }
      text.append(": ").append(state);
      if (cancelRequests > 1) {
        text.append(" (").append(cancelRequests).append(" requests)");
      }
      text.append(", ").append(readable(age)).append(" old");
      for (long awaited : awaits) {
        text.append(", awaits ");
        text.append(label(awaited, names.getOrDefault(awaited, "")));
      }
      new TreeMap<>(details)
          .forEach((key, value) ->
              text.append(", ").append(key).append(' ').append(StackText.escape(value)));
      return text.toString();
    }

    /** A name and an id, or the one that says both. */
    private static String label(long id, String name) {
      if (name.isEmpty()) {
        return "#" + id;
      }
      return StackText.escape(name) + (name.equals("task-" + id) ? "" : " (" + id + ")");
    }

    private static String readable(Duration age) {
      if (age.toSeconds() < 1) {
        return age.toMillis() + " ms";
      }
      if (age.toMinutes() < 1) {
        return age.toSeconds() + "." + age.toMillisPart() / 100 + " s";
      }
      String days = age.toDays() == 0 ? "" : age.toDays() + " d ";
      String hours = age.toHours() == 0 ? "" : age.toHoursPart() + " h ";
      return days + hours + age.toMinutesPart() + " min " + age.toSecondsPart() + " s";
    }
  }

  /** Deeper lines are not indented further, so that the text grows with the number of nodes. */
  private static final int DEEPEST_INDENT = 50;

  private record Drawn(Node node, int depth) {}

  /**
   * Every node, parents before their children: the flat table of the tree.
   *
   * @return a new stream
   */
  public Stream<Node> nodes() {
    return drawn().map(Drawn::node);
  }

  private Stream<Drawn> drawn() {
    var stack = new ArrayDeque<Drawn>();
    roots.reversed().forEach(root -> stack.push(new Drawn(root, 0)));
    return Stream.generate(stack::poll)
        .takeWhile(drawn -> drawn != null)
        .peek(drawn ->
            drawn
                .node
                .children
                .reversed()
                .forEach(child -> stack.push(new Drawn(child, drawn.depth + 1))));
  }

  /**
   * The drawing: a line per node, children indented, with the names of what each awaits.
   *
   * @return the text; each line ends with a line feed
   */
  @Override
  public String toString() {
    var names = new HashMap<Long, String>();
    nodes().forEach(node -> names.put(node.id, node.name));
    var text = new StringBuilder();
    drawn()
        .forEach(drawn ->
            text.append("  ".repeat(Math.min(drawn.depth, DEEPEST_INDENT)))
                .append(drawn.node.line(names))
                .append('\n'));
    return text.toString();
  }
}
