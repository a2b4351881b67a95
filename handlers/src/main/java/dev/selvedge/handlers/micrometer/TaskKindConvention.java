package dev.selvedge.handlers.micrometer;

import dev.selvedge.Task;

/**
 * What kind of task a task is, for meters: tasks of one kind are counted together. There are to be
 * few kinds, so this is never an id.
 *
 * <p><b>Threads:</b> called by forking threads and by tasks, several at a time, twice for each
 * task.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface TaskKindConvention {
  /**
   * The stem of the name: without the digits at its end and what separates them, so that {@code
   * fetch-17} and {@code fetch 18} are both {@code fetch}. Tasks without a name of their own, and
   * those whose name is a number, are {@code task}.
   */
  TaskKindConvention STEM = task -> task.isNamed() ? Stems.stem(task.name()) : Stems.UNNAMED;

  /**
   * The kind of a task.
   *
   * @param task the task
   * @return its kind; the same each time
   */
  String kind(Task<?, ?> task);
}
