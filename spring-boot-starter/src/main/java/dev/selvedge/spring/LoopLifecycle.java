package dev.selvedge.spring;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.scheduling.concurrent.ExecutorConfigurationSupport;

/**
 * Ends the loops of an application context when that stops: refuses new tasks, lets running ones
 * end for a while, cancels the rest, waits for that, and names what goes on all the same. The
 * default loop of the process is left alone if it is a bean.
 *
 * <p>It stops in the phase of Spring's own executors: after the web server has answered the
 * requests that it accepted, and before any bean is destroyed.
 *
 * @since 0.1.0
 */
public final class LoopLifecycle implements SmartLifecycle, DisposableBean {
  static final int PHASE = ExecutorConfigurationSupport.DEFAULT_PHASE;

  /** How long the handler may take to hear of a task that does not end. */
  private static final Duration TELLING = Duration.ofSeconds(1);

  private final ConfigurableListableBeanFactory beans;
  private final SelvedgeProperties.Shutdown limits;
  private volatile boolean running;

  LoopLifecycle(
      ConfigurableListableBeanFactory beans,
      SelvedgeProperties.Shutdown limits,
      Duration longestPhase) {
    if (limits.drain().plus(limits.timeout()).compareTo(longestPhase) > 0) {
      throw new ShutdownPhaseTooShortException(limits, longestPhase);
    }
    this.beans = beans;
    this.limits = limits;
  }

  /** Those that are there: none is made only to be ended. */
  static List<Loop> loopsOf(ConfigurableListableBeanFactory beans) {
    return Stream.of(beans.getBeanNamesForType(Loop.class, true, false))
        .filter(beans::containsSingleton)
        .map(name -> beans.getBean(name, Loop.class))
        .toList();
  }

  private List<Loop> loops() {
    return loopsOf(beans).stream().filter(loop -> !isDefault(loop)).toList();
  }

  /** Whether it is that of the process, which no context ends: a new thread has no other. */
  private static boolean isDefault(Loop loop) {
    return loop.name().equals("default")
        && loop.equals(
            CompletableFuture.supplyAsync(Loop::current, Thread::startVirtualThread).join());
  }

  /**
   * Begins to listen for the stop.
   *
   * @throws IllegalStateException if a loop has ended: a context cannot start again
   */
  @Override
  public void start() {
    for (Loop loop : loops()) {
      if (loop.isShutdown()) {
        throw new IllegalStateException(
            loop + " has ended with its application context: refresh a new one");
      }
    }
    running = true;
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  @Override
  public boolean isPauseable() {
    return false;
  }

  @Override
  public int getPhase() {
    return PHASE;
  }

  @Override
  public void stop() {
    running = false;
    end(loops());
  }

  @Override
  public void stop(Runnable callback) {
    Thread.ofPlatform()
        .name("selvedge-shutdown")
        .start(() -> {
          try {
            stop();
          } finally {
            callback.run();
          }
        });
  }

  /** Ends the loops of a context that has failed to start. */
  @Override
  public void destroy() {
    List<Loop> left = loops().stream().filter(loop -> !loop.isShutdown()).toList();
    left.forEach(Loop::shutdown);
    close(left);
  }

  private void end(Collection<Loop> loops) {
    loops.forEach(Loop::shutdown);
    boolean interrupted = !drained(loops);
    close(loops);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits until no task is left, for a while; not for bodies of {@link Loop#asCurrent} without any,
   * which nobody outside of a loop can see. Returns false if the caller was interrupted.
   */
  private boolean drained(Collection<Loop> loops) {
    long end = System.nanoTime() + limits.drain().toNanos();
    try {
      for (Loop loop : loops) {
        // A request that goes on may fork meanwhile.
        Collection<Task<?, ?>> running = loop.allTasks();
        while (!running.isEmpty() && System.nanoTime() - end < 0) {
          for (Task<?, ?> task : running) {
            task.awaitDone(Duration.ofNanos(end - System.nanoTime()));
          }
          running = loop.allTasks();
        }
      }
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  /** Cancels what is left and waits for it. */
  private void close(Collection<Loop> loops) {
    var closing = new ArrayList<Thread>();
    for (Loop loop : loops) {
      // Tasks that never end must not keep the process from ending.
      closing.add(
          Thread.ofPlatform().daemon().name("selvedge-close-" + loop.name()).start(loop::close));
    }
    long end = System.nanoTime() + limits.timeout().toNanos();
    boolean interrupted = false;
    for (Thread thread : closing) {
      interrupted |= !joined(thread, Duration.ofNanos(end - System.nanoTime()));
    }
    for (Loop loop : loops) {
      if (!loop.isClosed()) {
        nameStragglers(loop);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void nameStragglers(Loop loop) {
    Thread telling =
        Thread.ofPlatform()
            .daemon()
            .name("selvedge-stragglers-" + loop.name())
            .start(() -> {
              for (Task<?, ?> task : loop.allTasks()) {
                loop.callExceptionHandler(
                    new ExceptionContext(
                        "Task has not ended within selvedge.shutdown.timeout",
                        null,
                        task,
                        Map.of(
                            "timeout", limits.timeout(),
                            "stack", List.copyOf(task.stackTrace()))));
              }
            });
    if (!joined(telling, TELLING)) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits for a thread to end, for at most so long. Returns false if the caller was interrupted.
   */
  private static boolean joined(Thread thread, Duration limit) {
    try {
      thread.join(limit.isPositive() ? limit : Duration.ofNanos(1));
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }
}
