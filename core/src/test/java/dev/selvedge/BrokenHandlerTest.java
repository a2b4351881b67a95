package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** A handler that throws, or that leaves an interrupt behind. */
@ExtendWith(Oracle.class)
@ResourceLock(Resources.SYSTEM_ERR)
class BrokenHandlerTest {
  private final PrintStream before = System.err;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final IOException failure = new IOException("the failure of the body");

  @BeforeEach
  void capture() {
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    System.setErr(before);
  }

  @Test
  @DisplayName("promise 5: both the failure and what the handler threw are shown; nothing stops")
  void bothExceptionsAreShown() throws Exception {
    try (Loop loop = broken(new IllegalStateException("the handler's own"))) {
      loop.launch("failing", () -> fail());

      await().until(() -> text().contains("the handler's own"));

      Task<String, RuntimeException> next = loop.createTask(() -> "undisturbed");
      assertThat(next.await()).isEqualTo("undisturbed");
    }
    assertThat(text())
        .contains("Task exception was never retrieved")
        .contains("failing")
        .contains("java.io.IOException: the failure of the body")
        .contains("Exception in the exception handler")
        .contains("java.lang.IllegalStateException: the handler's own");
  }

  @Test
  @DisplayName("promise 5: listeners are told that the handler threw, with the report")
  void listenersAreTold() {
    var broken = new IllegalStateException("the handler's own");
    var told = new CopyOnWriteArrayList<Throwable>();
    var listener =
        new LoopListener() {
          @Override
          public void handlerFailed(ExceptionContext context, Throwable exception) {
            told.add(context.exception());
            told.add(exception);
          }
        };
    try (Loop loop =
        Threads.builder()
            .listener(listener)
            .exceptionHandler((from, context) -> {
              throw broken;
            })
            .build()) {
      loop.launch("failing", () -> fail());

      await().until(() -> text().contains("the handler's own"));
    }
    assertThat(told).containsExactly(failure, broken);
    assertThat(text()).contains("the handler's own");
  }

  @Test
  @DisplayName("promise 5: an Error of the handler is shown with the failure, too")
  void anErrorOfTheHandlerIsShown() {
    try (Loop loop = broken(new StackOverflowError("the handler's own"))) {
      loop.callExceptionHandler(new ExceptionContext("body", failure, null, Map.of()));

      assertThat(text())
          .contains("java.io.IOException: the failure of the body")
          .contains("java.lang.StackOverflowError: the handler's own");
    }
  }

  @Test
  @DisplayName(
      "HND-05: a handler that throws a cancellation is a broken handler; no task is cancelled")
  void aCancellationOfTheHandlerReachesNoTask() throws Exception {
    var release = new CountDownLatch(1);
    try (Loop loop = broken(new CancellationException("the handler's own"))) {
      Task<String, RuntimeException> bystander =
          loop.createTask(() -> {
            release.await();
            return "undisturbed";
          });
      Task<String, RuntimeException> reporter =
          loop.createTask(() -> {
            loop.callExceptionHandler(new ExceptionContext("body", failure, null, Map.of()));
            return "undisturbed";
          });

      assertThat(reporter.await()).isEqualTo("undisturbed");
      release.countDown();
      assertThat(bystander.await()).isEqualTo("undisturbed");
    }
    assertThat(text())
        .contains("java.io.IOException: the failure of the body")
        .contains("java.util.concurrent.CancellationException: the handler's own");
  }

  @Test
  @DisplayName(
      "HND-05: an interrupt that the handler left behind reaches neither reporter nor next call")
  void anInterruptOfTheHandlerGoesNowhere() {
    List<Boolean> interrupted = new CopyOnWriteArrayList<>();
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              interrupted.add(Thread.currentThread().isInterrupted());
              Thread.currentThread().interrupt();
            })
            .build()) {
      var context = new ExceptionContext("body", failure, null, Map.of());
      loop.callExceptionHandler(context);
      loop.callExceptionHandler(context);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }
    assertThat(interrupted).containsExactly(false, false);
  }

  @Test
  @DisplayName("HND-03: a custom handler prints nothing unless it delegates to the default")
  void aCustomHandlerReplacesTheDefault() {
    var quiet = new ExceptionContext("quiet", failure, null, Map.of());
    var loud = new ExceptionContext("loud", failure, null, Map.of());
    try (Loop loop =
        Threads.builder()
            .exceptionHandler((from, context) -> {
              if (context.message().equals("loud")) {
                from.defaultExceptionHandler(context);
              }
            })
            .build()) {
      loop.callExceptionHandler(quiet);
      assertThat(text()).isEmpty();

      loop.callExceptionHandler(loud);
      assertThat(text()).startsWith("loud\n").contains("the failure of the body");
    }
  }

  @Test
  @DisplayName("promise 5: a handler that closes its own loop is refused and falls back")
  void aHandlerThatClosesItsLoopIsRefused() {
    try (Loop loop = Threads.builder().exceptionHandler((from, context) -> from.close()).build()) {
      loop.callExceptionHandler(new ExceptionContext("body", failure, null, Map.of()));

      assertThat(loop.isClosed()).isFalse();
      assertThat(text()).contains("the failure of the body").contains("IllegalStateException");
    }
  }

  private Loop broken(Throwable own) {
    return Threads.builder()
        .exceptionHandler((loop, context) -> {
          throw Failures.<RuntimeException>sneak(own);
        })
        .build();
  }

  private Object fail() throws IOException {
    throw failure;
  }

  private String text() {
    return printed.toString(StandardCharsets.UTF_8);
  }
}
