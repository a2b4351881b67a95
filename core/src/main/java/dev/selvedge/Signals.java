package dev.selvedge;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C.
 *
 * <p>What does not work: the JVM's own reaction to SIGINT starts the shutdown hooks and lets no
 * {@code finally} of main run, and a hook cannot stop an exit that has begun. So the signal itself
 * is handled, while a run is active: the first SIGINT cancels the main of every run. The second is
 * passed to the JVM's handler, which exits at once; our hook then waits for nobody.
 *
 * <p>A handler that somebody else installed stays, as does SIGINT being ignored (as under {@code
 * nohup}) or kept from Java ({@code -Xrs}). {@code sun.misc.Signal} is reached through method
 * handles because naming it gives a warning that nothing silences.
 */
final class Signals {
  private static final Set<Run> ACTIVE = new HashSet<>(); // guarded by Signals.class

  // Guarded by Signals.class.

  /** The JVM's handler, once ours was in its place. */
  private static @Nullable Object replaced;

  private static boolean installed;
  private static boolean seenFirst;

  private Signals() {}

  static synchronized void begin(Run run) {
    if (ACTIVE.isEmpty()) {
      seenFirst = false;
      Object before = Access.install();
      installed = before != null;
      if (installed) {
        replaced = before;
      }
    }
    ACTIVE.add(run);
  }

  static synchronized void end(Run run) {
    if (ACTIVE.remove(run) && ACTIVE.isEmpty() && installed && replaced != null) {
      Access.restore(replaced);
      installed = false;
    }
  }

  /** Called by the JVM in a thread of its own. */
  @SuppressWarnings("UnusedMethod") // through a method handle
  private static void onInterrupt(Object signal) {
    List<Run> runs;
    Object next;
    synchronized (Signals.class) {
      runs = seenFirst ? List.of() : List.copyOf(ACTIVE);
      seenFirst = true;
      next = replaced;
    }
    if (!runs.isEmpty()) {
      runs.forEach(Run::interruptFromKeyboard);
    } else if (next != null) {
      Exit.skip();
      Access.pass(next, signal);
    }
  }

  /** {@code sun.misc.Signal} and {@code sun.misc.SignalHandler}. */
  private static final class Access {
    private static final MethodHandle HANDLE;
    private static final MethodHandle PASS;
    private static final Object SIGINT;
    private static final Object OURS;

    static {
      try {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        MethodHandles.Lookup lookup = MethodHandles.lookup();
        HANDLE =
            lookup.findStatic(signal, "handle", MethodType.methodType(handler, signal, handler));
        PASS = lookup.findVirtual(handler, "handle", MethodType.methodType(void.class, signal));
        SIGINT =
            lookup
                .findConstructor(signal, MethodType.methodType(void.class, String.class))
                .invoke("INT");
        OURS =
            MethodHandleProxies.asInterfaceInstance(
                handler,
                lookup
                    .findStatic(
                        Signals.class,
                        "onInterrupt",
                        MethodType.methodType(void.class, Object.class))
                    .asType(MethodType.methodType(void.class, signal)));
      } catch (Throwable t) {
        throw new ExceptionInInitializerError(t);
      }
    }

    private Access() {}

    /** Returns the JVM's handler, or null if the signal is not ours to take. */
    static @Nullable Object install() {
      try {
        Object before = handle(OURS);
        if (before.getClass().getName().startsWith("java.lang.Terminator")
            || before.toString().startsWith("java.lang.Terminator")) {
          return before;
        }
        handle(before);
        return null;
      } catch (IllegalArgumentException takenByTheJvm) {
        return null;
      }
    }

    @SuppressWarnings("ReferenceEquality") // a handler of somebody else's may call itself equal
    static void restore(Object before) {
      Object present = handle(before);
      if (present != OURS) {
        handle(present);
      }
    }

    static void pass(Object handler, Object signal) {
      try {
        PASS.invoke(handler, signal);
      } catch (Throwable t) {
        throw Failures.<RuntimeException>sneak(t);
      }
    }

    private static Object handle(Object handler) {
      try {
        return HANDLE.invoke(SIGINT, handler);
      } catch (Throwable t) {
        throw Failures.<RuntimeException>sneak(t);
      }
    }
  }
}
