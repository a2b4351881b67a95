package dev.selvedge.spring;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.Trigger;
import org.springframework.scheduling.support.PeriodicTrigger;

/**
 * Spring's scheduler of a {@link Loop}: what is scheduled is one of its tasks, which waits for its
 * times. That of a {@code @Scheduled} method is named after its bean and method.
 *
 * <p><b>Failure:</b> a run of something periodic that fails is reported to the loop's exception
 * handler, and the next one comes at its time. The failure of what runs once belongs to the future;
 * if nobody reads it, it is reported when the future is unreachable or the loop closes. An {@code
 * InterruptedException} is a failure, too, if nobody has cancelled the task.
 *
 * <p><b>Cancellation:</b> cancelling a future ends its task, a run included unless {@code
 * mayInterruptIfRunning} is false: then the future is done, and cancelled, when the run has ended;
 * if that fails, the future has the failure. When the application stops, runs that have begun may
 * end as other tasks may, and no other begins.
 *
 * @since 0.1.0
 */
public final class LoopTaskScheduler implements TaskScheduler, SmartLifecycle {
  static final String STOPPED = "the scheduler stopped";

  private final Loop loop;
  private final Function<String, @Nullable String> names;
  private final Clock clock;
  private final Set<ScheduledTask> scheduled = ConcurrentHashMap.newKeySet();
  private volatile boolean stopped;

  /**
   * A scheduler.
   *
   * @param loop whose tasks it starts
   */
  public LoopTaskScheduler(Loop loop) {
    this(loop, _ -> null);
  }

  /** A scheduler that names tasks by what their commands are as text; null for no name. */
  LoopTaskScheduler(Loop loop, Function<String, @Nullable String> names) {
    this.loop = requireNonNull(loop, "loop");
    this.names = names;
    this.clock = new LoopsClock(loop, ZoneId.systemDefault());
  }

  /** The clock of a loop as the JDK's. */
  private static final class LoopsClock extends Clock {
    private final Loop loop;
    private final ZoneId zone;

    LoopsClock(Loop loop, ZoneId zone) {
      this.loop = loop;
      this.zone = zone;
    }

    @Override
    public ZoneId getZone() {
      return zone;
    }

    @Override
    public Clock withZone(ZoneId other) {
      return new LoopsClock(loop, other);
    }

    @Override
    public Instant instant() {
      return loop.clock().instant();
    }
  }

  /**
   * The loop's clock.
   *
   * @return what {@link Loop#clock} says, in the system's time zone
   */
  @Override
  public Clock getClock() {
    return clock;
  }

  /**
   * Runs a command whenever a trigger says.
   *
   * @param command what to run; runs do not overlap
   * @param trigger says when the next run is due, null for never
   * @return its future, which ends when the trigger says null or it is cancelled
   * @throws TaskRejectedException if the scheduler has stopped, or the loop starts no tasks
   */
  @Override
  public @Nullable ScheduledFuture<?> schedule(Runnable command, Trigger trigger) {
    return start(command, requireNonNull(trigger, "trigger"), true);
  }

  /**
   * Runs a command once.
   *
   * @param command what to run
   * @param startTime when; at once if it is past
   * @return its future
   * @throws TaskRejectedException if the scheduler has stopped, or the loop starts no tasks
   */
  @Override
  public ScheduledFuture<?> schedule(Runnable command, Instant startTime) {
    requireNonNull(startTime, "startTime");
    return start(command, runs -> runs.lastCompletion() == null ? startTime : null, false);
  }

  /**
   * Runs a command at a fixed rate.
   *
   * @param command what to run; a run that takes longer than the period delays the next one
   * @param startTime when for the first time; at once if it is past
   * @param period from the time at which one run is due to that of the next; more than zero
   * @return its future, which ends when it is cancelled
   * @throws TaskRejectedException if the scheduler has stopped, or the loop starts no tasks
   */
  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, Instant startTime, Duration period) {
    return start(command, periodic(startTime, period, true), true);
  }

  /**
   * Runs a command at a fixed rate, for the first time at once.
   *
   * @param command what to run; a run that takes longer than the period delays the next one
   * @param period from the time at which one run is due to that of the next; more than zero
   * @return its future, which ends when it is cancelled
   * @throws TaskRejectedException if the scheduler has stopped, or the loop starts no tasks
   */
  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, Duration period) {
    return scheduleAtFixedRate(command, clock.instant(), period);
  }

  /**
   * Runs a command with pauses in between.
   *
   * @param command what to run
   * @param startTime when for the first time; at once if it is past
   * @param delay from the end of one run to the beginning of the next; more than zero
   * @return its future, which ends when it is cancelled
   * @throws TaskRejectedException if the scheduler has stopped, or the loop starts no tasks
   */
  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, Instant startTime, Duration delay) {
    return start(command, periodic(startTime, delay, false), true);
  }

  /**
   * Runs a command with pauses in between, for the first time at once.
   *
   * @param command what to run
   * @param delay from the end of one run to the beginning of the next; more than zero
   * @return its future, which ends when it is cancelled
   * @throws TaskRejectedException if the scheduler has stopped, or the loop starts no tasks
   */
  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, Duration delay) {
    return scheduleWithFixedDelay(command, clock.instant(), delay);
  }

  private Trigger periodic(Instant startTime, Duration period, boolean atFixedRate) {
    requireNonNull(startTime, "startTime");
    if (!requireNonNull(period, "period").isPositive()) {
      throw new IllegalArgumentException(
          "the period is " + period + ": it has to be more than zero");
    }
    var trigger = new PeriodicTrigger(period);
    trigger.setFixedRate(atFixedRate);
    return runs -> runs.lastCompletion() == null ? startTime : trigger.nextExecution(runs);
  }

  private ScheduledTask start(Runnable command, Trigger trigger, boolean periodic) {
    var task = new ScheduledTask(this, requireNonNull(command, "command"), trigger, periodic);
    boolean started = false;
    scheduled.add(task);
    try {
      if (stopped) {
        throw new RejectedExecutionException(STOPPED);
      }
      task.start(loop, names.apply(command.toString()));
      started = true;
      return task;
    } catch (RejectedExecutionException | IllegalStateException e) {
      throw new TaskRejectedException(loop + " starts no task: " + e.getMessage(), e);
    } finally {
      if (!started) {
        ended(task);
      }
    }
  }

  void ended(ScheduledTask task) {
    scheduled.remove(task);
  }

  @Override
  public void start() {
    stopped = false;
  }

  @Override
  public void stop() {
    stopped = true;
    var reason = new CancelReason(CancelReason.Source.SHUTDOWN, STOPPED, null);
    scheduled.forEach(task -> task.stop(reason));
  }

  @Override
  public boolean isRunning() {
    return !stopped;
  }

  @Override
  public boolean isPauseable() {
    return false;
  }

  /** Just before {@link LoopLifecycle}, which waits for the runs that have begun. */
  @Override
  public int getPhase() {
    return LoopLifecycle.PHASE + 1;
  }
}
