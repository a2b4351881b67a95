package dev.selvedge.examples;

import dev.selvedge.Action;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Checks a tree, each file in a task of its own.
 *
 * <p>All tasks belong to one scope, so none of them outlives {@link #run}. A file that is damaged
 * or cannot be read makes its task fail, like any other code that throws. What that means for the
 * others is the scope's policy: with {@code SUPERVISE} nothing, with {@code CANCEL_ON_FAILURE} the
 * first failure cancels them, the walk of the tree included, and comes out of {@code join}.
 *
 * <p>A task is forked when a slot is free and not before. So there are never more threads than
 * files that are being read, and the walk is never far ahead.
 */
final class TreeCheck {
  private final ChecksummedFiles tree;
  private final FileCheck check;
  private final TaskScope.Policy policy;
  private final Semaphore slots;
  private final Progress progress;

  /**
   * Prepares a check.
   *
   * @param parallel how many files are read at once
   * @param policy what a failure means for the other files
   * @param progress is told of everything that happens
   */
  TreeCheck(
      ChecksummedFiles tree,
      FileCheck check,
      int parallel,
      TaskScope.Policy policy,
      Progress progress) {
    this.tree = tree;
    this.check = check;
    this.policy = policy;
    this.slots = new Semaphore(parallel);
    this.progress = progress;
  }

  /**
   * Checks all files. When it returns or throws, every task has ended.
   *
   * @throws IOException the first failure, if the policy is to cancel the others
   * @throws InterruptedException if the caller is cancelled, by Ctrl-C for instance
   */
  void run() throws IOException, InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open(policy)) {
      scope.fork("survey", this::survey);
      Task<@Nullable Void, IOException> walk = scope.fork("walk", () -> walk(scope));
      scope.join();
      walk.result();
    }
  }

  /** Walks ahead to count the files, because the walk that checks them knows the sum too late. */
  private void survey() throws InterruptedException {
    tree.forEach(
        new ChecksummedFiles.Visitor() {
          @Override
          public void file(Path file) {
            progress.found();
          }

          @Override
          public void unreadable(Path path, IOException cause) {
            progress.found();
          }
        });
    progress.foundAll();
  }

  private void walk(TaskScope<IOException> scope) throws InterruptedException {
    tree.forEach(
        new ChecksummedFiles.Visitor() {
          @Override
          public void file(Path file) throws InterruptedException {
            fork(scope, file, () -> check.check(file));
          }

          @Override
          public void unreadable(Path path, IOException cause) throws InterruptedException {
            fork(
                scope,
                path,
                () -> {
                  throw cause;
                });
          }
        });
  }

  /**
   * Forks the task of one file as soon as a slot is free. The slot is given back by {@code onDone}
   * and not by the body, because a task that is cancelled before it begins has no body to do so.
   */
  private void fork(TaskScope<IOException> scope, Path file, Action<IOException> body)
      throws InterruptedException {
    slots.acquire();
    String name = tree.root().relativize(file).toString();
    progress.started();
    scope.fork(name, body).onDone(task -> ended(name, task));
  }

  /**
   * Reads the outcome, which counts as retrieving the failure: nobody else has to be told of it.
   */
  private void ended(String name, Task<@Nullable Void, IOException> task) {
    try {
      switch (task.outcome()) {
        case Outcome.Success<?> success -> progress.passed();
        case Outcome.Failure<?>(Throwable exception) -> progress.failed(name, exception);
        case Outcome.Cancelled<?> cancelled -> progress.cancelled();
      }
    } finally {
      slots.release();
    }
  }
}
