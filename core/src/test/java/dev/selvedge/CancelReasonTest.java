package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code CancelReason.current()}. */
@ExtendWith(Oracle.class)
class CancelReasonTest {
  private final Loop loop = Threads.builder().build();

  @AfterEach
  void close() {
    loop.close();
  }

  @Test
  @DisplayName("who catches an interrupt can ask why; the innermost reason comes first")
  void whoCatchesCanAsk() throws Exception {
    var seen = new ArrayList<CancelReason>();
    var begun = new Gate();
    var task =
        loop.createTask(() -> {
          assertThat(CancelReason.current()).isEmpty();
          assertThatThrownBy(() ->
                  Timeout.within(
                      Duration.ofMillis(1),
                      () -> {
                        try {
                          Thread.sleep(Duration.ofDays(1));
                        } finally {
                          CancelReason.current().ifPresent(seen::add);
                        }
                      }))
              .isInstanceOf(TimeoutException.class);
          assertThat(CancelReason.current()).as("after the timeout").isEmpty();
          begun.open();
          try {
            Thread.sleep(Duration.ofDays(1));
          } finally {
            CancelReason.current().ifPresent(seen::add);
            assertThat(Task.shielded(CancelReason::current)).as("shielded").isEmpty();
          }
        });
    begun.pass();
    task.cancel("enough");

    assertThatThrownBy(task::await).isInstanceOf(TaskCancelledException.class);
    assertThat(seen)
        .extracting(CancelReason::source)
        .isEqualTo(List.of(CancelReason.Source.TIMEOUT, CancelReason.Source.REQUEST));
    assertThat(seen.getLast().message()).isEqualTo("enough");
  }

  @Test
  @DisplayName("in a thread that is no task it knows of cancel scopes")
  void outsideOfTasks() throws Exception {
    assertThat(CancelReason.current()).isEmpty();
    var scope = CancelScope.create();
    assertThatThrownBy(() ->
            scope.run(() -> {
              scope.cancel("not needed");
              assertThat(CancelReason.current().map(CancelReason::message))
                  .isEqualTo(Optional.of("not needed"));
              Task.checkCancelled();
            }))
        .isInstanceOf(TaskCancelledException.class);
    assertThat(CancelReason.current()).isEmpty();
  }
}
