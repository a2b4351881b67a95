package dev.selvedge.stress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ChildJvm;
import dev.selvedge.Oracle;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import dev.selvedge.stress.programs.ManyTasks;
import dev.selvedge.stress.programs.Maps;
import dev.selvedge.stress.programs.ParkedTasks;
import java.io.InputStream;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What comes and goes leaves nothing, and what waits takes little more than its thread. */
@ExtendWith(Oracle.class)
@Tag("virtual-only") // the programs' loops make their threads themselves
class MemoryTest {
  /** One million in the usual run, 20 million with {@code -Plong}. */
  private static final int SHORT_TASKS = Threads.EFFORT >= 20 ? 20_000_000 : 1_000_000;

  private static final int PARKED_TASKS = 1_000_000;

  /** The default of HotSpot's option of that name, in bytes of code. */
  private static final int FREQ_INLINE_SIZE = 325;

  @Test
  @DisplayName(
      "many short tasks through a loop and an open scope, singly, by the thousand, failing, in 64"
          + " MB")
  void manyShortTasksLeaveNothing() throws Exception {
    int each = SHORT_TASKS / ManyTasks.WAYS;
    try (ChildJvm child =
        ChildJvm.startOptimized(List.of("-Xmx64m"), ManyTasks.class, String.valueOf(each))) {
      ChildJvm.Ended ended = child.awaitEnd(Duration.ofSeconds(60L * SHORT_TASKS / 1_000_000));

      assertThat(ended.code()).as(ended.err()).isZero();
      assertThat(ended.out()).containsExactly("done");
      assertThat(ended.err()).isEmpty();
    }
  }

  @Test
  @Tag("long")
  @DisplayName(
      "a million parked tasks take at most a tenth more than plain virtual threads, in 2 GB")
  void parkedTasksTakeLittleMoreThanTheirThreads() throws Exception {
    long threads = parked("threads");

    assertThat(parked("loop")).isLessThanOrEqualTo(threads * 110 / 100);
    assertThat(parked("scope")).isLessThanOrEqualTo(threads * 110 / 100);
  }

  @Test
  @DisplayName("TaskImpl.end is longer than what HotSpot inlines into the frame of a parked task")
  void theEndOfATaskIsNotInlined() throws Exception {
    ClassModel type;
    try (InputStream bytes = Task.class.getResourceAsStream("TaskImpl.class")) {
      type = ClassFile.of().parse(bytes.readAllBytes());
    }

    assertThat(type.methods())
        .filteredOn(method -> method.methodName().equalsString("end"))
        .singleElement()
        .extracting(method -> method.findAttribute(Attributes.code()).orElseThrow().codeLength())
        .satisfies(length -> assertThat(length).isGreaterThan(FREQ_INLINE_SIZE));
  }

  /** The least of three runs: frames that were not compiled yet are larger, in all the ways. */
  private static long parked(String how) throws InterruptedException {
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 3; run++) {
      try (ChildJvm child =
          ChildJvm.startOptimized(
              List.of("-Xmx2g"), ParkedTasks.class, how, String.valueOf(PARKED_TASKS))) {
        ChildJvm.Ended ended = child.awaitEnd(Duration.ofMinutes(5));

        assertThat(ended.code()).as(ended.err()).isZero();
        least = Math.min(least, Long.parseLong(ended.out().getFirst().split(" ")[0]));
      }
    }
    return least;
  }

  @Test
  @DisplayName("Gather maps more inputs than fit into 64 MB, with values of a kilobyte")
  void mapsWhatDoesNotFit() throws Exception {
    map(100_000, Duration.ofMinutes(1));
  }

  @Test
  @Tag("long")
  @DisplayName("Gather maps ten million inputs in 64 MB")
  void mapsTenMillion() throws Exception {
    map(10_000_000, Duration.ofMinutes(10));
  }

  private static void map(int inputs, Duration limit) throws Exception {
    for (String way : List.of("forEach", "stream", "streamCompleted")) {
      try (ChildJvm child =
          ChildJvm.startOptimized(List.of("-Xmx64m"), Maps.class, way, String.valueOf(inputs))) {
        ChildJvm.Ended ended = child.awaitEnd(limit);

        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.out()).containsExactly(String.valueOf(inputs));
      }
    }
  }
}
