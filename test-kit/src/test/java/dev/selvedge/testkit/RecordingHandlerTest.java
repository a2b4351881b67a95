package dev.selvedge.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SelvedgeExtension.class)
class RecordingHandlerTest {
  private final IOException failure = new IOException("fallen");

  @Test
  void itRemembersWhatItIsToldInOrder(Loop loop, RecordingHandler handler) throws Exception {
    var warning = new ExceptionContext("beware", null, null, Map.of("of", "the dog"));
    var report = new ExceptionContext("it has happened", failure, null, Map.of());
    loop.callExceptionHandler(warning);
    loop.callExceptionHandler(report);

    assertThat(handler.contexts()).containsExactly(warning, report);
    assertThat(handler.messages()).containsExactly("beware", "it has happened");
    assertThat(handler.exceptions()).containsExactly(failure);
    assertThat(handler.unexpected()).containsExactly(warning, report);
    assertThat(RecordingHandler.describe(handler.unexpected()))
        .isEqualTo("\n  beware, {of=the dog}\n  it has happened: java.io.IOException: fallen");
    assertThat(handler.toString()).startsWith("RecordingHandler[").contains("beware");

    assertThat(handler.expectReport("beware")).isSameAs(warning);
    assertThat(handler.expectOrphan(IOException.class)).isSameAs(failure);
    assertThat(handler.unexpected()).isEmpty();
  }

  @Test
  void anythingMayBeExpected(Loop loop, RecordingHandler handler) throws Exception {
    loop.callExceptionHandler(new ExceptionContext("before", failure, null, Map.of()));
    handler.expectAnything();
    loop.callExceptionHandler(new ExceptionContext("after", null, null, Map.of()));
    assertThat(handler.unexpected()).isEmpty();
    assertThat(handler.expectOrphan(IOException.class)).isSameAs(failure);
  }

  @Test
  @DisplayName("a failure is expected once, also if anything may be expected")
  void aFailureIsExpectedOnce(Loop loop, RecordingHandler handler) throws Exception {
    var other = new IOException("another");
    loop.callExceptionHandler(new ExceptionContext("before", failure, null, Map.of()));
    handler.expectAnything();
    loop.callExceptionHandler(new ExceptionContext("after", other, null, Map.of()));
    loop.callExceptionHandler(new ExceptionContext("warning", null, null, Map.of()));

    assertThat(handler.expectOrphan(IOException.class)).isSameAs(failure);
    assertThat(handler.expectOrphan(IOException.class)).isSameAs(other);
    handler.patience = Duration.ofMillis(20);
    assertThatThrownBy(() -> handler.expectOrphan(IOException.class))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("but:\n  warning");
    assertThat(handler.exceptions()).containsExactly(failure, other);
  }
}
