package dev.selvedge.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** What figures depend on, without what tells whose machine it is. */
final class Machine {
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
}
