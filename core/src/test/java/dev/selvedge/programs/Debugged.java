package dev.selvedge.programs;

import static dev.selvedge.programs.Parts.say;

import dev.selvedge.Loop;
import dev.selvedge.TaskTree;

/** Says what of the debug mode can be seen, and leaves a failure to be reported at the exit. */
public final class Debugged {
  private Debugged() {}

  public static void main(String[] arguments) throws Exception {
    Loop loop = Loop.current();
    String thread = loop.createTask(() -> Thread.currentThread().getName()).await();
    say("thread " + thread.replaceAll("\\d+", "N"));
    say("tree " + seesCreation(loop));
    try (Loop off = Loop.builder().debug(false).build()) {
      say("explicitly off " + seesCreation(off));
    }
    loop.launch(() -> {
      throw new IllegalStateException("launched");
    });
  }

  private static boolean seesCreation(Loop loop) throws InterruptedException {
    return loop.createTask(() -> loop.snapshot().nodes().anyMatch(Debugged::isCreated)).await();
  }

  private static boolean isCreated(TaskTree.Node node) {
    return node.details().getOrDefault("created", "").contains("Debugged.seesCreation");
  }
}
