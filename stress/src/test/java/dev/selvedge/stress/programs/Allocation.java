package dev.selvedge.stress.programs;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/**
 * Says how many bytes an operation with some forks allocates, everything that the JDK allocates for
 * the threads included. And how many if each fork allocated some more, as a slip in the library
 * would.
 */
public final class Allocation {
  private static final int WARM_UP_FORKS = 40_000;
  private static final int MEASURED_FORKS = 10_000;

  /** Keeps the compiler from leaving the planted allocation out. */
  private static volatile Object planted = "nothing";

  /** What is measured. */
  @FunctionalInterface
  public interface Operation {
    void run(int forks) throws Exception;
  }

  private Allocation() {}

  /** A line for each number of forks: that number, the bytes, the bytes with what is planted. */
  public static void report(Operation operation, int... forks) throws Exception {
    for (int each : forks) {
      System.out.println(
          each + " " + least(operation, each) + " " + least(planting(operation), each));
    }
  }

  private static Operation planting(Operation operation) {
    return forks -> {
      operation.run(forks);
      for (int i = 0; i < forks; i++) {
        planted = new byte[24];
      }
    };
  }

  private static long least(Operation operation, int forks) throws Exception {
    bytes(operation, WARM_UP_FORKS / forks, forks);
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 2; round++) {
      least = Math.min(least, bytes(operation, MEASURED_FORKS / forks, forks));
    }
    return least;
  }

  /** The bytes of one of so many operations. */
  private static long bytes(Operation operation, int times, int forks) throws Exception {
    long before = allocated();
    for (int i = 0; i < times; i++) {
      operation.run(forks);
    }
    return (allocated() - before) / times;
  }

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getTotalThreadAllocatedBytes();
  }
}
