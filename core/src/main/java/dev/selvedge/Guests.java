package dev.selvedge;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The threads of somebody else's in which a loop is the current one. The loop counts them among its
 * children: it waits for them when it closes, and cancels what they run for it.
 */
final class Guests {
  private record Guest(Thread thread, CancelScope scope) {}

  private final Loop loop;
  private final Set<Guest> present = ConcurrentHashMap.newKeySet();

  /** While guests are asked to leave; guarded by this. */
  private LoopClock.@Nullable Alarm watch;

  Guests(Loop loop) {
    this.loop = loop;
  }

  <T extends @Nullable Object, X extends Exception> T call(Body<? extends T, ? extends X> body)
      throws X, InterruptedException {
    var guest = new Guest(Thread.currentThread(), CancelScope.create());
    // Who closes the loop refuses first and then looks for guests; here it is the other way round.
    present.add(guest);
    try {
      loop.admit();
      try {
        return guest.scope.<T, X>call(() -> Strand.<T, X>callIn(loop, body));
      } finally {
        loop.dismiss();
      }
    } finally {
      present.remove(guest);
    }
  }

  List<Thread> threads() {
    return present.stream().map(Guest::thread).toList();
  }

  boolean contains(Thread thread) {
    return present.stream().anyMatch(guest -> guest.thread == thread);
  }

  /** Cancels what the guests run, and names those who go on, until {@link #haveLeft}. */
  void cancel(CancelReason reason) {
    // Listeners hear of what that cancels: without the monitor.
    present.forEach(guest -> guest.scope.cancel(reason));
    synchronized (this) {
      if (!present.isEmpty()) {
        watch(reason, loop.stragglerWarning());
      }
    }
  }

  private void watch(CancelReason reason, Duration delay) {
    watch = loop.clock().schedule(() -> warn(reason, delay.multipliedBy(2)), delay);
  }

  synchronized void haveLeft() {
    if (watch != null) {
      watch.cancel();
      watch = null;
    }
  }

  private synchronized void warn(CancelReason reason, Duration next) {
    if (watch != null && !present.isEmpty()) {
      present.forEach(guest -> warn(guest, reason));
      watch(reason, next);
    }
  }

  private void warn(Guest guest, CancelReason reason) {
    loop.warn(
        "Thread ignores the end of its loop",
        null,
        Map.of(
            "thread", StackText.name(guest.thread),
            "reason", reason,
            "stack", StackText.of(guest.thread.getStackTrace())));
  }
}
