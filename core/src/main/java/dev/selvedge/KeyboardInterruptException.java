package dev.selvedge;

import java.io.Serial;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C: comes out of {@link Loop#run} and its relatives after {@code main} and every task have
 * ended, as {@code KeyboardInterrupt} does out of {@code asyncio.run}.
 *
 * @since 0.1.0
 */
public final class KeyboardInterruptException extends CancellationException {
  @Serial private static final long serialVersionUID = 1L;

  KeyboardInterruptException(@Nullable Throwable cause) {
    super("interrupted from the keyboard");
    initCause(cause);
  }

  /** The failures that an interrupted join left in what ended main. */
  List<Throwable> failures() {
    Throwable cancelled = getCause();
    return Failures.suppressedFailures(cancelled == null ? null : cancelled.getCause());
  }
}
