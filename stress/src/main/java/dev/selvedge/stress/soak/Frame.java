package dev.selvedge.stress.soak;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What is open, as the model sees it: an owner of tasks, a task, or a limit in a thread. An
 * interrupt is justified if something on the way up was disturbed before.
 */
final class Frame {
  /** Outside of every task. */
  static final int EVERYTHING = Integer.MAX_VALUE;

  final @Nullable Frame parent;
  final String what;

  /** Which tree of the round it belongs to. */
  final int tree;

  /** Tasks on the board before this may be awaited, so that no circle closes. */
  final int floor;

  /** Whether the failure of one disturbs all in it. */
  private final boolean failsTogether;

  /** The loop around it. */
  private final @Nullable Frame loop;

  private final AtomicInteger running = new AtomicInteger();

  private volatile boolean disturbed;
  private volatile boolean closing;
  private volatile boolean closed;

  /** Whether others than its owner may await it; of a task. */
  boolean shared;

  /** Whether it was forked into what was cancelled before; of a task. */
  boolean refused;

  private Frame(
      @Nullable Frame parent,
      String what,
      int tree,
      int floor,
      boolean failsTogether,
      @Nullable Frame loop) {
    this.parent = parent;
    this.what = what;
    this.tree = tree;
    this.floor = floor;
    this.failsTogether = failsTogether;
    this.loop = loop;
  }

  static Frame loop(@Nullable Frame parent, int floor) {
    return new Frame(parent, "loop", parent == null ? -1 : parent.tree, floor, false, null);
  }

  /** The first frame of a tree, or main of a loop inside of a task: may await what its loop may. */
  Frame root(int tree, String what) {
    return new Frame(this, what, tree, floor, false, this);
  }

  Frame inside(String what) {
    return new Frame(this, what, tree, floor, false, loop == null ? this : loop);
  }

  Frame owner(String what, boolean failsTogether) {
    return new Frame(this, what, tree, floor, failsTogether, loop == null ? this : loop);
  }

  /** That of a task of the loop that somebody inside of this frame creates. */
  Frame spawned(int tree, int floor, String what) {
    Frame of = loop();
    return new Frame(of, what, tree, Math.min(floor, of.floor), false, of);
  }

  Frame loop() {
    return loop == null ? this : loop;
  }

  /** From now on everything in it may be interrupted. */
  Frame disturb() {
    disturbed = true;
    return this;
  }

  void begin() {
    for (Frame each = parent; each != null; each = each.parent) {
      each.running.incrementAndGet();
    }
  }

  /** Something leaves a task of this owner. */
  void failed() {
    if (failsTogether) {
      disturbed = true;
    }
  }

  void end() {
    for (Frame each = parent; each != null; each = each.parent) {
      each.running.decrementAndGet();
    }
  }

  Frame closing() {
    disturbed = true;
    closing = true;
    return this;
  }

  boolean isClosing() {
    return closing;
  }

  /** Returns how many bodies beneath still run. */
  int close() {
    closed = true;
    return running.get();
  }

  boolean isClosed() {
    return closed;
  }

  boolean isDisturbed() {
    for (Frame each = this; each != null; each = each.parent) {
      if (each.disturbed) {
        return true;
      }
    }
    return false;
  }

  String path() {
    return (parent == null ? "" : parent.path() + " > ") + what;
  }
}
