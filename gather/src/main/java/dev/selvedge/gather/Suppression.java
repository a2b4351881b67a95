package dev.selvedge.gather;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

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
    var left = new ArrayList<Throwable>();
    synchronized (first) {
      var present = Collections.newSetFromMap(new IdentityHashMap<Throwable, Boolean>());
      present.add(first);
      Collections.addAll(present, first.getSuppressed());
      for (Throwable other : others) {
        if (!present.add(other)) {
          continue;
        }
        int before = first.getSuppressed().length;
        if (before < MOST) {
          first.addSuppressed(other);
        }
        if (first.getSuppressed().length == before) {
          left.add(other);
        }
      }
    }
    Loop loop = Loop.current();
    for (Throwable other : left) {
      loop.callExceptionHandler(
          new ExceptionContext(
              "A failure that the exception of its group did not take", other, null, Map.of()));
    }
    return first;
  }
}
