package dev.selvedge.gather;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.TaskTrace;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** How several failures become one where no scope does it. */
final class Suppression {
  /** The same as in core: an exception takes so many others along. */
  private static final int MOST = 16;

  private Suppression() {}

  /** Throws an exception as what it is; the caller's signature vouches for it. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  static <X extends Throwable> RuntimeException sneak(Throwable exception) throws X {
    throw (X) exception;
  }

  /** Suppresses the others, each once; what the first does not take goes to the handler. */
  static <E extends Throwable> E suppress(E first, List<? extends Throwable> others) {
    report(left(first, others));
    return first;
  }

  /** Suppresses the others, each once, and returns what the first does not take. */
  static List<Throwable> left(Throwable first, List<? extends Throwable> others) {
    var left = new ArrayList<Throwable>();
    synchronized (first) {
      var present = Collections.newSetFromMap(new IdentityHashMap<Throwable, Boolean>());
      present.add(first);
      Collections.addAll(present, first.getSuppressed());
      for (Throwable other : others) {
        if (present.add(other) && !takes(first, other)) {
          left.add(other);
        }
      }
    }
    return left;
  }

  /** Gives what an exception did not take to the handler. */
  static void report(List<Throwable> left) {
    Loop loop = Loop.current();
    for (Throwable other : left) {
      loop.callExceptionHandler(
          new ExceptionContext(
              "A failure that the exception of its group did not take", other, null, Map.of()));
    }
  }

  /** Suppresses one more failure, unless the first refuses it or is full; traces do not count. */
  private static boolean takes(Throwable first, Throwable other) {
    Throwable[] before = first.getSuppressed();
    if (Stream.of(before).filter(each -> !(each instanceof TaskTrace)).count() >= MOST) {
      return false;
    }
    first.addSuppressed(other);
    return first.getSuppressed().length > before.length;
  }
}
