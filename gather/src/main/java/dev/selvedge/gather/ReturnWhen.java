package dev.selvedge.gather;

/**
 * What {@link Gather#waitUntil} waits for: {@code return_when} of {@code asyncio.wait}.
 *
 * @since 0.1.0
 */
public enum ReturnWhen {
  /** One task is done, whatever its end. */
  FIRST_COMPLETED,
  /** One task has failed, or all are done. Being cancelled is not failing. */
  FIRST_EXCEPTION,
  /** All tasks are done. */
  ALL_COMPLETED
}
