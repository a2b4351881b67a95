package dev.selvedge.spring;

import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Counts what the endpoints show, also where there is no registry of meters. */
final class TaskCounts {
  private final LongAdder started = new LongAdder();
  private final LongAdder succeeded = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder cancelled = new LongAdder();
  private final LongAdder orphaned = new LongAdder();

  LoopListener asListener() {
    return new LoopListener() {
      @Override
      public void started(Task<?, ?> task) {
        started.increment();
      }

      @Override
      public void finished(Task<?, ?> task, @Nullable Throwable exception, long nanos) {
        if (exception == null) {
          succeeded.increment();
        } else if (task.isCancelled()) {
          cancelled.increment();
        } else {
          failed.increment();
        }
      }

      @Override
      public void orphaned(Task<?, ?> task, Throwable exception) {
        orphaned.increment();
      }
    };
  }

  TasksEndpoint.Counts now() {
    return new TasksEndpoint.Counts(
        started.sum(), succeeded.sum(), failed.sum(), cancelled.sum(), orphaned.sum());
  }
}
