package dev.selvedge;

import java.time.Duration;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/**
 * What JDK Flight Recorder is told. While no recording wants an event it costs the question whether
 * one does, which is a constant until the first recording starts.
 */
final class FlightRecorder {
  /** Asked whether tasks are recorded; never committed. */
  private static final TaskEvent PROBE = new TaskEvent();

  private FlightRecorder() {}

  /** What all events say. */
  @Category("Selvedge")
  @StackTrace(false)
  abstract static class TaskRelated extends Event {
    @Label("Task Id")
    long taskId;

    @Label("Task Name")
    @Nullable String taskName;

    @Label("Owner")
    @Description("The scope or loop that owns the task")
    @Nullable String owner;

    @Label("Loop")
    @Nullable String loop;

    final void about(TaskImpl<?, ?> task) {
      taskId = task.id();
      taskName = task.name();
      owner = task.ownerName();
      loop = task.loop().name();
    }
  }

  @Name("dev.selvedge.Task")
  @Label("Task")
  @Description("The body of a task ran")
  @Threshold("10 ms")
  static final class TaskEvent extends TaskRelated {
    @Label("Outcome")
    @Description("SUCCESS, FAILED or CANCELLED")
    @Nullable String outcome;

    @Label("Exception Class")
    @Nullable String exceptionClass;
  }

  @Name("dev.selvedge.Cancel")
  @Label("Cancellation")
  @Description("A task was asked to cancel")
  @StackTrace
  static final class CancelEvent extends TaskRelated {
    @Label("Source")
    @Nullable String source;

    @Label("Message")
    @Nullable String message;

    @Label("By")
    @Description("The name of the task that asked, or whose end was the cause")
    @Nullable String by;
  }

  @Name("dev.selvedge.Orphan")
  @Label("Orphaned Failure")
  @Description("A failure reached nobody and goes to the exception handler")
  static final class OrphanEvent extends TaskRelated {
    @Label("Exception Class")
    @Nullable String exceptionClass;

    @Label("Message")
    @Nullable String message;
  }

  @Name("dev.selvedge.Straggler")
  @Label("Straggler")
  @Description("A task has not ended although it was asked to cancel")
  static final class StragglerEvent extends TaskRelated {
    @Label("Asked")
    @Description("How long ago it was asked")
    @Timespan(Timespan.NANOSECONDS)
    long asked;
  }

  static boolean recordsTasks() {
    return PROBE.isEnabled();
  }

  /** The event of a task whose body is about to run; null if tasks are not recorded. */
  static @Nullable TaskEvent begin() {
    if (!recordsTasks()) {
      return null;
    }
    var event = new TaskEvent();
    event.begin();
    return event;
  }

  static void end(TaskEvent event, TaskImpl<?, ?> task) {
    event.end();
    if (event.shouldCommit()) {
      event.about(task);
      event.outcome = task.state().name();
      Throwable ending = task.ending();
      event.exceptionClass = ending == null ? null : ending.getClass().getName();
      event.commit();
    }
  }

  static void cancelled(TaskImpl<?, ?> task, CancelReason reason) {
    var event = new CancelEvent();
    if (event.shouldCommit() && !task.isHidden()) {
      event.about(task);
      event.source = reason.source().name();
      event.message = reason.message();
      event.by = reason.by() == null ? null : reason.by().name();
      event.commit();
    }
  }

  static void orphaned(TaskImpl<?, ?> task, Throwable failure) {
    var event = new OrphanEvent();
    if (event.shouldCommit()) {
      event.about(task);
      event.exceptionClass = failure.getClass().getName();
      event.message = StackText.message(failure);
      event.commit();
    }
  }

  static void straggling(TaskImpl<?, ?> task, Duration asked) {
    var event = new StragglerEvent();
    if (event.shouldCommit()) {
      event.about(task);
      event.asked = asked.toNanos();
      event.commit();
    }
  }
}
