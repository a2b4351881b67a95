package dev.selvedge.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Loop;
import dev.selvedge.handlers.micrometer.LoopMetrics;
import dev.selvedge.handlers.micrometer.MdcCarrier;
import dev.selvedge.handlers.micrometer.ObservationCarrier;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.MDC;

/** The samples of watching.md. */
@Timeout(30)
class WatchingSamplesTest {
  private final MeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void meters() throws Exception {
    // @start region="meters"
    LoopMetrics metrics = LoopMetrics.create("orders");
    metrics.bindTo(registry);
    Loop loop = Loop.builder().name("orders").listener(metrics).build();
    // @end
    try (loop) {
      loop.createTask("fetch-17", () -> 1).await();
    }
    assertThat(registry.get("selvedge.tasks.forks").tags("kind", "fetch").functionCounter().count())
        .isEqualTo(1);
  }

  @Test
  void kinds() throws Exception {
    // @start region="kinds"
    LoopMetrics metrics =
        LoopMetrics.builder("orders")
            .kinds(task -> task.ownerName()) // the scope or loop
            .tags(Tags.of("region", "north"))
            .distributions(true)
            .build();
    // @end
    metrics.bindTo(registry);
    try (Loop loop = Loop.builder().name("shop").listener(metrics).build()) {
      loop.createTask(() -> 1).await();
    }
    assertThat(
            registry
                .get("selvedge.tasks")
                .tags("kind", "shop", "region", "north", "outcome", "success")
                .timer()
                .count())
        .isEqualTo(1);
  }

  @Test
  @SuppressWarnings("try") // a scope that is there to be closed
  void carriers() throws Exception {
    var observations = ObservationRegistry.create();
    observations.observationConfig().observationHandler(context -> true);
    var request = Observation.start("request", observations);
    // @start region="carriers"
    Loop loop =
        Loop.builder()
            .carry(ObservationCarrier.create()) // with its span, and whatever has an accessor
            .carry(MdcCarrier.create()) // the logging context
            .build();
    // @end
    MDC.put("request", "17");
    try (loop;
        Observation.Scope current = request.openScope()) {
      assertThat(loop.createTask(observations::getCurrentObservation).await()).isSameAs(request);
      assertThat(loop.createTask(() -> MDC.get("request")).await()).isEqualTo("17");
    } finally {
      MDC.clear();
      request.stop();
    }
  }
}
