package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Loop;
import dev.selvedge.TaskCancelledException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class TreeCheckTest {
  @TempDir private Path directory;
  private final Progress progress = new Progress();

  @Test
  void aFailureStopsNobody() throws Exception {
    var tree = new SampleTree(directory);
    for (int i = 0; i < 50; i++) {
      tree.good("good-%d.jar".formatted(i), i);
    }
    tree.damaged("bad.jar");

    check(RateLimit.none(), 4, false).run();

    Figures figures = progress.figures();
    assertThat(figures.passed()).isEqualTo(50);
    assertThat(figures.failed()).isEqualTo(1);
    assertThat(figures.found()).isEqualTo(51);
    assertThat(figures.foundAll()).isTrue();
    assertThat(progress.failures())
        .singleElement()
        .extracting(Progress.Failure::file)
        .isEqualTo("bad.jar");
  }

  @Test
  void withFailFastTheFirstFailureCancelsTheRestAndComesOut() throws Exception {
    var tree = new SampleTree(directory);
    for (int i = 0; i < 20; i++) {
      tree.good("good-%d.jar".formatted(i), 100);
    }
    tree.withChecksum("bad.jar", "bad", "no SHA-1");

    TreeCheck check = check(RateLimitTest.never(), 21, true);

    assertThatThrownBy(check::run).isInstanceOf(MalformedChecksumException.class);
    Figures figures = progress.figures();
    assertThat(figures.passed()).isZero();
    assertThat(figures.failed()).isEqualTo(1);
    assertThat(figures.running()).isZero();
  }

  @Test
  void aFailureEndsAWalkThatWaitsForASlot() throws Exception {
    var tree = new SampleTree(directory);
    for (int i = 0; i < 20; i++) {
      tree.withChecksum("bad-%d.jar".formatted(i), "bad", "no SHA-1");
    }

    TreeCheck check = check(RateLimit.none(), 1, true);

    assertThatThrownBy(check::run).isInstanceOf(MalformedChecksumException.class);
    assertThat(progress.figures().failed()).isLessThan(20);
  }

  @Test
  void asManyFilesAsAllowedAreReadAtOnceAndNoMore() throws Exception {
    var tree = new SampleTree(directory);
    for (int i = 0; i < 40; i++) {
      tree.good("good-%d.jar".formatted(i), 100);
    }
    var reading = new AtomicInteger();
    var most = new AtomicInteger();
    var three = new CountDownLatch(3);
    RateLimit observing =
        wanted -> {
          most.accumulateAndGet(reading.incrementAndGet(), Math::max);
          three.countDown();
          three.await();
          Thread.yield();
          reading.decrementAndGet();
          return wanted;
        };

    check(observing, 3, false).run();

    assertThat(most).hasValue(3);
    assertThat(progress.figures().passed()).isEqualTo(40);
  }

  @Test
  void cancellingTheCallerCancelsTheFilesAndWaitsForThem() throws Exception {
    var tree = new SampleTree(directory);
    for (int i = 0; i < 20; i++) {
      tree.good("good-%d.jar".formatted(i), 100);
    }
    var reading = new CountDownLatch(5);
    RateLimit stuck =
        wanted -> {
          reading.countDown();
          return RateLimitTest.never().take(wanted);
        };

    try (Loop loop = Loop.create()) {
      var run = loop.createTask(() -> check(stuck, 5, false).run());
      reading.await();
      run.cancel("enough");
      assertThatThrownBy(run::await).isInstanceOf(TaskCancelledException.class);
    }

    Figures figures = progress.figures();
    assertThat(figures.cancelled()).isBetween(5L, 20L);
    assertThat(figures.running()).isZero();
    assertThat(figures.checked()).isZero();
  }

  private TreeCheck check(RateLimit rate, int parallel, boolean failFast) {
    var files = new FileCheck(rate, progress::read);
    return new TreeCheck(new ChecksummedFiles(directory), files, parallel, failFast, progress);
  }
}
