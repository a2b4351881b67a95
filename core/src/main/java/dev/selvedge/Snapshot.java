package dev.selvedge;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Takes a {@link TaskTree}: goes down level by level, folds siblings from the last level to the
 * first, and builds nodes for what is left. A deep tree costs no stack, and a wide one little for
 * each task that is folded away.
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
      @Nullable CancelReason reason,
      @Nullable String created,
      Map<String, String> details,
      List<Integer> children,
      List<Integer> like) {}

  /** A loop, a scope or a task that was found. */
  private static final class Entry {
    final Object source;
    final TaskTree.Kind kind;
    final String state;
    final List<Long> awaits;
    final int cancelRequests;

    /** What is told of it besides the other components. */
    final Map<String, String> details;

    List<Entry> children = new ArrayList<>();

    /** How many siblings that were folded away it stands for. */
    int like;

    int shape;
    TaskTree.@Nullable Node node;

    Entry(TaskImpl<?, ?> task) {
      source = task;
      kind = TaskTree.Kind.TASK;
      state = task.word();
      awaits = task.awaits();
      cancelRequests = task.cancelRequests();
      details = task.owner().isQueued(task) ? Map.of("queued", "for a place") : Map.of();
    }

    Entry(Owner owner) {
      source = owner;
      boolean cancelled = owner.cancelled() != null;
      boolean running = false;
      if (owner instanceof Loop loop) {
        kind = TaskTree.Kind.LOOP;
        running = loop.isRunning();
      } else {
        kind = TaskTree.Kind.SCOPE;
      }
      state = owner.isClosed() ? "closed" : cancelled ? "cancelling" : running ? "running" : "open";
      awaits = List.of();
      cancelRequests = cancelled ? 1 : 0;
      details = owner.details();
    }

    @Nullable CancelReason reason() {
      return switch (source) {
        case TaskImpl<?, ?> task -> task.cancelReason().orElse(null);
        case Owner owner -> owner.cancelled();
        default -> throw new AssertionError(source);
      };
    }

    @Nullable String created() {
      TaskTrace trace = source instanceof TaskImpl<?, ?> task ? task.created() : null;
      return trace == null ? null : trace.where();
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
    var roots = new ArrayList<Entry>();
    roots.add(new Entry(loop));
    Strand.foreignScopes(loop).forEach(scope -> roots.add(new Entry(scope)));
    var found = new ArrayList<Entry>(roots);
    for (int i = 0; i < found.size(); i++) {
      Entry entry = found.get(i);
      addChildren(entry.source, entry.children);
      found.addAll(entry.children);
    }
    found.reversed().forEach(this::fold);
    var kept = new ArrayList<Entry>(roots);
    for (int i = 0; i < kept.size(); i++) {
      kept.addAll(kept.get(i).children);
    }
    kept.reversed().forEach(entry -> entry.node = node(entry));
    return new TaskTree(nodes(roots));
  }

  private void addChildren(Object source, Collection<Entry> children) {
    switch (source) {
      case Owner owner -> {
        owner.unendedTasks().stream()
            .sorted(Comparator.comparingLong(TaskImpl::id))
            .forEach(task -> children.add(new Entry(task)));
        TaskImpl<?, ?> handler = owner instanceof Loop loop ? loop.reports().carrier() : null;
        if (handler != null) {
          children.add(new Entry(handler));
        }
      }
      case TaskImpl<?, ?> task -> {
        var scopes = new ArrayList<TaskScope<?>>();
        task.addScopes(scopes);
        scopes.reversed().forEach(scope -> children.add(new Entry(scope)));
        // Taken out: were two loops to run in each other, each would still be shown once.
        List<Loop> loops = loopsInTasks.remove(task);
        if (loops != null) {
          loops.forEach(loop -> children.add(new Entry(loop)));
        }
      }
      default -> throw new AssertionError(source);
    }
  }

  /** Leaves one of each shape among the children, which have theirs by now. */
  private void fold(Entry entry) {
    var first = new LinkedHashMap<Integer, Entry>();
    for (Entry child : entry.children) {
      Entry same = first.putIfAbsent(child.shape, child);
      if (same != null) {
        same.like++;
      }
    }
    entry.children = List.copyOf(first.values());
    String name = entry.source instanceof TaskImpl<?, ?> task ? task.givenName() : null;
    var shape =
        new Shape(
            entry.kind,
            name,
            entry.state,
            entry.awaits,
            entry.cancelRequests,
            entry.reason(),
            entry.created(),
            entry.details,
            List.copyOf(first.keySet()),
            entry.children.stream().map(child -> child.like).toList());
    entry.shape = shapes.computeIfAbsent(shape, _ -> shapes.size());
  }

  private static List<TaskTree.Node> nodes(List<Entry> entries) {
    var nodes = new ArrayList<TaskTree.Node>(entries.size());
    for (Entry entry : entries) {
      if (entry.node != null) {
        nodes.add(entry.node);
      }
    }
    return nodes;
  }

  private static TaskTree.Node node(Entry entry) {
    var details = new HashMap<String, String>(entry.details);
    String created = entry.created();
    if (created != null) {
      details.put("created", "at " + created);
    }
    CancelReason reason = entry.reason();
    if (reason != null) {
      details.put("reason", reason.toString());
    }
    return switch (entry.source) {
      case TaskImpl<?, ?> task -> {
        Thread thread = task.thread();
        if (thread != null) {
          details.put("thread", describe(thread));
        }
        yield new TaskTree.Node(
            entry.kind,
            task.id(),
            task.name(),
            entry.state,
            task.age(),
            entry.awaits,
            entry.cancelRequests,
            entry.like,
            nodes(entry.children),
            details);
      }
      case Owner owner -> {
        if (owner instanceof TaskScope<?> scope && scope.ownerTask() == null) {
          details.put("thread", describe(scope.ownerThread()));
        }
        yield new TaskTree.Node(
            entry.kind,
            owner.id(),
            owner.name(),
            entry.state,
            owner.age(),
            entry.awaits,
            entry.cancelRequests,
            entry.like,
            nodes(entry.children),
            details);
      }
      default -> throw new AssertionError(entry.source);
    };
  }

  /** As a thread dump has it. */
  private static String describe(Thread thread) {
    String name = thread.isVirtual() ? "" : thread.getName() + " ";
    return name + "#" + thread.threadId() + " " + thread.getState();
  }
}
