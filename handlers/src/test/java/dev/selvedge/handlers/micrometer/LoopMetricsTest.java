package dev.selvedge.handlers.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.Admission;
import dev.selvedge.ExceptionContext;
import dev.selvedge.Gate;
import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.Threads;
import dev.selvedge.handlers.Kit;
import dev.selvedge.testkit.ManualClock;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class LoopMetricsTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final LoopMetrics metrics = LoopMetrics.create("orders");
  private final RecordingHandler reported = new RecordingHandler();
  private final CountDownLatch release = new CountDownLatch(1);

  private Loop.Builder builder() {
    metrics.bindTo(registry);
    return Threads.builder().listener(metrics).exceptionHandler(reported);
  }

  private Object blockUntilReleased() throws InterruptedException {
    release.await();
    return "released";
  }

  private static Object fail() throws IOException {
    throw new IOException("body");
  }

  private double gauge(String name, String... tags) {
    return registry.get(name).tag("loop", "orders").tags(tags).gauge().value();
  }

  private double count(String name, String... tags) {
    return registry.get(name).tag("loop", "orders").tags(tags).functionCounter().count();
  }

  private double ended(String kind, String outcome) {
    return registry
        .get("selvedge.tasks")
        .tags("kind", kind, "outcome", outcome)
        .functionTimer()
        .count();
  }

  /** The counters of a name, as their tags but for the loop's. */
  private Map<String, Double> counts(String name) {
    var counts = new TreeMap<String, Double>();
    for (Meter meter : registry.find(name).meters()) {
      var words = new ArrayList<String>();
      for (Tag tag : meter.getId().getTags()) {
        if (!tag.getKey().equals("loop")) {
          words.add(tag.getValue());
        }
      }
      counts.put(
          String.join(" ", words), ((io.micrometer.core.instrument.FunctionCounter) meter).count());
    }
    return counts;
  }

  @Test
  @DisplayName("live tasks are counted exactly, by kind, and are none at the end")
  void live() throws Exception {
    try (Loop loop = builder().build()) {
      var tasks = new ArrayList<Task<Object, RuntimeException>>();
      for (int i = 0; i < 3; i++) {
        tasks.add(loop.createTask("fetch-" + i, this::blockUntilReleased));
      }
      tasks.add(loop.createTask(this::blockUntilReleased));
      assertThat(gauge("selvedge.tasks.live", "kind", "fetch")).isEqualTo(3);
      assertThat(gauge("selvedge.tasks.live", "kind", "task")).isEqualTo(1);
      release.countDown();
      for (Task<Object, RuntimeException> task : tasks) {
        task.await(); // else the close may cancel it
      }
    }
    assertThat(gauge("selvedge.tasks.live", "kind", "fetch")).isZero();
    assertThat(gauge("selvedge.tasks.live", "kind", "task")).isZero();
    assertThat(count("selvedge.tasks.forks", "kind", "fetch")).isEqualTo(3);
    assertThat(ended("fetch", "success")).isEqualTo(3);
  }

  @Test
  @DisplayName("durations by outcome, by the clock of the loop")
  void durations() throws Exception {
    var clock = new ManualClock();
    try (Loop loop = builder().clock(clock).build()) {
      loop.createTask(
              "slow",
              () -> {
                clock.advance(Duration.ofSeconds(2));
                return 1;
              })
          .await();
      Task<Object, IOException> failing = loop.createTask("slow", LoopMetricsTest::fail);
      assertThatThrownBy(failing::await).isInstanceOf(IOException.class);
      var begun = new CountDownLatch(1);
      Task<Object, RuntimeException> blocked =
          loop.createTask(
              "slow",
              () -> {
                begun.countDown();
                return blockUntilReleased();
              });
      begun.await();
      blocked.cancel("enough");
      blocked.awaitDone();
    }
    assertThat(ended("slow", "success")).isEqualTo(1);
    assertThat(ended("slow", "failure")).isEqualTo(1);
    assertThat(ended("slow", "cancelled")).isEqualTo(1);
    assertThat(
            registry
                .get("selvedge.tasks")
                .tags("kind", "slow", "outcome", "success")
                .functionTimer()
                .totalTime(TimeUnit.SECONDS))
        .isEqualTo(2);
    assertThat(counts("selvedge.cancellations")).containsExactly(Map.entry("slow request", 1.0));
  }

  @Test
  @DisplayName("failures by delivery and class: what was thrown is the sum of what is counted")
  void failures() throws Exception {
    try (Loop loop = builder().build()) {
      Task<Object, IOException> awaited = loop.createTask("a", LoopMetricsTest::fail);
      assertThatThrownBy(awaited::await).isInstanceOf(IOException.class);
      loop.createTask("t", LoopMetricsTest::fail).ignoreFailure().awaitDone();
      loop.launch("o", () -> fail());
      await().until(() -> !reported.contexts().isEmpty());
      loop.runUntilComplete(() -> {
        var begun = new CountDownLatch(1);
        try (TaskScope<IOException> scope = TaskScope.open()) {
          scope.fork(
              "s",
              () -> {
                try {
                  begun.countDown();
                  return blockUntilReleased();
                } catch (InterruptedException e) {
                  throw new IllegalStateException("clean-up");
                }
              });
          begun.await();
          scope.fork("f", LoopMetricsTest::fail);
          assertThatThrownBy(scope::join).isInstanceOf(IOException.class);
        }
      });
    }
    assertThat(counts("selvedge.failures"))
        .containsExactly(
            Map.entry("awaited IOException a", 1.0),
            Map.entry("awaited IOException f", 1.0),
            Map.entry("orphaned IOException o", 1.0),
            Map.entry("suppressed IllegalStateException s", 1.0),
            Map.entry("tolerated IOException t", 1.0));
    assertThat(counts("selvedge.cancellations"))
        .containsExactly(Map.entry("s sibling_failure", 1.0));
  }

  @Test
  @DisplayName("stragglers are counted while they go on, also those that no warning names")
  void stragglers() throws Exception {
    int tasks = 150;
    var clock = new ManualClock();
    try (Loop loop = builder().clock(clock).stragglerWarning(Duration.ofSeconds(1)).build()) {
      loop.runUntilComplete(() -> {
        try (TaskScope<RuntimeException> scope = TaskScope.open()) {
          var begun = new CountDownLatch(tasks);
          for (int i = 0; i < tasks; i++) {
            scope.fork(() -> {
              begun.countDown();
              while (release.getCount() > 0) {
                try {
                  release.await();
                } catch (InterruptedException ignored) {
                  // The point of this test.
                }
              }
            });
          }
          begun.await();
          assertThat(gauge("selvedge.tasks.stragglers")).isZero();
          scope.cancel("enough");
          clock.advance(Duration.ofSeconds(1));
          await().until(() -> gauge("selvedge.tasks.stragglers") == tasks);
          release.countDown();
          scope.join();
        }
        assertThat(gauge("selvedge.tasks.stragglers")).isZero();
      });
    }
    assertThat(reported.contexts()).hasSize(101);
  }

  @Test
  @DisplayName("an admission: who waits, for how long, and who is refused")
  void admission() throws Exception {
    try (Loop loop = builder().admission(Admission.queue(1, 1)).build()) {
      Task<Object, RuntimeException> running = loop.createTask("job", this::blockUntilReleased);
      Task<Integer, RuntimeException> waiting = loop.createTask("job", () -> 1);
      assertThat(gauge("selvedge.tasks.queued")).isEqualTo(1);
      assertThatThrownBy(() -> loop.createTask("job", () -> 2))
          .isInstanceOf(RejectedExecutionException.class);
      release.countDown();
      running.await();
      waiting.await();
    }
    assertThat(gauge("selvedge.tasks.queued")).isZero();
    assertThat(registry.get("selvedge.tasks.wait").timer().count()).isEqualTo(1);
    assertThat(counts("selvedge.tasks.rejected")).containsExactly(Map.entry("job", 1.0));
    assertThat(count("selvedge.tasks.forks", "kind", "job")).isEqualTo(2);
  }

  @Test
  @DisplayName("gathers by verb, restarts, and failures of the handler")
  void toldByOthers() {
    metrics.bindTo(registry);
    try (Loop loop =
        Threads.builder()
            .listener(metrics)
            .exceptionHandler((from, context) -> {
              throw new IllegalStateException("handler");
            })
            .build()) {
      loop.callListeners(listener -> listener.gathered("gather", 3));
      loop.callListeners(listener -> listener.gathered("gather", 5));
      loop.callListeners(listener ->
          listener.handlerFailed(
              new ExceptionContext("message", null, null, Map.of()),
              new IllegalStateException("handler")));
      Task<Integer, RuntimeException> task = loop.createTask("poller", () -> 1);
      loop.callListeners(listener -> listener.restarted(task, 1));
    }
    var width = registry.get("selvedge.gather.width").tag("verb", "gather").summary();
    assertThat(width.count()).isEqualTo(2);
    assertThat(width.totalAmount()).isEqualTo(8);
    assertThat(counts("selvedge.restarts")).containsExactly(Map.entry("poller", 1.0));
    assertThat(counts("selvedge.handler.failures"))
        .containsExactly(Map.entry("IllegalStateException", 1.0));
  }

  @Test
  @DisplayName("reports by message, those that are of no task too; texts of one's own are one")
  void reports() throws Exception {
    try (Loop loop = builder().build()) {
      loop.createTask("task", () -> 1)
          .onDone(_ -> {
            throw new IllegalStateException("callback");
          })
          .awaitDone();
      await().until(() -> !reported.contexts().isEmpty());
      for (String message : List.of("Scheduled run failed", "Scheduled run failed", "x", "y")) {
        loop.callExceptionHandler(new ExceptionContext(message, null, null, Map.of()));
      }
    }
    assertThat(counts("selvedge.reports"))
        .containsExactly(
            Map.entry("Exception in a callback of a task", 1.0),
            Map.entry("Scheduled run failed", 2.0),
            Map.entry("other", 2.0));
  }

  @Test
  @DisplayName("after 100 verbs the others are one")
  void manyVerbs() {
    try (Loop loop = builder().build()) {
      for (int i = 0; i < 150; i++) {
        String verb = "verb " + i;
        loop.callListeners(listener -> listener.gathered(verb, 1));
      }
    }
    assertThat(registry.find("selvedge.gather.width").summaries()).hasSize(101);
    assertThat(registry.get("selvedge.gather.width").tag("verb", "other").summary().count())
        .isEqualTo(50);
  }

  @Test
  @DisplayName("a convention of one's own, and more tags")
  void convention() throws Exception {
    LoopMetrics own =
        LoopMetrics.builder("orders")
            .kinds(task -> task.ownerName())
            .tags(Tags.of("region", "north"))
            .build();
    own.bindTo(registry);
    try (Loop loop = Threads.builder().name("shop").listener(own).build()) {
      loop.createTask("x-1", () -> 1).await();
    }
    assertThat(count("selvedge.tasks.forks", "kind", "shop", "region", "north")).isEqualTo(1);
  }

  @Test
  @DisplayName("after 100 kinds the others are one, and nothing is negative")
  void manyKinds() throws Exception {
    try (Loop loop = builder().build()) {
      for (int i = 0; i < 300; i++) {
        loop.createTask("kind" + "x".repeat(i), () -> 1).await();
      }
    }
    assertThat(registry.find("selvedge.tasks.live").gauges()).hasSize(101);
    assertThat(count("selvedge.tasks.forks", "kind", "other")).isEqualTo(201);
    assertThat(registry.find("selvedge.tasks.live").gauges())
        .allSatisfy(gauge -> assertThat(gauge.value()).isZero());
  }

  @Test
  @DisplayName("bound late: counts are of everything")
  void boundLate() throws Exception {
    try (Loop loop = Threads.builder().listener(metrics).build()) {
      loop.createTask("early", () -> 1).await();
      metrics.bindTo(registry);
      loop.createTask("early", () -> 1).await();
    }
    assertThat(count("selvedge.tasks.forks", "kind", "early")).isEqualTo(2);
    assertThat(ended("early", "success")).isEqualTo(2);
  }

  @Test
  @DisplayName("distributions: timers, of what came after they were bound")
  void distributions() throws Exception {
    var clock = new ManualClock();
    LoopMetrics detailed = LoopMetrics.builder("orders").distributions(true).build();
    try (Loop loop = Threads.builder().clock(clock).listener(detailed).build()) {
      loop.createTask("slow", () -> 1).await();
      detailed.bindTo(registry);
      loop.createTask(
              "slow",
              () -> {
                clock.advance(Duration.ofSeconds(2));
                return 1;
              })
          .await();
    }
    var timer = registry.get("selvedge.tasks").tags("kind", "slow", "outcome", "success").timer();
    assertThat(timer.count()).isEqualTo(1);
    assertThat(timer.max(TimeUnit.SECONDS)).isEqualTo(2);
    assertThat(count("selvedge.tasks.forks", "kind", "slow")).isEqualTo(2);
  }

  @Test
  @DisplayName("two registries have the same, and binding one again changes nothing")
  void twoRegistries() throws Exception {
    var second = new SimpleMeterRegistry();
    try (Loop loop = builder().build()) {
      metrics.bindTo(second);
      metrics.bindTo(registry);
      loop.createTask("both", () -> 1).await();
    }
    for (MeterRegistry each : List.of(registry, second)) {
      assertThat(
              each.get("selvedge.tasks")
                  .tags("kind", "both", "outcome", "success")
                  .functionTimer()
                  .count())
          .isEqualTo(1);
    }
  }

  @Test
  @DisplayName("meters that would be hidden by another's are refused, until that is closed")
  void twice() {
    metrics.bindTo(registry);
    LoopMetrics second = LoopMetrics.create("orders");
    assertThatIllegalStateException()
        .isThrownBy(() -> second.bindTo(registry))
        .withMessageContaining("orders")
        .withMessageContaining("close");
    LoopMetrics.create("customers").bindTo(registry);
    metrics.close();
    second.bindTo(registry);
    assertThat(registry.find("selvedge.tasks.stragglers").gauges()).hasSize(2);
  }

  @Test
  @DisplayName("meters with more tags hide none, and those whose ids are mapped alike do")
  void moreTags() {
    registry.config().commonTags("application", "shop");
    LoopMetrics.builder("orders").tags(Tags.of("region", "north")).build().bindTo(registry);
    metrics.bindTo(registry);
    assertThat(registry.find("selvedge.tasks.stragglers").gauges()).hasSize(2);
    assertThatIllegalStateException()
        .isThrownBy(() -> LoopMetrics.create("orders").bindTo(registry));
    metrics.close();
    assertThat(registry.find("selvedge.tasks.stragglers").gauges()).hasSize(1);
  }

  @Test
  @DisplayName("close removes its own meters, however the registry names them, and no others")
  void closeRemovesItsOwn() throws Exception {
    registry
        .config()
        .meterFilter(
            new MeterFilter() {
              @Override
              public Meter.Id map(Meter.Id id) {
                return id.withName("shop." + id.getName());
              }
            });
    metrics.bindTo(registry);
    LoopMetrics north = LoopMetrics.builder("orders").tags(Tags.of("region", "north")).build();
    north.bindTo(registry);
    long others = registry.find("shop.selvedge.tasks.live").tag("region", "north").meters().size();
    assertThat(others).isPositive();
    try (Loop loop = Threads.builder().listener(metrics).listener(north).build()) {
      loop.callListeners(listener -> listener.gathered("gather", 3));
      loop.createTask("late", () -> 1).await();
    }
    metrics.close();
    assertThat(registry.getMeters())
        .isNotEmpty()
        .allMatch(meter -> "north".equals(meter.getId().getTag("region")));
    north.close();
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  @DisplayName("what a closed registry is told does no harm, and another one goes on")
  void closedRegistry() throws Exception {
    var second = new SimpleMeterRegistry();
    try (Loop loop = builder().build()) {
      metrics.bindTo(second);
      registry.close();
      loop.createTask("late", () -> 1).await();
      loop.callListeners(listener -> listener.gathered("gather", 3));
    }
    assertThat(second.get("selvedge.tasks.forks").tag("kind", "late").functionCounter().count())
        .isEqualTo(1);
    assertThat(reported.contexts()).isEmpty();
  }

  /** Exceptions of as many classes, as a program may make them while it runs. */
  private static List<Throwable> classes(int count) throws Exception {
    var exceptions = new ArrayList<Throwable>();
    ClassDesc superclass = ClassDesc.of("java.lang.Exception");
    for (int i = 0; i < count; i++) {
      byte[] bytes =
          ClassFile.of()
              .build(
                  ClassDesc.of(LoopMetricsTest.class.getPackageName(), "Made" + i),
                  made ->
                      made.withSuperclass(superclass)
                          .withMethodBody(
                              ConstantDescs.INIT_NAME,
                              ConstantDescs.MTD_void,
                              ClassFile.ACC_PUBLIC,
                              code ->
                                  code.aload(0)
                                      .invokespecial(
                                          superclass,
                                          ConstantDescs.INIT_NAME,
                                          ConstantDescs.MTD_void)
                                      .return_()));
      Class<?> made = MethodHandles.lookup().defineHiddenClass(bytes, true).lookupClass();
      exceptions.add((Throwable) made.getConstructor().newInstance());
    }
    return exceptions;
  }

  @Test
  @DisplayName("after 100 classes of exceptions the others are one")
  void manyExceptions() throws Exception {
    try (Loop loop = builder().build()) {
      for (Throwable made : classes(150)) {
        loop.callListeners(listener ->
            listener.handlerFailed(new ExceptionContext("message", null, null, Map.of()), made));
      }
    }
    assertThat(counts("selvedge.handler.failures")).hasSize(101).containsEntry("other", 50.0);
  }

  @Test
  @DisplayName("64 threads, every delivery: each failure is counted once, live tasks are exact")
  void everyDelivery() throws Exception {
    int threads = 64;
    int each = 5;
    var held = new CountDownLatch(threads);
    try (Loop loop = builder().build()) {
      for (int i = 0; i < threads; i++) {
        loop.launch(
            "driver",
            () -> {
              held.countDown();
              held.await();
              for (int j = 0; j < each; j++) {
                Task<Object, IOException> awaited =
                    loop.createTask("failing", LoopMetricsTest::fail);
                assertThatThrownBy(awaited::await).isInstanceOf(IOException.class);
                assertThatThrownBy(awaited::await).isInstanceOf(IOException.class);
                assertThat(awaited.exception()).isPresent();
                awaited.ignoreFailure();
                loop.createTask("failing", LoopMetricsTest::fail).ignoreFailure().awaitDone();
                loop.launch("failing", () -> fail());
                try (TaskScope<IOException> scope = TaskScope.open()) {
                  var both = new Gate();
                  var begun = new AtomicInteger();
                  for (int k = 0; k < 2; k++) {
                    scope.fork(
                        "failing",
                        () -> {
                          if (begun.incrementAndGet() == 2) {
                            both.open();
                          }
                          both.pass();
                          return fail();
                        });
                  }
                  assertThatThrownBy(scope::join).isInstanceOf(IOException.class);
                }
              }
            });
      }
      await().until(() -> gauge("selvedge.tasks.live", "kind", "driver") == 0);
    }
    double once = threads * each;
    assertThat(counts("selvedge.failures"))
        .containsExactly(
            Map.entry("awaited IOException failing", 2 * once),
            Map.entry("orphaned IOException failing", once),
            Map.entry("suppressed IOException failing", once),
            Map.entry("tolerated IOException failing", once));
    assertThat(ended("failing", "failure") + ended("failing", "cancelled")).isEqualTo(5 * once);
    assertThat(gauge("selvedge.tasks.live", "kind", "failing")).isZero();
  }

  @Test
  @DisplayName("a convention that returns null is reported, and the task goes on")
  void brokenConvention() throws Exception {
    LoopMetrics broken = LoopMetrics.builder("orders").kinds(task -> null).build();
    try (Loop loop = Threads.builder().listener(broken).exceptionHandler(reported).build()) {
      assertThat(loop.createTask(() -> 1).await()).isEqualTo(1);
    }
    assertThat(reported.messages()).containsOnly("Exception in a listener");
    assertThat(reported.exceptions().getFirst()).hasMessageContaining("returned null for");
  }

  @Test
  @DisplayName("null arguments are named")
  void nulls() {
    assertThatNullPointerException().isThrownBy(() -> LoopMetrics.create(null)).withMessage("loop");
    assertThatNullPointerException().isThrownBy(() -> metrics.bindTo(null)).withMessage("registry");
    assertThatNullPointerException()
        .isThrownBy(() -> LoopMetrics.builder("x").kinds(null))
        .withMessage("kinds");
    assertThatNullPointerException()
        .isThrownBy(() -> LoopMetrics.builder("x").tags(null))
        .withMessage("tags");
  }

  @Test
  @DisplayName("under 64 threads nothing is miscounted, also while a registry is bound")
  void underLoad() throws Exception {
    int threads = 64;
    int each = 50;
    try (Loop loop = Threads.builder().listener(metrics).exceptionHandler(reported).build()) {
      loop.runUntilComplete(() -> {
        try (TaskScope<Exception> scope = TaskScope.open()) {
          for (int i = 0; i < threads; i++) {
            int number = i;
            scope.fork(
                "forker-" + i,
                () -> {
                  for (int j = 0; j < each; j++) {
                    int which = j;
                    loop.createTask(
                            "kind" + (char) ('a' + number % 8),
                            () -> which % 10 == 0 ? fail() : "fine")
                        .ignoreFailure()
                        .awaitDone();
                  }
                });
          }
          metrics.bindTo(registry);
          scope.join();
        }
      });
    }
    double forks = 0;
    for (char kind = 'a'; kind < 'a' + 8; kind++) {
      forks += count("selvedge.tasks.forks", "kind", "kind" + kind);
      assertThat(gauge("selvedge.tasks.live", "kind", "kind" + kind)).isZero();
    }
    assertThat(forks).isEqualTo(threads * each);
    assertThat(counts("selvedge.failures").values().stream().mapToDouble(Double::doubleValue).sum())
        .isEqualTo(threads * each / 10.0);
  }
}
