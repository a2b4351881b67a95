package dev.selvedge.benchmarks;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** What probes share, and the program that runs one: {@code Probes CLASS PEER SIZE}. */
public final class Probes {
  private Probes() {}

  /** Prints a line for each measure. */
  public static void main(String[] args) throws Exception {
    Class<?> probe = Class.forName(args[0]);
    Object instance = probe.getConstructor().newInstance();
    Object measures =
        probe.getMethod(args[1], int.class).invoke(instance, Integer.parseInt(args[2]));
    ((Map<?, ?>) measures).forEach((name, value) -> System.out.println(name + "=" + value));
    // Peers keep pools whose threads are no daemons.
    System.exit(0);
  }

  /** Reads what {@link #main} has printed. */
  static Map<String, Double> parse(String output) {
    var measures = new LinkedHashMap<String, Double>();
    output
        .lines()
        .map(line -> line.split("=", 2))
        .forEach(pair -> measures.put(pair[0], Double.valueOf(pair[1])));
    return measures;
  }

  /** The measures in their order: name, value, name, value. */
  static Map<String, Double> measures(Object... namesAndValues) {
    var measures = new LinkedHashMap<String, Double>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      measures.put((String) namesAndValues[i], ((Number) namesAndValues[i + 1]).doubleValue());
    }
    return measures;
  }

  /** Runs it some times for nothing, and then some times for its results, in ascending order. */
  static double[] sorted(int warmUp, int measured, Callable<Double> operation) throws Exception {
    for (int i = 0; i < warmUp; i++) {
      checked(operation.call());
    }
    var results = new double[measured];
    for (int i = 0; i < measured; i++) {
      results[i] = checked(operation.call());
    }
    Arrays.sort(results);
    return results;
  }

  private static double checked(double result) {
    if (result < 0) {
      throw new AssertionError(String.format(Locale.ROOT, "it took %f", result));
    }
    return result;
  }

  /**
   * Waits for ever, or until interrupted. Not for a latch: to take one of many interrupted threads
   * out of its queue takes a look at all of them.
   */
  static void block() throws InterruptedException {
    while (!Thread.interrupted()) {
      LockSupport.park();
    }
    throw new InterruptedException();
  }

  /** The value that so much of the sorted ones do not exceed. */
  static double percentile(double[] sorted, double part) {
    return sorted[Math.min(sorted.length - 1, (int) Math.ceil(part * sorted.length) - 1)];
  }

  /** The bytes of the heap that are in use, after a collection. */
  static long usedBytes() {
    Runtime runtime = Runtime.getRuntime();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }

  static double micros(long nanos) {
    return nanos / 1e3;
  }

  static double millis(long nanos) {
    return nanos / 1e6;
  }
}
