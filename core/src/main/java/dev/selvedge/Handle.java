package dev.selvedge;

import org.jspecify.annotations.Nullable;

/** What the library asks of every {@link Task}, be it the task itself or a view of it. */
sealed interface Handle<T extends @Nullable Object, X extends Exception> extends Task<T, X>
    permits TaskImpl, ShieldView {
  /** What a done task throws, without retrieving it; null if it succeeded. */
  @Nullable Throwable ending();

  /** What a task that succeeded has returned. */
  T value();

  /** From now on its failure counts as known. */
  void retrieve();

  /** The same for a failure that was suppressed in another exception. */
  void retrieveSuppressed();

  /** Waits whatever happens; each interrupt is passed on. Returns whether there was one. */
  default boolean awaitPassingInterrupts(Runnable onInterrupt) {
    boolean interrupted = false;
    while (true) {
      try {
        awaitDone();
        return interrupted;
      } catch (InterruptedException e) {
        interrupted = true;
        onInterrupt.run();
      }
    }
  }
}
