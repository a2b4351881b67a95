package dev.selvedge.spring;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the application's loop.
 *
 * @param name name of the loop in messages and meters; that of the application if not set
 * @param debug whether tasks remember where they were created, which costs a stack trace for each
 * @param stragglerWarning how long after its cancellation a task that goes on is named
 * @param orphanAfter how long after its end a failure that nobody has read is reported although its
 *     handle may still be held; never if not set
 * @param shutdown what happens to running tasks when the application stops
 * @param async tasks of Spring's annotations
 * @param context what tasks take along from the thread that starts them
 * @param metrics meters of the loop
 * @param web requests
 * @param failures the reports that the failures endpoint shows
 * @param health the health indicator
 * @param console the console page
 */
@ConfigurationProperties("selvedge")
record SelvedgeProperties(
    @Nullable String name,
    @DefaultValue("false") boolean debug,
    @DefaultValue("10s") Duration stragglerWarning,
    @Nullable Duration orphanAfter,
    @DefaultValue Shutdown shutdown,
    @DefaultValue Async async,
    @DefaultValue Context context,
    @DefaultValue Metrics metrics,
    @DefaultValue Web web,
    @DefaultValue Failures failures,
    @DefaultValue Health health,
    @DefaultValue Console console) {

  SelvedgeProperties {
    positive(stragglerWarning, "straggler-warning");
    if (orphanAfter != null) {
      positive(orphanAfter, "orphan-after");
    }
  }

  /**
   * What happens to running tasks when the application stops.
   *
   * @param drain how long running tasks may go on before they are cancelled
   * @param timeout how long cancelled tasks are waited for before they are named and left alone
   */
  record Shutdown(@DefaultValue("10s") Duration drain, @DefaultValue("10s") Duration timeout) {
    Shutdown {
      notNegative(drain, "shutdown.drain");
      notNegative(timeout, "shutdown.timeout");
    }
  }

  /**
   * Tasks of Spring's annotations.
   *
   * @param enabled whether @Async and @Scheduled methods run as tasks of the loop
   */
  record Async(@DefaultValue("true") boolean enabled) {}

  /**
   * What tasks take along from the thread that starts them.
   *
   * @param observation whether they see its observation, and whatever else has a
   *     ThreadLocalAccessor
   * @param mdc whether they see its logging context
   */
  record Context(@DefaultValue("true") boolean observation, @DefaultValue("true") boolean mdc) {}

  /**
   * Meters of the loop.
   *
   * @param enabled whether the loop has meters
   * @param distributions whether the durations of tasks have percentiles, a histogram and a maximum
   */
  record Metrics(
      @DefaultValue("true") boolean enabled, @DefaultValue("false") boolean distributions) {}

  /**
   * Requests.
   *
   * @param deadline how long a request may take until what it waits for is cancelled and it is
   *     answered with 503; for ever if not set
   */
  record Web(@Nullable Duration deadline) {
    Web {
      if (deadline != null) {
        positive(deadline, "web.deadline");
      }
    }
  }

  /**
   * The reports that the failures endpoint shows.
   *
   * @param keep how many, the last ones
   */
  record Failures(@DefaultValue("100") int keep) {
    Failures {
      if (keep < 0 || keep > 10_000) {
        throw new IllegalArgumentException(
            "selvedge.failures.keep is " + keep + ": it has to be from 0 to 10000");
      }
    }
  }

  /**
   * The health indicator.
   *
   * @param failures how many unread failures within the window make the application unhealthy
   * @param window the time that they have to come in
   * @param quiet how long none may come until it is healthy again
   */
  record Health(
      @DefaultValue("1") int failures,
      @DefaultValue("1m") Duration window,
      @DefaultValue("1m") Duration quiet) {
    Health {
      if (failures < 1) {
        throw new IllegalArgumentException(
            "selvedge.health.failures is " + failures + ": it has to be at least 1");
      }
      positive(window, "health.window");
      positive(quiet, "health.quiet");
    }
  }

  /**
   * The console page.
   *
   * @param enabled whether the tasks endpoint has a page for browsers at tasks/console
   */
  record Console(@DefaultValue("false") boolean enabled) {}

  private static void positive(Duration duration, String property) {
    if (!duration.isPositive()) {
      throw new IllegalArgumentException(
          "selvedge." + property + " is " + duration + ": it has to be more than zero");
    }
  }

  private static void notNegative(Duration duration, String property) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException(
          "selvedge." + property + " is " + duration + ": it has to be zero or more");
    }
  }
}
