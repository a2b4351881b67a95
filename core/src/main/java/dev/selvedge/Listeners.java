package dev.selvedge;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells the listeners of a loop, and reports what they throw. A loop without listeners has none.
 */
final class Listeners implements LoopListener {
  private final Loop loop;
  private final List<LoopListener> listeners;

  Listeners(Loop loop, List<LoopListener> listeners) {
    this.loop = loop;
    this.listeners = List.copyOf(listeners);
  }

  private void tell(Consumer<LoopListener> event) {
    for (LoopListener listener : listeners) {
      try {
        event.accept(listener);
      } catch (Throwable broken) {
        loop.reports()
            .postFromListener(
                new ExceptionContext(
                    "Exception in a listener",
                    broken,
                    null,
                    Map.of("listener", listener.getClass().getName())));
      }
    }
  }

  @Override
  public void started(Task<?, ?> task) {
    tell(listener -> listener.started(task));
  }

  @Override
  public void finished(Task<?, ?> task, @Nullable Throwable exception) {
    tell(listener -> listener.finished(task, exception));
  }

  @Override
  public void cancelled(Task<?, ?> task, CancelReason reason) {
    tell(listener -> listener.cancelled(task, reason));
  }

  @Override
  public void tolerated(Task<?, ?> task, Throwable exception) {
    tell(listener -> listener.tolerated(task, exception));
  }

  @Override
  public void queued(Task<?, ?> task) {
    tell(listener -> listener.queued(task));
  }

  @Override
  public void admitted(Task<?, ?> task, Duration waited) {
    tell(listener -> listener.admitted(task, waited));
  }

  @Override
  public void rejected(Task<?, ?> task) {
    tell(listener -> listener.rejected(task));
  }

  @Override
  public void reported(ExceptionContext context) {
    tell(listener -> listener.reported(context));
  }

  @Override
  public void straggling(Task<?, ?> task, Duration asked) {
    tell(listener -> listener.straggling(task, asked));
  }
}
