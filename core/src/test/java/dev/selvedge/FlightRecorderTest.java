package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.EventType;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The events of JDK Flight Recorder, read back from a recording. */
@ExtendWith(Oracle.class)
class FlightRecorderTest {
  private final Threads.Reported reported = new Threads.Reported();
  @TempDir Path directory;

  private List<RecordedEvent> record(String event, Action<Exception> program) throws Exception {
    Path file = directory.resolve("recording.jfr");
    try (var recording = new Recording()) {
      recording.enable(event).withThreshold(Duration.ZERO);
      recording.start();
      program.run();
      recording.stop();
      recording.dump(file);
    }
    return RecordingFile.readAllEvents(file).stream()
        .filter(each -> each.getEventType().getName().equals(event))
        .toList();
  }

  /** Events come in no order that is promised. */
  private static RecordedEvent named(String task, List<RecordedEvent> events) {
    return events.stream()
        .filter(each -> each.getString("taskName").equals(task))
        .findFirst()
        .orElseThrow();
  }

  private Loop loop() {
    return Threads.builder().name("recorded").exceptionHandler(reported).build();
  }

  private static Object fail(String message) throws IOException {
    throw new IOException(message);
  }

  @Test
  @DisplayName("dev.selvedge.Task: one for each body that ran, with its time and its outcome")
  void tasks() throws Exception {
    List<RecordedEvent> events =
        record(
            "dev.selvedge.Task",
            () -> {
              try (Loop loop = loop()) {
                assertThat(loop.createTask("value", () -> 1).await()).isEqualTo(1);
                Task<Object, IOException> failing =
                    loop.createTask(
                        "failing",
                        () -> {
                          LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
                          return fail("body");
                        });
                assertThatThrownBy(failing::await).isInstanceOf(IOException.class);
              }
            });

    assertThat(events).hasSize(2);
    RecordedEvent value = named("value", events);
    assertThat(value.getEventType().getName()).isEqualTo("dev.selvedge.Task");
    assertThat(value.getString("taskName")).isEqualTo("value");
    assertThat(value.getString("owner")).isEqualTo("recorded");
    assertThat(value.getString("loop")).isEqualTo("recorded");
    assertThat(value.getLong("taskId")).isPositive();
    assertThat(value.getString("outcome")).isEqualTo("SUCCESS");
    assertThat(value.getString("exceptionClass")).isNull();
    RecordedEvent failing = named("failing", events);
    assertThat(failing.getString("outcome")).isEqualTo("FAILED");
    assertThat(failing.getString("exceptionClass")).isEqualTo(IOException.class.getName());
    assertThat(failing.getDuration()).isGreaterThanOrEqualTo(Duration.ofMillis(15));
  }

  @Test
  @DisplayName("dev.selvedge.Task: without a setting of their own, those that took 10 ms")
  void threshold() throws Exception {
    var recording = new Recording();
    try (recording) {
      recording.start();
      try (Loop loop = loop()) {
        assertThat(loop.createTask("short", () -> 1).await()).isEqualTo(1);
        loop.createTask("long", () -> LockSupport.parkNanos(Duration.ofMillis(20).toNanos()))
            .await();
      }
      recording.stop();
      Path file = directory.resolve("recording.jfr");
      recording.dump(file);
      assertThat(RecordingFile.readAllEvents(file))
          .filteredOn(event -> event.getEventType().getName().equals("dev.selvedge.Task"))
          .extracting(event -> event.getString("taskName"))
          .contains("long")
          .doesNotContain("short");
    }
  }

  @Test
  @DisplayName("dev.selvedge.Cancel: who asked, why, and where")
  void cancellations() throws Exception {
    List<RecordedEvent> events =
        record(
            "dev.selvedge.Cancel",
            () -> {
              try (Loop loop = loop()) {
                var begun = new CountDownLatch(1);
                Task<Object, RuntimeException> blocked =
                    loop.createTask(
                        "blocked",
                        () -> {
                          begun.countDown();
                          new CountDownLatch(1).await();
                          return null;
                        });
                begun.await();
                blocked.cancel("enough");
                blocked.awaitDone();
              }
            });

    assertThat(events).hasSize(1);
    RecordedEvent cancel = events.getFirst();
    assertThat(cancel.getString("taskName")).isEqualTo("blocked");
    assertThat(cancel.getString("source")).isEqualTo("REQUEST");
    assertThat(cancel.getString("message")).isEqualTo("enough");
    assertThat(cancel.getString("by")).isNull();
    assertThat(cancel.getStackTrace()).isNotNull();
  }

  @Test
  @DisplayName("dev.selvedge.Orphan: what nobody awaited")
  void orphans() throws Exception {
    List<RecordedEvent> events =
        record(
            "dev.selvedge.Orphan",
            () -> {
              try (Loop loop = loop()) {
                loop.launch("lost", () -> fail("nobody"));
                await().until(() -> !reported.contexts.isEmpty());
              }
            });

    assertThat(events).hasSize(1);
    RecordedEvent orphan = events.getFirst();
    assertThat(orphan.getString("taskName")).isEqualTo("lost");
    assertThat(orphan.getString("exceptionClass")).isEqualTo(IOException.class.getName());
    assertThat(orphan.getString("message")).isEqualTo("nobody");
    assertThat(reported.contexts).hasSize(1);
  }

  @Test
  @DisplayName("dev.selvedge.Straggler: each time that a task is found to go on")
  void stragglers() throws Exception {
    List<RecordedEvent> events =
        record(
            "dev.selvedge.Straggler",
            () -> {
              try (Loop loop =
                  Threads.builder()
                      .exceptionHandler(reported)
                      .stragglerWarning(Duration.ofMillis(1))
                      .build()) {
                var begun = new CountDownLatch(1);
                loop.launch(
                    "stubborn",
                    () -> {
                      begun.countDown();
                      while (reported.contexts.isEmpty()) {
                        Thread.onSpinWait();
                      }
                    });
                begun.await();
              }
            });

    assertThat(events).isNotEmpty();
    assertThat(events.getFirst().getString("taskName")).isEqualTo("stubborn");
    assertThat(events.getFirst().getDuration("asked")).isPositive();
  }

  @Test
  @DisplayName("without a recording nothing is on")
  void off() {
    assertThat(FlightRecorder.recordsTasks()).isFalse();
    assertThat(FlightRecorder.begin()).isNull();
    assertThat(EventType.getEventType(FlightRecorder.TaskEvent.class).isEnabled()).isFalse();
  }
}
