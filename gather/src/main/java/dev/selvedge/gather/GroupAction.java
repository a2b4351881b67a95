package dev.selvedge.gather;

/**
 * The body of a {@link TaskGroup} that has no value.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface GroupAction {
  /**
   * Runs in the caller's thread.
   *
   * @param group the group, in which it creates tasks
   * @throws Exception whatever it throws is in the group's exception
   */
  void run(TaskGroup group) throws Exception;
}
