package dev.selvedge.gather;

/** Cancellations that carry failures. */
final class Cancellations {
  private Cancellations() {}

  /** As when closing a resource was interrupted, and something has wrapped an interrupted join. */
  static InterruptedException with(Throwable suppressed, Throwable wrapped) {
    var closing = new InterruptedException("closing");
    closing.addSuppressed(suppressed);
    var joining = new InterruptedException("joining");
    joining.addSuppressed(wrapped);
    var cancelled = new InterruptedException("wrapping");
    cancelled.initCause(joining);
    cancelled.addSuppressed(closing);
    return cancelled;
  }
}
