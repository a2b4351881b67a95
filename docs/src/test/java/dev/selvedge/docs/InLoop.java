package dev.selvedge.docs;

import dev.selvedge.Loop;

/** Runs a sample that uses its loop and returns nothing. */
final class InLoop {
  /** A main without a value that is given its loop. */
  @FunctionalInterface
  interface Main {
    void run(Loop loop) throws Exception;
  }

  private InLoop() {}

  static void inLoop(Main main) throws Exception {
    Loop.run(loop -> {
      main.run(loop);
      return loop;
    });
  }
}
