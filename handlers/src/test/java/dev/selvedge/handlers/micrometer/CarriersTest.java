package dev.selvedge.handlers.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.Body;
import dev.selvedge.ContextCarrier;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.Threads;
import dev.selvedge.gather.Gather;
import dev.selvedge.handlers.Kit;
import dev.selvedge.testkit.SelvedgeExtension;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshotFactory;
import io.micrometer.context.integration.Slf4jThreadLocalAccessor;
import io.micrometer.observation.Observation;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.MDC;

@SuppressWarnings("try") // scopes that are there to be closed
class CarriersTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private static final ThreadLocal<String> TENANT = new ThreadLocal<>();

  private final TestObservationRegistry observations = TestObservationRegistry.create();
  private final ContextRegistry contexts = new ContextRegistry();

  @AfterEach
  void clear() {
    MDC.clear();
    TENANT.remove();
  }

  private static Loop loop(ContextCarrier carrier) {
    return Threads.builder().carry(carrier).build();
  }

  private ObservationCarrier registered() {
    return ObservationCarrier.create(
        ContextSnapshotFactory.builder().contextRegistry(contexts).build());
  }

  @Test
  @DisplayName("MDC: a task has that of the thread that forks it, a copy that it may change")
  void mdc() throws Exception {
    MDC.put("request", "17");
    try (Loop loop = loop(MdcCarrier.create())) {
      Task<String, RuntimeException> task =
          loop.createTask(() -> {
            String seen = MDC.get("request");
            MDC.put("request", "changed");
            return seen + " " + Task.create(() -> MDC.get("request")).await();
          });
      MDC.put("request", "18");
      assertThat(task.await()).isEqualTo("17 changed");
      assertThat(MDC.get("request")).isEqualTo("18");
      MDC.clear();
      assertThat(loop.createTask(() -> String.valueOf(MDC.get("request"))).await())
          .isEqualTo("null");
    }
  }

  @Test
  @DisplayName("MDC: the thread is as it was before, whatever the body did")
  void mdcLeavesTheThreadClean() throws Exception {
    MDC.put("request", "17");
    Body<String, IllegalStateException> body =
        MdcCarrier.create()
            .carry(() -> {
              MDC.put("left", "behind");
              throw new IllegalStateException(MDC.get("request"));
            });
    MDC.clear();
    assertThatThrownBy(body::call).hasMessage("17");
    assertThat(MDC.getCopyOfContextMap()).isNullOrEmpty();
    MDC.put("request", "18");
    assertThatThrownBy(body::call).hasMessage("17");
    assertThat(MDC.getCopyOfContextMap()).containsOnlyKeys("request").containsValue("18");
  }

  @Test
  @DisplayName("MDC: the exception handler sees that of the task that failed")
  void mdcInTheHandler() {
    var seen = new CopyOnWriteArrayList<String>();
    try (Loop loop =
        Threads.builder()
            .carry(MdcCarrier.create())
            .exceptionHandler((from, context) -> seen.add(String.valueOf(MDC.get("request"))))
            .build()) {
      MDC.put("request", "17");
      loop.launch(() -> {
        throw new IllegalStateException("body");
      });
      await().until(() -> !seen.isEmpty());
    }
    assertThat(seen).containsExactly("17");
  }

  @Test
  @DisplayName("observations: those of children are below that of the caller")
  void observations() throws Exception {
    Observation parent = Observation.createNotStarted("request", observations);
    try (Loop loop = loop(ObservationCarrier.create())) {
      loop.runUntilComplete(() -> {
        parent.start();
        try (Observation.Scope current = parent.openScope();
            TaskScope<RuntimeException> scope = TaskScope.open()) {
          for (int i = 0; i < 3; i++) {
            scope.fork(() ->
                Observation.createNotStarted("child", observations)
                    .observe(() -> assertThat(observations.getCurrentObservation()).isNotNull()));
          }
          scope.join();
          assertThat(observations.getCurrentObservation()).isSameAs(parent);
        }
        parent.stop();
      });
    }
    TestObservationRegistryAssert.assertThat(observations)
        .doesNotHaveAnyRemainingCurrentObservation()
        .hasNumberOfObservationsWithNameEqualTo("child", 3)
        .forAllObservationsWithNameEqualTo(
            "child", child -> child.hasParentObservationEqualTo(parent));
  }

  @Test
  @DisplayName("observations: those of a gather's children, nested ones too, are below it")
  void gathered() throws Exception {
    Observation parent = Observation.createNotStarted("request", observations);
    Body<String, RuntimeException> child =
        () ->
            within(
                Observation.createNotStarted("child", observations),
                () ->
                    String.valueOf(
                        Gather.gather(
                            List.<Body<String, RuntimeException>>of(
                                this::observed, this::observed))));
    try (Loop loop = loop(ObservationCarrier.create())) {
      loop.runUntilComplete(
          () -> within(parent, () -> String.valueOf(Gather.gather(List.of(child, child)))));
    }
    TestObservationRegistryAssert.assertThat(observations)
        .doesNotHaveAnyRemainingCurrentObservation()
        .hasNumberOfObservationsWithNameEqualTo("child", 2)
        .hasNumberOfObservationsWithNameEqualTo("grandchild", 4)
        .forAllObservationsWithNameEqualTo(
            "child", each -> each.hasParentObservationEqualTo(parent))
        .forAllObservationsWithNameEqualTo("grandchild", each -> each.hasParentObservation());
  }

  private static String within(Observation observation, Body<String, RuntimeException> body)
      throws InterruptedException {
    observation.start();
    try (Observation.Scope current = observation.openScope()) {
      return body.call();
    } finally {
      observation.stop();
    }
  }

  private String observed() {
    return Observation.createNotStarted("grandchild", observations).observe(() -> "seen");
  }

  @Test
  @DisplayName("whatever has an accessor is carried, and the thread is as it was before")
  void accessors() throws Exception {
    contexts.registerThreadLocalAccessor("tenant", TENANT);
    contexts.registerThreadLocalAccessor(new Slf4jThreadLocalAccessor());
    TENANT.set("north");
    MDC.put("request", "17");
    Body<List<String>, RuntimeException> body =
        registered().carry(() -> List.of(TENANT.get(), MDC.get("request")));
    TENANT.set("south");
    MDC.put("request", "18");
    assertThat(body.call()).containsExactly("north", "17");
    assertThat(TENANT.get()).isEqualTo("south");
    assertThat(MDC.get("request")).isEqualTo("18");

    try (Loop loop = loop(registered())) {
      assertThat(loop.createTask(TENANT::get).await()).isEqualTo("south");
    }
  }

  @Test
  @DisplayName("both carriers together")
  void both() throws Exception {
    MDC.put("request", "17");
    try (Loop loop =
        Threads.builder().carry(ObservationCarrier.create()).carry(MdcCarrier.create()).build()) {
      assertThat(loop.createTask(() -> MDC.get("request")).await()).isEqualTo("17");
    }
  }

  @Test
  @DisplayName("null arguments are named")
  void nulls() {
    assertThatNullPointerException()
        .isThrownBy(() -> ObservationCarrier.create(null))
        .withMessage("snapshots");
  }
}
