package dev.selvedge.spring;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskTrace;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;

/**
 * What comes with the cancellation of a request that is answered instead of thrown: failures of the
 * clean-up in what it had gathered. Nobody else would hear of them.
 */
final class CleanUpFailures {
  private CleanUpFailures() {}

  /** Tells the current loop's handler of each. */
  static void report(Throwable ending) {
    Task<?, ?> task = Task.current().orElse(null);
    for (Throwable failure : in(ending)) {
      Loop.current()
          .callExceptionHandler(
              new ExceptionContext(
                  "Clean-up of a cancelled request failed", failure, task, Map.of()));
    }
  }

  /** Those that are suppressed in it, in its causes, and in the cancellations among these. */
  private static List<Throwable> in(Throwable ending) {
    var failures = new ArrayList<Throwable>();
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    var left = new ArrayDeque<Throwable>(List.of(ending));
    for (Throwable each; (each = left.poll()) != null; ) {
      if (!seen.add(each)) {
        continue;
      }
      Throwable cause = each.getCause();
      if (cause != null) {
        left.add(cause);
      }
      for (Throwable suppressed : each.getSuppressed()) {
        if (isCancellation(suppressed) || isLimit(suppressed, each)) {
          left.add(suppressed);
        } else if (!(suppressed instanceof TaskTrace) && seen.add(suppressed)) {
          failures.add(suppressed);
        }
      }
    }
    return failures;
  }

  private static boolean isCancellation(Throwable thrown) {
    return thrown instanceof InterruptedException || thrown instanceof CancellationException;
  }

  /** A limit leaves itself in what is no cancellation; in one it is the failure of a child. */
  private static boolean isLimit(Throwable thrown, Throwable in) {
    return thrown instanceof TimeoutException
        && !isCancellation(in)
        && !(in instanceof TimeoutException);
  }
}
