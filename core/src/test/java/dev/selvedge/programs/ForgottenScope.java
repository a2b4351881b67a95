package dev.selvedge.programs;

import dev.selvedge.TaskScope;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;

/** A thread that is no task opens a scope, a child of it fails, and the thread ends. */
public final class ForgottenScope {
  private ForgottenScope() {}

  public static void main(String[] arguments) throws InterruptedException {
    Thread forgetful = new Thread(ForgottenScope::forget);
    forgetful.start();
    forgetful.join();
    forgetful = null;
    System.gc();
  }

  @SuppressWarnings("resource") // the point
  private static void forget() {
    TaskScope<IOException> scope = TaskScope.open();
    var failed = new CountDownLatch(1);
    scope
        .<Object>fork(
            "forgotten",
            () -> {
              throw new IOException("nobody joined");
            })
        .onDone(task -> failed.countDown());
    try {
      failed.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
