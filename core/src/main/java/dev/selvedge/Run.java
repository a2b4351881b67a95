package dev.selvedge;

import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** One {@code run}, {@code runUntilComplete} or {@code runForever} on its way. */
final class Run {
  /** The task that waits for this run; null if it is no task. */
  final @Nullable TaskImpl<?, ?> caller = TaskImpl.current();

  final Thread callerThread = Thread.currentThread();

  private final CountDownLatch stopped = new CountDownLatch(1);

  // Guarded by this.
  private @Nullable TaskImpl<?, ?> main;
  private @Nullable CancelReason cancelled;
  private boolean keyboardInterrupt;

  /** Names the main task; what was cancelled before it had one cancels it now. */
  void main(TaskImpl<?, ?> task) {
    CancelReason pending;
    synchronized (this) {
      main = task;
      pending = cancelled;
    }
    if (pending != null) {
      task.cancel(pending);
    }
  }

  /** Ctrl-C. */
  void interruptFromKeyboard() {
    synchronized (this) {
      keyboardInterrupt = true;
    }
    cancel(new CancelReason(CancelReason.Source.KEYBOARD_INTERRUPT, "Ctrl-C", null));
  }

  /** Cancels main, or ends {@code runForever}. */
  void cancel(CancelReason reason) {
    TaskImpl<?, ?> task;
    synchronized (this) {
      if (cancelled == null) {
        cancelled = reason;
      }
      task = main;
    }
    if (task != null) {
      task.cancel(reason);
    }
    stop();
  }

  void stop() {
    stopped.countDown();
  }

  void awaitStop() throws InterruptedException {
    stopped.await();
  }

  /** Whether Ctrl-C came since this was last asked. */
  synchronized boolean takeKeyboardInterrupt() {
    boolean taken = keyboardInterrupt;
    keyboardInterrupt = false;
    return taken;
  }
}
