package dev.selvedge.handlers.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.Loop;
import dev.selvedge.handlers.Kit;
import dev.selvedge.testkit.SelvedgeExtension;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.MDC;

/** The samples of the Javadoc. */
@SuppressWarnings("try") // a scope that is there to be closed
class SamplesTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  @Test
  @DisplayName("metrics")
  void metrics() throws Exception {
    MeterRegistry registry = new SimpleMeterRegistry();
    // @start region="metrics"
    LoopMetrics metrics = LoopMetrics.create("orders");
    metrics.bindTo(registry);
    try (Loop loop = Loop.builder().name("orders").listener(metrics).build()) {
      loop.createTask("price-1", () -> 42).await();
    }
    // @end
    assertThat(registry.get("selvedge.tasks").tag("kind", "price").functionTimers()).hasSize(3);
  }

  @Test
  @DisplayName("mdc")
  void mdc() throws Exception {
    String seen;
    // @start region="mdc"
    MDC.put("request", "17");
    try (Loop loop = Loop.builder().carry(MdcCarrier.create()).build()) {
      seen = loop.createTask(() -> MDC.get("request")).await();
    }
    // @end
    MDC.clear();
    assertThat(seen).isEqualTo("17");
  }

  @Test
  @DisplayName("observation")
  void observation() throws Exception {
    var observations = ObservationRegistry.create();
    observations.observationConfig().observationHandler(context -> true);
    Observation seen;
    // @start region="observation"
    var request = Observation.start("request", observations);
    try (Loop loop = Loop.builder().carry(ObservationCarrier.create()).build();
        Observation.Scope current = request.openScope()) {
      seen = loop.createTask(() -> observations.getCurrentObservation()).await();
    } finally {
      request.stop();
    }
    // @end
    assertThat(seen).isSameAs(request);
  }
}
