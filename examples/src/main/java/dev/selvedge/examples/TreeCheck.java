package dev.selvedge.examples;

import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.gather.Gather;
import dev.selvedge.gather.GatherOptions;
import java.io.IOException;

/**
 * Checks a tree, each file in a task of its own.
 *
 * <p>A file that is damaged or cannot be read makes its task fail, like any other code that throws.
 * What that means for the others is the choice of the verb: {@code settleMap} goes on, {@code map}
 * cancels them, the walk of the tree included, and throws the failure.
 *
 * <p>Both take a file from the walk when a task may start and not before. So there are never more
 * threads than files that are being read, and the walk is never far ahead. What they return is not
 * used: it takes some twenty bytes for a file, and what the user sees is counted as it happens.
 */
final class TreeCheck {
  private final ChecksummedFiles tree;
  private final FileCheck check;
  private final GatherOptions<RuntimeException> options;
  private final boolean failFast;
  private final Progress progress;

  /**
   * Prepares a check.
   *
   * @param parallel how many files are read at once
   * @param failFast whether a failure ends the check
   * @param progress is told of everything that happens
   */
  TreeCheck(
      ChecksummedFiles tree, FileCheck check, int parallel, boolean failFast, Progress progress) {
    this.tree = tree;
    this.check = check;
    this.options = Gather.options().name("file").concurrency(parallel);
    this.failFast = failFast;
    this.progress = progress;
  }

  /**
   * Checks all files. When it returns or throws, every task has ended.
   *
   * @throws IOException the first failure, if it is to end the check
   * @throws InterruptedException if the caller is cancelled, by Ctrl-C for instance
   */
  void run() throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open();
        var walk = tree.walk()) {
      scope.fork("survey", this::survey);
      if (failFast) {
        options.map(() -> walk, this::check);
      } else {
        options.settleMap(() -> walk, this::check);
      }
      scope.join();
    }
  }

  /** Walks ahead to count the files, because the walk that checks them knows the sum too late. */
  private void survey() throws IOException, InterruptedException {
    try (var walk = tree.walk()) {
      while (walk.hasNext()) {
        walk.next();
        progress.found();
      }
    }
    Task.checkCancelled();
    progress.foundAll();
  }

  private boolean check(ChecksummedFiles.Found found) throws IOException, InterruptedException {
    String name = tree.root().relativize(found.path()).toString();
    progress.started();
    Task.current().orElseThrow().onDone(task -> ended(name, task));
    if (found.unreadable() != null) {
      throw found.unreadable();
    }
    check.check(found.path());
    return true;
  }

  /** In the order of the ends, which the outcomes that are returned do not tell. */
  private void ended(String name, Task<?, ?> task) {
    switch (task.outcome()) {
      case Outcome.Success<?> _ -> progress.passed();
      case Outcome.Failure<?>(Throwable exception) -> progress.failed(name, exception);
      case Outcome.Cancelled<?> _ -> progress.cancelled();
    }
  }
}
