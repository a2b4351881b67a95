package dev.selvedge.examples;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** What has happened so far. All tasks write to it; the display and the summary read it. */
final class Progress {
  /** A failure, by name and cause. Keeps no exception, so that many of them take little memory. */
  record Failure(String file, String cause) {}

  /** How many failures are kept by name; those beyond are counted. */
  static final int KEPT_FAILURES = 10_000;

  private final long start = System.nanoTime();
  private final LongAdder found = new LongAdder();
  private final LongAdder started = new LongAdder();
  private final LongAdder passed = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder cancelled = new LongAdder();
  private final LongAdder bytes = new LongAdder();
  private volatile boolean foundAll;

  /** Guarded by itself. */
  private final List<Failure> failures = new ArrayList<>();

  void found() {
    found.increment();
  }

  void foundAll() {
    foundAll = true;
  }

  void started() {
    started.increment();
  }

  void read(long count) {
    bytes.add(count);
  }

  void passed() {
    passed.increment();
  }

  void failed(String file, Throwable exception) {
    failed.increment();
    synchronized (failures) {
      if (failures.size() < KEPT_FAILURES) {
        failures.add(new Failure(file, Printable.cause(exception)));
      }
    }
  }

  void cancelled() {
    cancelled.increment();
  }

  /** The figures of this moment. */
  Figures figures() {
    boolean all = foundAll;
    long ended = passed.sum() + failed.sum() + cancelled.sum();
    long running = Math.max(0, started.sum() - ended);
    return new Figures(
        Math.max(found.sum(), ended + running),
        all,
        passed.sum(),
        failed.sum(),
        cancelled.sum(),
        running,
        bytes.sum(),
        Duration.ofNanos(System.nanoTime() - start));
  }

  /** The failures by name. */
  List<Failure> failures() {
    synchronized (failures) {
      return failures.stream().sorted(Comparator.comparing(Failure::file)).toList();
    }
  }
}
