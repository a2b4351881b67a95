package dev.selvedge.internal;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Where the test kit looks into core. Nothing here is needed to use the library. */
public abstract class Seams {
  private static final class Holder {
    static final Seams SEAMS = load();

    private static Seams load() {
      try {
        // By name: core initializes nothing for it, and this package depends on no private class.
        var create = Class.forName("dev.selvedge.CoreSeams").getDeclaredMethod("create");
        create.setAccessible(true);
        return (Seams) create.invoke(null);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }
  }

  /** For core alone. */
  protected Seams() {}

  /**
   * The one of this process.
   *
   * @return always the same
   */
  public static Seams get() {
    return Holder.SEAMS;
  }

  /**
   * The loops that are open.
   *
   * @return a copy
   */
  public abstract List<Loop> loops();

  /**
   * The one default loop of the process.
   *
   * @return always the same
   */
  public abstract Loop defaultLoop();

  /**
   * The tasks of a loop and of the scopes below it whose threads have not come to their end: those
   * that are done and call back as well.
   *
   * @param loop the loop
   * @return a copy
   */
  public abstract List<Task<?, ?>> unended(Loop loop);

  /**
   * The scopes that threads outside of tasks have opened.
   *
   * @param loop to which they belong; null for all
   * @return a copy
   */
  public abstract Collection<TaskScope<?>> openScopes(@Nullable Loop loop);

  /**
   * The failures of a loop's own tasks, and of those of SUPERVISE scopes, of which nobody has
   * heard.
   *
   * @param loop whose they are; null for all
   * @return a copy
   */
  public abstract List<Throwable> unread(@Nullable Loop loop);

  /**
   * Reports unread failures of a loop's own tasks now, as its close would, without waiting for the
   * handler.
   *
   * @param loop whose they are
   * @param which to report
   */
  public abstract void reportUnread(Loop loop, Predicate<Throwable> which);

  /**
   * How many timers of the system's clock are armed, but for the library's own tick.
   *
   * @return zero or more
   */
  public abstract int armedTimers();

  /**
   * The thread of a task.
   *
   * @param task one of core's
   * @return null if it has none any more
   */
  public abstract @Nullable Thread thread(Task<?, ?> task);

  /**
   * The threads that work for a loop: of its tasks, of its exception handler, those for which it is
   * the current one, and those that have a scope of it open.
   *
   * @param loop the loop
   * @return a copy
   */
  public abstract List<Thread> threads(Loop loop);

  /**
   * Whether somebody below a loop is on its way that none of its threads shows: a task that is not
   * listed any more and has not counted down, or an owner that has not woken from its wait.
   *
   * @param loop the loop
   * @return false if all that happens is seen in the states of its threads
   */
  public abstract boolean isChanging(Loop loop);

  /**
   * Whether a thread waits in core for what is known to core, and that has not happened: a task or
   * a scope's children.
   *
   * @param blocker what it is parked on
   * @return null if core does not know
   */
  public abstract @Nullable Boolean mustWait(@Nullable Object blocker);
}
