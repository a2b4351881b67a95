package dev.selvedge.stress.soak;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** What is alive in this JVM, as the JVM says it. */
final class Alive {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private Alive() {}

  /** A dump of all threads, virtual ones too. */
  static String threads() throws IOException {
    Path folder = Files.createTempDirectory("soak");
    Path file = folder.resolve("threads.txt");
    try {
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .dumpThreads(file.toString(), ThreadDumpFormat.TEXT_PLAIN);
      return Files.readString(file);
    } finally {
      Files.deleteIfExists(file);
      Files.delete(folder);
    }
  }

  /** The virtual threads that are left after a while. */
  static List<String> virtualThreads() throws IOException, InterruptedException {
    return left(line -> line.startsWith("#") && line.contains(" virtual"));
  }

  /** The library's own threads, which end some seconds after the last timer. */
  static List<String> threadsOfTheLibrary() throws IOException, InterruptedException {
    return left(line -> line.startsWith("#") && line.contains("\"selvedge-"));
  }

  private static List<String> left(java.util.function.Predicate<String> wanted)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    while (true) {
      List<String> left = threads().lines().filter(wanted).toList();
      if (left.isEmpty() || System.nanoTime() - start > PATIENCE.toNanos()) {
        return left;
      }
      Thread.sleep(20);
    }
  }

  /** The bytes in use after a collection; nothing runs meanwhile. */
  static long heap() throws InterruptedException {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      System.gc();
      Thread.sleep(30); // for references to be cleared and dropped
      Runtime runtime = Runtime.getRuntime();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }
}
