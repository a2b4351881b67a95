package dev.selvedge.programs;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;

/**
 * Starts a program of the tests. Under JaCoCo it also dumps the coverage once more when the
 * library's shutdown hook and the program's have ended: the agent's own hook runs at the same time
 * as that one.
 */
public final class Launcher {
  private Launcher() {}

  public static void main(String[] arguments) throws Throwable {
    dumpCoverageAtExit();
    String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
    try {
      Class.forName(arguments[0]).getMethod("main", String[].class).invoke(null, (Object) rest);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static void dumpCoverageAtExit() throws ReflectiveOperationException {
    Object agent;
    try {
      agent = Class.forName("org.jacoco.agent.rt.RT").getMethod("getAgent").invoke(null);
    } catch (ClassNotFoundException without) {
      return;
    }
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> {
              try {
                awaitExitThreads();
                agent.getClass().getMethod("dump", boolean.class).invoke(agent, true);
              } catch (ReflectiveOperationException | InterruptedException e) {
                e.printStackTrace();
              }
            }));
  }

  /** The hooks are started in no order, so the other one may be yet to come, or may have ended. */
  private static void awaitExitThreads() throws InterruptedException {
    long start = System.nanoTime();
    boolean seen = false;
    while (!seen && System.nanoTime() - start < 100_000_000) {
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread.getName().endsWith("-exit")) {
          thread.join();
          seen = true;
        }
      }
      Thread.sleep(1);
    }
  }
}
