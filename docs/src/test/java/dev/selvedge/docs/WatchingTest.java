package dev.selvedge.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Admission;
import dev.selvedge.Loop;
import dev.selvedge.gather.Gather;
import dev.selvedge.handlers.micrometer.LoopMetrics;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import jdk.jfr.FlightRecorder;
import jdk.jfr.ValueDescriptor;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The tables of watching.md against the code. */
@Timeout(30)
class WatchingTest {
  private static final Pattern METER =
      Pattern.compile("(?m)^\\| `(selvedge[^`]+)` \\| (\\w+) \\|([^|]*)\\|[^|]*\\|$");
  private static final Pattern EVENT =
      Pattern.compile("(?m)^\\| `(dev\\.selvedge[^`]+)` \\|([^|]*)\\|[^|]*\\|$");
  private static final Pattern WORD = Pattern.compile("`(\\w+)`");

  private static String page() throws IOException {
    return Repository.read(Repository.ROOT.resolve("docs/guide/watching.md"));
  }

  private static List<String> words(String cell) {
    return WORD.matcher(cell).results().map(match -> match.group(1)).sorted().toList();
  }

  private static String type(Meter meter) {
    return switch (meter.getId().getType()) {
      case COUNTER -> "counter";
      case GAUGE -> "gauge";
      case TIMER -> "timer";
      case DISTRIBUTION_SUMMARY -> "summary";
      default ->
          meter instanceof io.micrometer.core.instrument.FunctionTimer ? "timer" : "unexpected";
    };
  }

  /** Lets everything happen that there is a meter for. */
  private static SimpleMeterRegistry provoked() throws Exception {
    var registry = new SimpleMeterRegistry();
    LoopMetrics metrics = LoopMetrics.create("table");
    metrics.bindTo(registry);
    var release = new CountDownLatch(1);
    try (Loop loop =
        Loop.builder()
            .handleSignals(false)
            .listener(metrics)
            .admission(Admission.queue(1, 1))
            .build()) {
      loop.runUntilComplete(() -> Gather.gather(() -> 1, () -> 2));
      var blocked =
          loop.createTask(() -> {
            release.await();
            throw new IOException("tolerated");
          });
      blocked.ignoreFailure();
      var queued = loop.createTask(() -> 1);
      try {
        loop.createTask(() -> 2);
      } catch (java.util.concurrent.RejectedExecutionException expected) {
        assertThat(expected).hasMessageContaining("limit");
      }
      release.countDown();
      assertThat(queued.await()).isEqualTo(1);
      var cancelled =
          loop.createTask(() -> {
            new CountDownLatch(1).await();
            return 3;
          });
      cancelled.cancel("enough");
      cancelled.awaitDone();
      loop.callListeners(listener -> listener.restarted(cancelled, 1));
      loop.callListeners(listener ->
          listener.reported(new dev.selvedge.ExceptionContext("message", null, null, Map.of())));
      loop.callListeners(listener ->
          listener.handlerFailed(
              new dev.selvedge.ExceptionContext("message", null, null, Map.of()),
              new IOException("handler")));
    }
    return registry;
  }

  @Test
  @DisplayName("every meter is in the table, with its type and its tags, and no other")
  void meters() throws Exception {
    Map<String, List<String>> table = new TreeMap<>();
    for (MatchResult row : METER.matcher(page()).results().toList()) {
      var cells = new ArrayList<String>(words(row.group(3)));
      cells.addFirst(row.group(2));
      table.put(row.group(1), cells);
    }

    Map<String, List<String>> real = new TreeMap<>();
    for (Meter meter : provoked().getMeters()) {
      var cells =
          new ArrayList<String>(
              meter.getId().getTags().stream()
                  .map(Tag::getKey)
                  .filter(key -> !key.equals("loop"))
                  .sorted()
                  .toList());
      cells.addFirst(type(meter));
      real.put(meter.getId().getName(), cells);
      assertThat(meter.getId().getTag("loop")).isEqualTo("table");
      assertThat(meter.getId().getDescription()).isNotBlank();
    }
    assertThat(table).isEqualTo(real).hasSize(13);
  }

  @Test
  @DisplayName("every event of Flight Recorder is in the table, with its fields, and no other")
  void events() throws Exception {
    Map<String, List<String>> table = new TreeMap<>();
    for (MatchResult row : EVENT.matcher(page()).results().toList()) {
      table.put(row.group(1), words(row.group(2)));
    }

    List<String> everyEvents = List.of("startTime", "duration", "eventThread", "stackTrace");
    Map<String, List<String>> real = new TreeMap<>();
    try (var recording = new jdk.jfr.Recording()) {
      recording.start();
      provoked();
      for (Class<?> event : Class.forName("dev.selvedge.FlightRecorder").getDeclaredClasses()) {
        if (!java.lang.reflect.Modifier.isAbstract(event.getModifiers())) {
          FlightRecorder.register(event.asSubclass(jdk.jfr.Event.class));
        }
      }
      FlightRecorder.getFlightRecorder().getEventTypes().stream()
          .filter(type -> type.getName().startsWith("dev.selvedge."))
          .forEach(type ->
              real.put(
                  type.getName(),
                  type.getFields().stream()
                      .map(ValueDescriptor::getName)
                      .filter(name -> !everyEvents.contains(name))
                      .sorted()
                      .toList()));
    }
    assertThat(table).isEqualTo(real).hasSize(4);
  }
}
