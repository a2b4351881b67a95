package dev.selvedge;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Takes a {@link TaskTree}: goes down level by level and builds the nodes from the last to the
 * first, so that a deep tree costs no stack and a wide one no more than its number of tasks.
 *
 * <p>Siblings are folded by shape. Each shape gets a number, and that of a parent holds the numbers
 * of its children, so that comparing two subtrees costs no more than comparing their roots.
 */
final class Snapshot {
  /** What siblings must have in common to be one node; not their ids, ages and threads. */
  private record Shape(
      TaskTree.Kind kind,
      @Nullable String name,
      String state,
      List<Long> awaits,
      int cancelRequests,
      @Nullable String created,
      List<Integer> children,
      List<Integer> folded) {}

  /** What was found, in the order of levels. */
  private static final class Entry {
    final Object source;
    final List<Entry> children = new ArrayList<>();
    int shape;
    TaskTree.@Nullable Node node;

    Entry(Object source) {
      this.source = source;
    }

    TaskTree.Node node() {
      if (node == null) {
        throw new AssertionError("children are built first");
      }
      return node;
    }
  }

  private final Map<TaskImpl<?, ?>, List<Loop>> loopsInTasks = new HashMap<>();
  private final Map<Shape, Integer> shapes = new HashMap<>();

  private Snapshot() {}

  static TaskTree of(Loop loop) {
    return new Snapshot().take(loop);
  }

  private TaskTree take(Loop loop) {
    for (Loop each : Loop.all()) {
      Run run = each.activeRun();
      if (run != null && run.caller != null) {
        loopsInTasks.computeIfAbsent(run.caller, _ -> new ArrayList<>()).add(each);
      }
    }
    var entries = new ArrayList<Entry>();
    entries.add(new Entry(loop));
    Collection<TaskScope<?>> outside =
        loop == Loop.defaultLoop() ? Strand.foreignScopes() : List.of();
    outside.forEach(scope -> entries.add(new Entry(scope)));
    int roots = entries.size();
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      for (Object child : childrenOf(entry.source)) {
        var found = new Entry(child);
        entry.children.add(found);
        entries.add(found);
      }
    }
    for (Entry entry : entries.reversed()) {
      build(entry);
    }
    return new TaskTree(entries.subList(0, roots).stream().map(Entry::node).toList());
  }

  private List<?> childrenOf(Object source) {
    if (source instanceof Owner owner) {
      var tasks = new ArrayList<TaskImpl<?, ?>>(owner.unendedTasks().reversed());
      if (owner instanceof Loop loop && loop.reports().carrier() instanceof TaskImpl<?, ?> handler) {
        tasks.add(handler);
      }
      return tasks;
    }
    var task = (TaskImpl<?, ?>) source;
    var scopes = new ArrayList<TaskScope<?>>();
    task.addScopes(scopes);
    var children = new ArrayList<Object>(scopes.reversed());
    children.addAll(loopsInTasks.getOrDefault(task, List.of()));
    return children;
  }

  private void build(Entry entry) {
    var first = new LinkedHashMap<Integer, TaskTree.Node>();
    var more = new HashMap<Integer, Integer>();
    for (Entry child : entry.children) {
      if (first.putIfAbsent(child.shape, child.node()) != null) {
        more.merge(child.shape, 1, Integer::sum);
      }
    }
    var children = new ArrayList<TaskTree.Node>();
    var folded = new ArrayList<Integer>();
    first.forEach((shape, node) -> {
      int like = more.getOrDefault(shape, 0);
      folded.add(like);
      children.add(like == 0 ? node : folded(node, like));
    });
    TaskTree.Node node =
        switch (entry.source) {
          case TaskImpl<?, ?> task -> of(task, children);
          case Owner owner -> of(owner, children);
          default -> throw new AssertionError(entry.source);
        };
    String given =
        entry.source instanceof TaskImpl<?, ?> task ? task.givenName() : node.name();
    var shape =
        new Shape(
            node.kind(),
            given,
            node.state(),
            node.awaits(),
            node.cancelRequests(),
            node.details().get("created"),
            List.copyOf(first.keySet()),
            folded);
    entry.shape = shapes.computeIfAbsent(shape, _ -> shapes.size());
    entry.node = node;
  }

  private static TaskTree.Node folded(TaskTree.Node node, int like) {
    return new TaskTree.Node(
        node.kind(),
        node.id(),
        node.name(),
        node.state(),
        node.age(),
        node.awaits(),
        node.cancelRequests(),
        like,
        node.children(),
        node.details());
  }

  private static TaskTree.Node of(TaskImpl<?, ?> task, List<TaskTree.Node> children) {
    var details = new HashMap<String, String>();
    Thread thread = task.thread();
    if (thread != null) {
      details.put("thread", describe(thread));
    }
    task.cancelReason().ifPresent(reason -> details.put("reason", reason.toString()));
    TaskTrace created = task.created();
    if (created != null) {
      details.put("created", "at " + created.where());
    }
    return new TaskTree.Node(
        TaskTree.Kind.TASK,
        task.id(),
        task.name(),
        task.word(),
        task.age(),
        task.awaits(),
        task.cancelRequests(),
        0,
        children,
        details);
  }

  private static TaskTree.Node of(Owner owner, List<TaskTree.Node> children) {
    var details = new HashMap<String, String>();
    CancelReason reason = owner.cancelled();
    if (reason != null) {
      details.put("reason", reason.toString());
    }
    if (owner instanceof TaskScope<?> scope && scope.ownerTask() == null) {
      details.put("thread", describe(scope.ownerThread()));
    }
    boolean running = owner instanceof Loop loop && loop.isRunning();
    return new TaskTree.Node(
        owner instanceof Loop ? TaskTree.Kind.LOOP : TaskTree.Kind.SCOPE,
        owner.id(),
        owner.name(),
        reason != null ? "cancelling" : running ? "running" : "open",
        owner.age(),
        List.of(),
        reason == null ? 0 : 1,
        0,
        children,
        details);
  }

  /** As a thread dump has it. */
  private static String describe(Thread thread) {
    String name = thread.isVirtual() ? "" : thread.getName() + " ";
    return name + "#" + thread.threadId() + " " + thread.getState();
  }
}
