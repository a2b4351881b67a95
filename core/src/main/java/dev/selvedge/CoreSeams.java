package dev.selvedge;

import dev.selvedge.internal.Seams;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the test kit sees. Loaded when it first looks. */
final class CoreSeams extends Seams {
  private CoreSeams() {}

  @SuppressWarnings("unused") // by reflection
  static Seams create() {
    return new CoreSeams();
  }

  @Override
  public List<Loop> loops() {
    return Loop.all();
  }

  @Override
  public Loop defaultLoop() {
    return Loop.defaultLoop();
  }

  @Override
  public List<Task<?, ?>> unended(Loop loop) {
    return List.copyOf(loop.unendedBelow());
  }

  @Override
  public Collection<TaskScope<?>> openScopes(@Nullable Loop loop) {
    return loop == null ? Strand.foreignScopes() : Strand.foreignScopes(loop);
  }

  @Override
  public List<Throwable> unread(@Nullable Loop loop) {
    return Orphans.unread().stream()
        .filter(failed -> loop == null || failed.owner().loop() == loop)
        .flatMap(failed -> failed.failures().stream())
        .toList();
  }

  @Override
  public void reportUnread(Loop loop, Predicate<Throwable> which) {
    for (Failed failed : loop.failures()) {
      if (failed.failures().stream().anyMatch(which)) {
        failed.post();
      }
    }
  }

  @Override
  public int armedTimers() {
    return Timers.armed();
  }

  @Override
  public @Nullable Thread thread(Task<?, ?> task) {
    return task instanceof TaskImpl<?, ?> own ? own.thread() : null;
  }

  @Override
  public List<Thread> threads(Loop loop) {
    var threads = new ArrayList<Thread>();
    for (TaskImpl<?, ?> task : loop.unendedBelow()) {
      add(task.thread(), threads);
    }
    TaskImpl<?, ?> handler = loop.reports().carrier();
    if (handler != null) {
      add(handler.thread(), threads);
    }
    threads.addAll(loop.guests().threads());
    for (TaskScope<?> scope : Strand.foreignScopes(loop)) {
      threads.add(scope.ownerThread());
    }
    threads.addAll(loop.endingThreads());
    return threads;
  }

  private static void add(@Nullable Thread thread, List<Thread> threads) {
    if (thread != null) {
      threads.add(thread);
    }
  }

  @Override
  public boolean isChanging(Loop loop) {
    for (Owner owner : loop.ownersBelow()) {
      int others = owner == loop ? loop.guests().threads().size() : 0;
      if (owner.isChanging(others)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public @Nullable Boolean mustWait(@Nullable Object blocker) {
    return switch (blocker) {
      case TaskImpl<?, ?> task -> !task.isDone();
      case Owner owner -> !owner.hasNoChildren();
      case null, default -> null;
    };
  }
}
