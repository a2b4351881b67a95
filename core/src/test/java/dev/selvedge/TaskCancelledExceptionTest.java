package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class TaskCancelledExceptionTest {
  private final TaskCancelledException cancelled =
      new TaskCancelledException(CancelReason.request("enough"), new InterruptedException());

  @Test
  @DisplayName("its message says who asked and why, the same text each time")
  void message() {
    assertThat(cancelled)
        .hasMessage("REQUEST: enough")
        .hasToString("dev.selvedge.TaskCancelledException: REQUEST: enough");
    assertThat(cancelled.getMessage()).isSameAs(cancelled.getMessage());
  }

  @Test
  @DisplayName("it lists the failures suppressed in what ended the task, but no interrupts")
  void failures() {
    var ending = new InterruptedException();
    var failure = new IllegalStateException("clean-up");
    ending.addSuppressed(new InterruptedException());
    ending.addSuppressed(failure);
    var carrying = new TaskCancelledException(CancelReason.request("enough"), ending);

    assertThat(cancelled.failures()).isEmpty();
    assertThat(carrying.failures()).containsExactly(failure);
    assertThat(new KeyboardInterruptException(carrying).failures()).containsExactly(failure);
    assertThat(new KeyboardInterruptException(null).failures()).isEmpty();
  }

  @Test
  @DisplayName("its message and reason survive serialization, but not the task that asked")
  void serialized() throws Exception {
    try (Loop loop = Threads.builder().build()) {
      Task<Void, RuntimeException> by = loop.createTask("by", () -> {});
      by.await();
      var reason = new CancelReason(CancelReason.Source.TIMEOUT, "late", by);
      var cancelled = new TaskCancelledException(reason, new InterruptedException());

      TaskCancelledException copy = copy(copy(cancelled));

      assertThat(copy)
          .hasMessage("TIMEOUT: late (by by)")
          .hasCauseInstanceOf(InterruptedException.class);
      assertThat(copy.reason())
          .isEqualTo(new CancelReason(CancelReason.Source.TIMEOUT, "late", null));
      assertThat(copy.failures()).isEmpty();
    }
  }

  private static TaskCancelledException copy(TaskCancelledException cancelled) throws Exception {
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(cancelled);
    }
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (TaskCancelledException) in.readObject();
    }
  }
}
