package dev.selvedge.programs;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;

/**
 * Starts a program of the tests. Under JaCoCo it also dumps the coverage once more when the library's
 * shutdown hook has ended: the agent's own hook runs at the same time as that one.
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
            new Thread(
                () -> {
                  try {
                    Thread.sleep(20); // until the other hooks have been started
                    for (Thread thread : Thread.getAllStackTraces().keySet()) {
                      if (thread.getName().equals("selvedge-exit")) {
                        thread.join();
                      }
                    }
                    agent.getClass().getMethod("dump", boolean.class).invoke(agent, true);
                  } catch (ReflectiveOperationException | InterruptedException e) {
                    e.printStackTrace();
                  }
                }));
  }
}
