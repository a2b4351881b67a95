package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.slf4j.Logger;

/**
 * Small exception handlers, and what puts others together.
 *
 * {@snippet file="dev/selvedge/handlers/SamplesTest.java" region="handlers"}
 *
 * <p><b>Failure:</b> what a handler throws goes to whoever called it; at last the loop shows it
 * together with what it was about ({@link LoopExceptionHandler}).
 *
 * <p><b>Threads:</b> a loop calls its handler for one report at a time; one handler may serve
 * several loops, and then is called by several threads.
 *
 * @since 0.1.0
 */
public final class Handlers {
  private Handlers() {}

  /**
   * Prints to {@link System#err}, as a loop without a handler does: {@link
   * Loop#defaultExceptionHandler}.
   *
   * @return the handler
   */
  public static LoopExceptionHandler stderr() {
    return Loop::defaultExceptionHandler;
  }

  /**
   * Logs: failures at ERROR with the exception attached, warnings at WARN. The loop, and the name,
   * id and owner of the task, are key-value pairs, and so is each detail. As most layouts do not
   * print these, they follow the message as well, in brackets, all on one line with control
   * characters escaped.
   *
   * @param logger where to
   * @return the handler
   */
  public static LoopExceptionHandler slf4j(Logger logger) {
    return new Slf4jHandler(requireNonNull(logger, "logger"));
  }

  /**
   * Calls each, in this order, also if others throw.
   *
   * @param handlers whom to call; at least one
   * @return a handler that throws what the first of them to fail threw, what later ones threw
   *     suppressed in it; should it refuse them or have too many, they are printed
   * @throws IllegalArgumentException if there are none, which would drop everything
   */
  public static LoopExceptionHandler all(LoopExceptionHandler... handlers) {
    var all = new ArrayList<LoopExceptionHandler>();
    for (LoopExceptionHandler handler : requireNonNull(handlers, "handlers")) {
      all.add(requireNonNull(handler, "handlers"));
    }
    if (all.isEmpty()) {
      throw new IllegalArgumentException("no handlers: nobody would be told");
    }
    return new All(all);
  }

  /**
   * Drops the reports of some exceptions and prints all others: {@link #ignoring(Class,
   * LoopExceptionHandler)} with {@link #stderr}.
   *
   * @param type what to drop, with its subclasses
   * @return the handler
   */
  public static LoopExceptionHandler ignoring(Class<? extends Throwable> type) {
    return ignoring(type, stderr());
  }

  /**
   * Drops the reports of some exceptions.
   *
   * @param type what to drop, with its subclasses; causes are not looked at
   * @param otherwise gets all others, warnings included
   * @return the handler
   */
  public static LoopExceptionHandler ignoring(
      Class<? extends Throwable> type, LoopExceptionHandler otherwise) {
    return route().exception(type, (_, _) -> {}).otherwise(otherwise);
  }

  /**
   * Begins a handler that passes each report to one of several, the first whose condition holds.
   *
   * @return to add conditions to
   */
  public static Route route() {
    return new Route(List.of());
  }

  /**
   * What is known of a handler that chooses; immutable.
   *
   * @since 0.1.0
   */
  public static final class Route {
    private record Way(
        Predicate<? super ExceptionContext> condition, LoopExceptionHandler handler) {}

    private final List<Way> ways;

    private Route(List<Way> ways) {
      this.ways = ways;
    }

    /**
     * Adds a way for exceptions of a type.
     *
     * @param type the type, with its subclasses; causes are not looked at
     * @param handler what gets them
     * @return this and the way
     */
    public Route exception(Class<? extends Throwable> type, LoopExceptionHandler handler) {
      requireNonNull(type, "type");
      return when(context -> type.isInstance(context.exception()), handler);
    }

    /**
     * Adds a way for the reports of tasks with a name.
     *
     * @param name the whole name
     * @param handler what gets them
     * @return this and the way
     */
    public Route task(String name, LoopExceptionHandler handler) {
      requireNonNull(name, "name");
      return when(
          context -> context.future() != null && context.future().name().equals(name), handler);
    }

    /**
     * Adds a way.
     *
     * @param condition which reports take it
     * @param handler what gets them
     * @return this and the way
     */
    public Route when(Predicate<? super ExceptionContext> condition, LoopExceptionHandler handler) {
      var longer = new ArrayList<>(ways);
      longer.add(
          new Way(requireNonNull(condition, "condition"), requireNonNull(handler, "handler")));
      return new Route(List.copyOf(longer));
    }

    /**
     * Ends the choice.
     *
     * @param handler what gets the reports that took no way
     * @return the handler
     */
    public LoopExceptionHandler otherwise(LoopExceptionHandler handler) {
      requireNonNull(handler, "handler");
      return (loop, context) -> {
        for (Way way : ways) {
          if (way.condition.test(context)) {
            way.handler.handle(loop, context);
            return;
          }
        }
        handler.handle(loop, context);
      };
    }
  }

  private record All(List<LoopExceptionHandler> handlers) implements LoopExceptionHandler {
    @Override
    public void handle(Loop loop, ExceptionContext context) {
      Throwable thrown = null;
      for (LoopExceptionHandler handler : handlers) {
        try {
          handler.handle(loop, context);
        } catch (Throwable broken) {
          if (thrown == null) {
            thrown = broken;
          } else if (!Answers.suppress(thrown, broken)) {
            loop.defaultExceptionHandler(
                new ExceptionContext(
                    "Exception in one of several exception handlers",
                    broken,
                    null,
                    Map.of("handler", handler.getClass().getName())));
          }
        }
      }
      if (thrown != null) {
        throwUnchecked(thrown);
      }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <X extends Throwable> void throwUnchecked(Throwable thrown) throws X {
      throw (X) thrown;
    }
  }
}
