package dev.selvedge;

import java.lang.ref.ReferenceQueue;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds the failures whose handle nobody holds any more. One daemon thread per process waits for
 * the garbage collector while there are unread failures, and ends some seconds after the last.
 */
final class Orphans {
  static final ReferenceQueue<TaskImpl<?, ?>> QUEUE = new ReferenceQueue<>();

  private static final String NAME = "selvedge-orphans";
  private static final long IDLE_MILLIS = 5_000;

  /** The unread failures of loops and SUPERVISE scopes. Keeps a loop with some of them alive. */
  private static final Set<Failed> TRACKED = ConcurrentHashMap.newKeySet();

  private static @Nullable Thread watcher; // guarded by Orphans.class

  private Orphans() {}

  static void track(Failed failed) {
    TRACKED.add(failed);
    synchronized (Orphans.class) {
      if (watcher == null) {
        watcher = startWatcher();
      }
    }
    if (!failed.isUnread()) {
      TRACKED.remove(failed);
    }
  }

  private static Thread startWatcher() {
    try {
      return Thread.ofPlatform().daemon().name(NAME).start(Orphans::watch);
    } catch (OutOfMemoryError noThread) {
      // The process has all the threads that it may have.
      return Thread.ofVirtual().name(NAME).start(Orphans::watch);
    }
  }

  static void untrack(Failed failed) {
    TRACKED.remove(failed);
  }

  /** Those that nobody has heard of. */
  static List<Failed> unread() {
    return List.copyOf(TRACKED);
  }

  private static void watch() {
    while (true) {
      try {
        if (QUEUE.remove(IDLE_MILLIS) instanceof Failed failed) {
          failed.post();
          continue;
        }
      } catch (InterruptedException e) {
        // Nobody has a reason to interrupt this thread, and stopping would lose reports.
        continue;
      }
      synchronized (Orphans.class) {
        if (TRACKED.isEmpty()) {
          watcher = null;
          return;
        }
      }
    }
  }
}
