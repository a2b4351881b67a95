package dev.selvedge;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** Plays one sweep, as {@code ScopeSweepTest.closeAgainstFork}, and says what it came to. */
public final class Plays {
  private Plays() {}

  public static void main(String[] arguments) throws Exception {
    String[] name = arguments[0].split("\\.");
    Constructor<?> constructor = Class.forName("dev.selvedge." + name[0]).getDeclaredConstructor();
    Method sweep = constructor.getDeclaringClass().getDeclaredMethod(name[1]);
    constructor.setAccessible(true);
    sweep.setAccessible(true);
    long start = System.nanoTime();
    try {
      sweep.invoke(constructor.newInstance());
      System.out.println("passed");
    } catch (InvocationTargetException e) {
      System.out.println("killed after " + (System.nanoTime() - start) / 1_000_000 + " ms");
      System.out.println(e.getCause() + " <- " + e.getCause().getCause());
    }
    // Threads of a mutant may never end.
    Runtime.getRuntime().halt(0);
  }
}
