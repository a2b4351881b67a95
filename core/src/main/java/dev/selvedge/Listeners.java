package dev.selvedge;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells the listeners of a loop, and reports what they throw. A loop without listeners has none.
 */
final class Listeners {
  private final Loop loop;
  private final LoopListener[] listeners;

  Listeners(Loop loop, List<LoopListener> listeners) {
    this.loop = loop;
    this.listeners = listeners.toArray(new LoopListener[0]);
  }

  void tell(Consumer<? super LoopListener> event) {
    for (LoopListener listener : listeners) {
      try {
        event.accept(listener);
      } catch (Throwable broken) {
        report(listener, broken);
      }
    }
  }

  // Without an object for the call, because these are told of every task.

  void started(Task<?, ?> task) {
    for (LoopListener listener : listeners) {
      try {
        listener.started(task);
      } catch (Throwable broken) {
        report(listener, broken);
      }
    }
  }

  void finished(Task<?, ?> task, @Nullable Throwable exception, long nanos) {
    for (LoopListener listener : listeners) {
      try {
        listener.finished(task, exception, nanos);
      } catch (Throwable broken) {
        report(listener, broken);
      }
    }
  }

  private void report(LoopListener listener, Throwable broken) {
    loop.reports()
        .postFromListener(
            new ExceptionContext(
                "Exception in a listener",
                broken,
                null,
                Map.of("listener", listener.getClass().getName())));
  }
}
