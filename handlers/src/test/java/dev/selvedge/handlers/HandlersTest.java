package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Suppressed;
import dev.selvedge.TaskScope;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class HandlersTest extends HandlerFixture {
  private final List<String> called = new ArrayList<>();

  private LoopExceptionHandler named(String name) {
    return (_, context) -> called.add(name + " " + context.exception());
  }

  @Test
  @DisplayName("stderr prints what a loop without a handler prints")
  void stderr() {
    PrintStream before = System.err;
    var bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      Handlers.stderr().handle(loop, failure("lost"));
      Handlers.stderr().handle(loop, context(null));
    } finally {
      System.setErr(before);
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .startsWith("Something happened\n")
        .contains("java.io.IOException: lost")
        .endsWith("Something happened\n");
  }

  @Test
  @DisplayName(
      "slf4j logs failures at ERROR with the exception, loop, task, id and owner; warnings at WARN")
  void slf4j() throws Exception {
    var appender = new ListAppender<ILoggingEvent>();
    var logging = new LoggerContext();
    Logger logger = logging.getLogger("failures");
    logger.addAppender(appender);
    appender.start();
    loop.setExceptionHandler(Handlers.slf4j(logger));
    var failure = new IOException("lost");
    var id = new ArrayList<Long>();
    loop.runUntilComplete(() -> {
      try (TaskScope<Exception> scope = TaskScope.open(TaskScope.Policy.SUPERVISE, "lines")) {
        id.add(
            scope
                .fork(
                    "line 1",
                    () -> {
                      throw failure;
                    })
                .id());
        scope.join();
      }
    });
    Handlers.slf4j(logger)
        .handle(loop, new ExceptionContext("Slow", null, null, Map.of("tasks", 3, "by", "main")));

    ILoggingEvent error = appender.list.getFirst();
    assertThat(error.getLevel()).isEqualTo(Level.ERROR);
    assertThat(error.getFormattedMessage())
        .isEqualTo(
            "Task exception was never retrieved [loop=orders, task=line 1, id="
                + id.getFirst()
                + ", owner=lines]");
    assertThat(((ThrowableProxy) error.getThrowableProxy()).getThrowable()).isSameAs(failure);
    assertThat(error.getKeyValuePairs())
        .extracting(pair -> pair.key + "=" + pair.value)
        .containsExactly("loop=orders", "task=line 1", "id=" + id.getFirst(), "owner=lines");
    ILoggingEvent warning = appender.list.getLast();
    assertThat(warning.getLevel()).isEqualTo(Level.WARN);
    assertThat(warning.getFormattedMessage()).isEqualTo("Slow [loop=orders, by=main, tasks=3]");
    assertThat(warning.getThrowableProxy()).isNull();
    assertThat(warning.getKeyValuePairs())
        .extracting(pair -> pair.key + "=" + pair.value)
        .containsExactly("loop=orders", "by=main", "tasks=3");
    assertThat(appender.list).hasSize(2);
  }

  @Test
  @DisplayName("slf4j: the message is one line that has all there is to know, whatever that is")
  void slf4jOfOneLine() {
    var appender = new ListAppender<ILoggingEvent>();
    Logger logger = new LoggerContext().getLogger("failures");
    logger.addAppender(appender);
    appender.start();
    Object broken =
        new Object() {
          @Override
          public String toString() {
            throw new IllegalStateException("no text");
          }
        };

    Handlers.slf4j(logger)
        .handle(
            loop,
            new ExceptionContext(
                "Slow {}\r\n",
                null,
                null,
                Map.of("a", broken, "stack", "\tat b\n\u0007\u0085$1\\")));

    assertThat(appender.list.getFirst().getFormattedMessage())
        .isEqualTo(
            "Slow {}\\r\\n [loop=orders, a=(no text: java.lang.IllegalStateException),"
                + " stack=\\tat b\\n\\u0007\\u0085$1\\]");
  }

  @Test
  @DisplayName("all calls each in order, also after one throws; what they throw comes out together")
  void all() {
    var first = new IllegalStateException("first");
    var second = new IllegalStateException("second");
    LoopExceptionHandler all =
        Handlers.all(
            named("a"), throwing(first), named("b"), throwing(second), throwing(first), named("c"));

    assertThatThrownBy(() -> all.handle(loop, context(null))).isSameAs(first);
    assertThat(called).containsExactly("a null", "b null", "c null");
    assertThat(Suppressed.in(first)).containsExactly(second);
  }

  @Test
  @DisplayName("a failure whose handlers throw is shown with what they threw")
  void allBroken() {
    loop.setExceptionHandler(
        Handlers.all(named("a"), throwing(new IllegalStateException("broken handler"))));
    PrintStream before = System.err;
    var bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      fail("task", new IOException("lost"));
    } finally {
      System.setErr(before);
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .contains("java.io.IOException: lost")
        .contains("java.lang.IllegalStateException: broken handler");
    assertThat(called).containsExactly("a java.io.IOException: lost");
  }

  @Test
  @DisplayName(
      "route takes the first way that fits: by type, by the name of the task, by condition")
  void route() {
    LoopExceptionHandler route =
        Handlers.route()
            .exception(FileNotFoundException.class, named("missing"))
            .exception(IOException.class, named("io"))
            .task("poller", named("poller"))
            .when(context -> context.message().startsWith("Some"), named("some"))
            .otherwise(named("other"));
    loop.setExceptionHandler(route);

    fail("poller", new FileNotFoundException("a"));
    fail("poller", new IOException("b"));
    fail("poller", new IllegalStateException("c"));
    fail("other", new IllegalStateException("d"));
    route.handle(loop, context(null));

    assertThat(called)
        .containsExactly(
            "missing java.io.FileNotFoundException: a",
            "io java.io.IOException: b",
            "poller java.lang.IllegalStateException: c",
            "other java.lang.IllegalStateException: d",
            "some null");
  }

  @Test
  @DisplayName("a route is a value: what is added later does not change it")
  void routeIsImmutable() {
    Handlers.Route ways = Handlers.route();
    Handlers.Route more = ways.exception(IOException.class, named("io"));
    ways.otherwise(named("other")).handle(loop, failure("a"));
    more.otherwise(named("other")).handle(loop, failure("b"));
    assertThat(called).containsExactly("other java.io.IOException: a", "io java.io.IOException: b");
  }

  @Test
  @DisplayName("ignoring drops one type with its subclasses, and nothing else")
  void ignoring() {
    LoopExceptionHandler handler = Handlers.ignoring(IOException.class, named("other"));
    handler.handle(loop, context(new FileNotFoundException("a")));
    handler.handle(loop, context(new IllegalStateException(new IOException("b"))));
    handler.handle(loop, context(null));
    assertThat(called)
        .containsExactly(
            "other java.lang.IllegalStateException: java.io.IOException: b", "other null");
    Handlers.ignoring(IOException.class).handle(loop, failure("c"));
  }

  @Test
  @DisplayName("what is missing is named")
  void badInput() {
    assertThatThrownBy(() -> Handlers.slf4j(null)).hasMessage("logger");
    assertThatThrownBy(() -> Handlers.all(named("a"), null)).hasMessage("handlers");
    assertThatThrownBy(() -> Handlers.all((LoopExceptionHandler[]) null)).hasMessage("handlers");
    assertThatThrownBy(() -> Handlers.all())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no handlers: nobody would be told");
    assertThatThrownBy(() -> Handlers.route().exception(null, named("a"))).hasMessage("type");
    assertThatThrownBy(() -> Handlers.route().task(null, named("a"))).hasMessage("name");
    assertThatThrownBy(() -> Handlers.route().task("a", null)).hasMessage("handler");
    assertThatThrownBy(() -> Handlers.route().when(null, named("a"))).hasMessage("condition");
    assertThatThrownBy(() -> Handlers.route().otherwise(null)).hasMessage("handler");
    assertThatThrownBy(() -> Handlers.ignoring(null)).hasMessage("type");
  }

  @Test
  @DisplayName("a handler may be shared by loops")
  void shared() {
    LoopExceptionHandler handler = (from, _) -> called.add(from.name());
    try (Loop other = Loop.builder().name("other").exceptionHandler(handler).build()) {
      loop.setExceptionHandler(handler);
      fail("a", new IOException("a"));
      fail(other, "b", new IOException("b"));
    }
    assertThat(called).containsExactly("orders", "other");
  }
}
