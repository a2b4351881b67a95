package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Oracle.class)
class ExceptionTest {
  private final Threads.Reported reported = new Threads.Reported();

  @Test
  @DisplayName("EXC-02: every await and read throws the identical exception")
  void everyAwaitThrowsTheIdenticalException() throws Exception {
    var failure = new IOException("once");
    List<Throwable> seen =
        Threads.<List<Throwable>, Exception>run(
            reported,
            loop -> {
              Task<Object, IOException> task =
                  loop.createTask(
                      () -> {
                        throw failure;
                      });
              assertThatThrownBy(task::await).isSameAs(failure);
              assertThatThrownBy(task::await).isSameAs(failure);
              assertThatThrownBy(task::result).isSameAs(failure);
              return List.of(task.exception().orElseThrow());
            });

    assertThat(seen).containsExactly(failure);
    assertThat(failure.getSuppressed()).isEmpty();
    assertThat(reported.contexts).isEmpty();
  }
}
