package dev.selvedge;

/**
 * Is told of every failure that nobody retrieved: asyncio's {@code loop.set_exception_handler}.
 *
 * <p><b>Threads:</b> calls are serialised per loop and made while holding no lock, in a task of the
 * loop's own that no {@link Loop#allTasks} lists. The handler may create tasks, call the loop,
 * block or throw.
 *
 * <p><b>Failure:</b> a handler that throws falls back to {@link Loop#defaultExceptionHandler},
 * which shows both exceptions.
 *
 * <p><b>Pitfall:</b> who reports waits until the handler has returned (unless the handler itself
 * waits for them), so a handler that blocks for long delays the end of what it reports.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface LoopExceptionHandler {
  /**
   * Deals with one failure or warning.
   *
   * @param loop the loop whose task it is
   * @param context what is known; a warning has no exception
   */
  void handle(Loop loop, ExceptionContext context);
}
