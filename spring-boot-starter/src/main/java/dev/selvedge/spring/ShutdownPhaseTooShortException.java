package dev.selvedge.spring;

import java.time.Duration;

/** Spring would go on closing the context while tasks may still run. */
final class ShutdownPhaseTooShortException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  ShutdownPhaseTooShortException(SelvedgeProperties.Shutdown shutdown, Duration phase) {
    super(
        "selvedge.shutdown.drain (%s) and selvedge.shutdown.timeout (%s) together are longer than spring.lifecycle.timeout-per-shutdown-phase (%s)"
            .formatted(shutdown.drain(), shutdown.timeout(), phase));
  }
}
