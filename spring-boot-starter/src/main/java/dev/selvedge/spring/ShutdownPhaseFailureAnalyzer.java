package dev.selvedge.spring;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

final class ShutdownPhaseFailureAnalyzer
    extends AbstractFailureAnalyzer<ShutdownPhaseTooShortException> {
  @Override
  protected FailureAnalysis analyze(Throwable rootFailure, ShutdownPhaseTooShortException cause) {
    return new FailureAnalysis(
        cause.getMessage()
            + ", after which Spring closes what the tasks may still be using: database connections,"
            + " for example.",
        "Shorten selvedge.shutdown.drain or selvedge.shutdown.timeout, or lengthen"
            + " spring.lifecycle.timeout-per-shutdown-phase.",
        cause);
  }
}
