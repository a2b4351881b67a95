package dev.selvedge.spring;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskTree;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

/**
 * What is running, and one task of it with its stack. A task can be cancelled where {@code
 * management.endpoint.tasks.access} is {@code unrestricted}; it is {@code read-only} if not set.
 *
 * @since 0.1.0
 */
@Endpoint(id = "tasks", defaultAccess = Access.READ_ONLY)
public final class TasksEndpoint {
  private static final int MOST_NODES = 1_000;
  private static final int LONGEST_STACK = 100;

  /**
   * What is running.
   *
   * @param loops the loops of the application
   * @param counts of the tasks of all of them since the application started
   * @since 0.1.0
   */
  public record Tasks(List<LoopTasks> loops, Counts counts) implements OperationResponseBody {}

  /**
   * How many tasks there were.
   *
   * @param started how many were started
   * @param succeeded how many ended with a value
   * @param failed how many with a failure
   * @param cancelled how many as cancelled
   * @param orphaned how many failures nobody has read
   * @since 0.1.0
   */
  public record Counts(long started, long succeeded, long failed, long cancelled, long orphaned) {}

  /**
   * What is running in a loop.
   *
   * @param name of the loop
   * @param nodes its tree, parents before their children; the first 1000
   * @param left how many nodes are left out
   * @since 0.1.0
   */
  public record LoopTasks(String name, List<Node> nodes, int left) {}

  /**
   * A loop, a scope or a task.
   *
   * @param depth how far below the loop
   * @param kind which of them
   * @param id of the task; loops and scopes have numbers of the same sequence
   * @param name its name
   * @param state see {@link TaskTree.Node#state}
   * @param ageMillis how long ago it was created
   * @param awaits the ids of what it waits for
   * @param cancelRequests how many are outstanding
   * @param folded for how many siblings that look the same it stands besides itself
   * @param details anything else, by name
   * @since 0.1.0
   */
  public record Node(
      int depth,
      TaskTree.Kind kind,
      long id,
      String name,
      String state,
      long ageMillis,
      List<Long> awaits,
      int cancelRequests,
      int folded,
      Map<String, String> details) {}

  /**
   * A task.
   *
   * @param id its id
   * @param name its name
   * @param owner what owns it
   * @param state its state
   * @param cancelRequests how many are outstanding
   * @param cancelReason why it was asked to cancel
   * @param stack where it is; its first 100 frames
   * @since 0.1.0
   */
  public record OneTask(
      long id,
      String name,
      String owner,
      String state,
      int cancelRequests,
      @Nullable String cancelReason,
      List<String> stack)
      implements OperationResponseBody {}

  /**
   * What became of a request to cancel.
   *
   * @param id of the task
   * @param cancelled whether the request was accepted; false if the task has ended meanwhile
   * @since 0.1.0
   */
  public record Cancelled(long id, boolean cancelled) implements OperationResponseBody {}

  private final Supplier<List<Loop>> loops;
  private final TaskCounts counts;

  TasksEndpoint(Supplier<List<Loop>> loops, TaskCounts counts) {
    this.loops = loops;
    this.counts = counts;
  }

  /**
   * The live tree.
   *
   * @return the tree of each loop
   */
  @ReadOperation
  public Tasks tasks() {
    return new Tasks(loops.get().stream().map(TasksEndpoint::describe).toList(), counts.now());
  }

  /** A node that has not been described yet. */
  private record Left(TaskTree.Node node, int depth) {}

  private static LoopTasks describe(Loop loop) {
    var left = new ArrayDeque<Left>();
    loop.snapshot().roots().reversed().forEach(root -> left.push(new Left(root, 0)));
    var nodes = new ArrayList<Node>();
    int more = 0;
    for (Left next; (next = left.poll()) != null; ) {
      int below = next.depth + 1;
      next.node.children().reversed().forEach(child -> left.push(new Left(child, below)));
      if (nodes.size() < MOST_NODES) {
        nodes.add(describe(next.node, next.depth));
      } else {
        more++;
      }
    }
    return new LoopTasks(Texts.cut(loop.name()), nodes, more);
  }

  private static Node describe(TaskTree.Node node, int depth) {
    var details = new TreeMap<String, String>();
    node.details().forEach((key, value) -> details.put(Texts.cut(key), Texts.cut(value)));
    return new Node(
        depth,
        node.kind(),
        node.id(),
        Texts.cut(node.name()),
        node.state(),
        node.age().toMillis(),
        node.awaits(),
        node.cancelRequests(),
        node.folded(),
        details);
  }

  /**
   * One task with its stack.
   *
   * @param id its id
   * @return the task; null if none has this id, it has ended, or it belongs to a loop that runs
   *     inside of another's task
   */
  @ReadOperation
  public @Nullable OneTask task(@Selector String id) {
    Task<?, ?> task = find(id);
    if (task == null) {
      return null;
    }
    return new OneTask(
        task.id(),
        Texts.cut(task.name()),
        Texts.cut(task.ownerName()),
        task.isDone() ? "finished" : task.cancelRequests() > 0 ? "cancelling" : "pending",
        task.cancelRequests(),
        task.cancelReason().map(reason -> Texts.cut(reason.toString())).orElse(null),
        task.stackTrace().stream()
            .limit(LONGEST_STACK)
            .map(frame -> Texts.cut(frame.toString()))
            .toList());
  }

  /**
   * Cancels a task.
   *
   * @param id its id
   * @param message why, for whoever looks at the reason
   * @return what became of it; null if none has this id, it has ended, or it belongs to a loop that
   *     runs inside of another's task
   */
  @WriteOperation
  public @Nullable Cancelled cancel(@Selector String id, @Nullable String message) {
    Task<?, ?> task = find(id);
    if (task == null) {
      return null;
    }
    String why = message == null || message.isBlank() ? "cancelled by an operator" : message;
    return new Cancelled(task.id(), task.cancel(Texts.cut(why)));
  }

  private @Nullable Task<?, ?> find(String id) {
    for (Loop loop : loops.get()) {
      for (Task<?, ?> task : loop.allTasks()) {
        if (Long.toString(task.id()).equals(id)) {
          return task;
        }
      }
    }
    return null;
  }
}
