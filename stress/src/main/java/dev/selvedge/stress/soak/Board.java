package dev.selvedge.stress.soak;

import dev.selvedge.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The tasks of a round that everybody may await, cancel and read. */
final class Board {
  /** A task on the board. */
  static final class Entry {
    final Task<Integer, Exception> task;
    final Frame frame;
    final int number;

    /** Whether it ends only if it is cancelled. */
    final boolean service;

    Entry(Task<Integer, Exception> task, Frame frame, int number, boolean service) {
      this.task = task;
      this.frame = frame;
      this.number = number;
      this.service = service;
    }
  }

  private final AtomicInteger numbers = new AtomicInteger();
  private final List<Entry> entries = new ArrayList<>(); // guarded by itself
  private final Queue<Task<Integer, Exception>> ignored = new ConcurrentLinkedQueue<>();

  int nextNumber() {
    return numbers.incrementAndGet();
  }

  void add(Entry entry) {
    synchronized (entries) {
      entries.add(entry);
    }
  }

  /** Some task that the caller may await without closing a circle. */
  @Nullable Entry pick(int number, int floor) {
    synchronized (entries) {
      int size = entries.size();
      for (int i = 0; i < Math.min(size, 8); i++) {
        Entry entry = entries.get((number + i) % size);
        if (entry.number < floor) {
          return entry;
        }
      }
      return null;
    }
  }

  /** Its failure will be looked up when the loop is closed. */
  void ignore(Entry entry) {
    ignored.add(entry.task);
  }

  Iterable<Task<Integer, Exception>> ignored() {
    return ignored;
  }
}
