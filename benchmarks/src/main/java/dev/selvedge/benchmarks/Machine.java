package dev.selvedge.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What figures depend on, without what tells whose machine it is. */
final class Machine {
  private static final List<String> LIBRARIES =
      List.of(
          "structured",
          "parallel-collectors",
          "kotlinx-coroutines-core-jvm",
          "reactor-core",
          "micrometer-core",
          "jmh-core");
  private static final Pattern JAR = Pattern.compile("(.+?)-(\\d[^/]*)\\.jar");

  private Machine() {}

  static String describe() {
    var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return "%d cores, %d GiB of memory, %s %s, JDK %s"
        .formatted(
            system.getAvailableProcessors(),
            Math.round(system.getTotalMemorySize() / (double) (1 << 30)),
            system.getName(),
            system.getArch(),
            Runtime.version());
  }

  /** The libraries that are measured, or measured with, as their files on the class path say. */
  static String libraries() {
    return Pattern.compile(Pattern.quote(File.pathSeparator))
        .splitAsStream(System.getProperty("java.class.path"))
        .map(file -> JAR.matcher(file.substring(file.lastIndexOf(File.separatorChar) + 1)))
        .filter(jar -> jar.matches() && LIBRARIES.contains(jar.group(1)))
        .map(jar -> jar.group(1) + " " + jar.group(2))
        .sorted()
        .collect(Collectors.joining(", "));
  }
}
