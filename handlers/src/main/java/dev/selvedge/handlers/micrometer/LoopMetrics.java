package dev.selvedge.handlers.micrometer;

import static java.util.Objects.requireNonNull;

import dev.selvedge.CancelReason;
import dev.selvedge.ExceptionContext;
import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The meters of a loop: how many tasks there are and how long they take, who cancels them, and what
 * becomes of their failures. Needs {@code micrometer-core}.
 *
 * {@snippet file="dev/selvedge/handlers/micrometer/SamplesTest.java" region="metrics"}
 *
 * <p>Every meter has the tag {@code loop}; those of tasks have {@code kind}, by a {@link
 * TaskKindConvention}. The first 100 kinds, and as many classes of exceptions and verbs, are told
 * apart; later ones are {@code other}, and so are reports whose message is not the library's own.
 * The guide's page on watching lists all meters.
 *
 * <p>Counters and gauges tell of everything since this was created; timers and distributions of
 * what came after {@link #bindTo}. It may listen to several loops, which it then counts together,
 * and be bound to several registries.
 *
 * <p><b>Failure:</b> what a convention or a registry throws is reported to the loop's exception
 * handler, and the task goes on.
 *
 * <p><b>Threads:</b> safe for use by any.
 *
 * @since 0.1.0
 */
public final class LoopMetrics implements MeterBinder, LoopListener, AutoCloseable {
  private static final int MOST_KINDS = 100;
  private static final int MOST_EXCEPTIONS = 100;
  private static final int MOST_VERBS = 100;
  private static final String OTHER = "other";
  private static final String DURATIONS = "selvedge.tasks";
  private static final String DURATIONS_ARE = "How long the bodies of tasks have run";

  /** What the library's own reports say that a listener hears of. */
  private static final Set<String> MESSAGES =
      Set.of(
          "Task exception was never retrieved",
          "Exception in a callback of a task",
          "Task ignores its cancellation",
          "More tasks ignore their cancellation",
          "A scope was never closed: open it in a try block",
          "Exception in a context carrier",
          "Exception in main",
          "Uncaught exception in the thread of a task",
          "Thread ignores the end of its loop",
          "A failure that the exception of its group did not take",
          "Periodic action failed",
          "Supervised task failed",
          "Supervised task does not stop within its limit",
          "Exception in an @Async method",
          "Scheduled run failed",
          "Clean-up of a cancelled request failed",
          "Task has not ended within selvedge.shutdown.timeout");

  /** Settings of the meters. Each returns the builder. */
  public static final class Builder {
    private final String loop;
    private TaskKindConvention kinds = TaskKindConvention.STEM;
    private Tags tags = Tags.empty();
    private boolean distributions;

    private Builder(String loop) {
      this.loop = requireNonNull(loop, "loop");
    }

    /**
     * What kind a task is of.
     *
     * @param kinds the convention; {@link TaskKindConvention#STEM} if not set
     * @return this
     */
    public Builder kinds(TaskKindConvention kinds) {
      this.kinds = requireNonNull(kinds, "kinds");
      return this;
    }

    /**
     * More tags for every meter.
     *
     * @param tags added to those of earlier calls; none if not set
     * @return this
     */
    public Builder tags(Iterable<Tag> tags) {
      this.tags = this.tags.and(requireNonNull(tags, "tags"));
      return this;
    }

    /**
     * Whether the durations of tasks have a maximum, and percentiles or a histogram where the
     * registry is configured to. They are then recorded by a {@code Timer}, which costs as much as
     * all other meters together.
     *
     * @param distributions false if not set: then the durations have a count and a sum
     * @return this
     */
    public Builder distributions(boolean distributions) {
      this.distributions = distributions;
      return this;
    }

    /**
     * Makes what was described.
     *
     * @return new meters, bound to no registry yet
     */
    public LoopMetrics build() {
      return new LoopMetrics(this);
    }
  }

  /**
   * What forking threads and ending tasks count at the same time: each on cache lines of its own.
   *
   * <p>No {@code LongAdder}, which spreads what threads write by a number that a thread has to be
   * given first, and each task is a new thread.
   */
  private static class Count {
    private static final int LINES = 16;

    private final AtomicLongArray values = new AtomicLongArray(2 * LINES);

    final void add(int index, long value) {
      values.getAndAdd(LINES + index, value);
    }

    final long get(int index) {
      return values.get(LINES + index);
    }
  }

  /** The tasks of one kind that ended in one way: how many, and how long they took. */
  private static final class Ends extends Count {
    private static final Timer[] NONE = {};

    final String outcome;

    /** Those of all registries; none unless distributions are wanted. */
    volatile Timer[] timers = NONE;

    Ends(String outcome) {
      this.outcome = outcome;
    }

    void ended(long nanos) {
      add(1, nanos);
      add(0, 1);
      for (Timer timer : timers) {
        timer.record(nanos, TimeUnit.NANOSECONDS);
      }
    }

    long count() {
      return get(0);
    }

    double nanos() {
      return get(1);
    }
  }

  /** The tasks of one kind. */
  private static final class Kind {
    final String name;
    private final Count started = new Count();
    private final Ends success = new Ends("success");
    private final Ends failure = new Ends("failure");
    private final Ends cancelled = new Ends("cancelled");
    final List<Ends> ends = List.of(success, failure, cancelled);

    Kind(String name) {
      this.name = name;
    }

    void started() {
      started.add(0, 1);
    }

    Ends ends(Task<?, ?> task) {
      return switch (task.state()) {
        case SUCCESS, RUNNING -> success;
        case FAILED -> failure;
        case CANCELLED -> cancelled;
      };
    }

    long forks() {
      return started.get(0);
    }

    /** The ended are counted first, so that it is never negative. */
    double live() {
      long ended = success.count() + failure.count() + cancelled.count();
      return forks() - ended;
    }
  }

  /** Counters of one name, one for each combination of the values of their tags. */
  private final class Counters {
    final String name;
    final String description;
    final List<String> keys;
    final Map<List<String>, LongAdder> counts = new ConcurrentHashMap<>();

    Counters(String name, String description, String... keys) {
      this.name = name;
      this.description = description;
      this.keys = List.of(keys);
    }

    void count(String... values) {
      List<String> key = List.of(values);
      LongAdder count = counts.get(key);
      if (count == null) {
        count = create(key);
      }
      count.increment();
    }

    private LongAdder create(List<String> values) {
      synchronized (LoopMetrics.this) {
        return counts.computeIfAbsent(
            values,
            _ -> {
              var created = new LongAdder();
              registries.keySet().forEach(registry -> bind(registry, values, created));
              return created;
            });
      }
    }

    void bindTo(MeterRegistry registry) {
      counts.forEach((values, count) -> bind(registry, values, count));
    }

    private void bind(MeterRegistry registry, List<String> values, LongAdder count) {
      Tags all = tags;
      for (int i = 0; i < keys.size(); i++) {
        all = all.and(keys.get(i), values.get(i));
      }
      keep(
          registry,
          FunctionCounter.builder(name, count, LongAdder::sum)
              .description(description)
              .tags(all)
              .register(registry));
    }
  }

  private final Tags tags;
  private final TaskKindConvention convention;
  private final boolean byStem;
  private final boolean distributions;
  private final Map<String, Kind> kinds = new ConcurrentHashMap<>();
  private final Kind unnamed;
  private final Map<Long, Task<?, ?>> stragglers = new ConcurrentHashMap<>();
  private final LongAdder queued = new LongAdder();
  private final LongAdder admitted = new LongAdder();
  private final Map<String, List<DistributionSummary>> widths = new ConcurrentHashMap<>();
  private volatile List<Timer> waits = List.of();

  private final Counters cancellations =
      new Counters(
          "selvedge.cancellations",
          "Requests to cancel a task that were accepted",
          "kind",
          "reason");
  private final Counters failures =
      new Counters(
          "selvedge.failures",
          "Failures of tasks, by what became of them",
          "kind",
          "delivery",
          "exception");
  private final Counters reports =
      new Counters(
          "selvedge.reports", "Reports that the exception handler was called for", "message");
  private final Counters handlerFailures =
      new Counters(
          "selvedge.handler.failures", "What the exception handler has thrown", "exception");
  private final Counters rejections =
      new Counters("selvedge.tasks.rejected", "Tasks that an admission refused", "kind");
  private final Counters restarts =
      new Counters("selvedge.restarts", "Restarts of supervised tasks", "kind");

  /** The names of classes that are told apart; guarded by itself. */
  private final Set<String> exceptions = new HashSet<>();

  /**
   * With what was registered there. Guarded by this, as is the creation of whatever is registered.
   */
  private final IdentityHashMap<MeterRegistry, List<Meter>> registries = new IdentityHashMap<>();

  private LoopMetrics(Builder builder) {
    tags = builder.tags.and("loop", builder.loop);
    convention = builder.kinds;
    distributions = builder.distributions;
    byStem = convention.equals(TaskKindConvention.STEM);
    unnamed = kinds.computeIfAbsent(Stems.UNNAMED, Kind::new);
  }

  /**
   * Meters with the usual settings.
   *
   * @param loop the value of the tag {@code loop}: usually the name of the loop
   * @return new meters, bound to no registry yet
   */
  public static LoopMetrics create(String loop) {
    return builder(loop).build();
  }

  /**
   * Describes meters.
   *
   * @param loop the value of the tag {@code loop}: usually the name of the loop
   * @return a builder with the defaults
   */
  public static Builder builder(String loop) {
    return new Builder(loop);
  }

  // ---- registries

  /**
   * Registers the meters. Binding them to the same registry again does nothing.
   *
   * @param registry where to
   * @throws IllegalStateException if the registry has such meters of another with exactly the same
   *     tags, which would hide these
   */
  @Override
  public synchronized void bindTo(MeterRegistry registry) {
    requireNonNull(registry, "registry");
    if (registries.containsKey(registry)) {
      return;
    }
    List<Meter> present = registry.getMeters();
    Gauge first =
        Gauge.builder("selvedge.tasks.stragglers", this, LoopMetrics::countStragglers)
            .description("Tasks that go on although they were asked to cancel")
            .tags(tags)
            .register(registry);
    if (present.contains(first)) {
      throw new IllegalStateException(
          "the registry has meters with the tags "
              + tags
              + ": close the LoopMetrics that they belong to, or let it listen to both loops");
    }
    registries.put(registry, new ArrayList<>());
    keep(registry, first);
    keep(
        registry,
        Gauge.builder("selvedge.tasks.queued", this, LoopMetrics::countQueued)
            .description("Tasks that wait for a place")
            .tags(tags)
            .register(registry));
    waits = registries.keySet().stream().map(this::wait).toList();
    widths.clear();
    for (Kind kind : kinds.values()) {
      bind(registry, kind);
      bindTimers(kind);
    }
    for (Counters counters :
        List.of(cancellations, failures, reports, handlerFailures, rejections, restarts)) {
      counters.bindTo(registry);
    }
  }

  /** Removes the meters from the registries. Whatever this hears later it only counts. */
  @Override
  public synchronized void close() {
    registries.forEach((registry, meters) -> meters.forEach(registry::remove));
    registries.clear();
    waits = List.of();
    widths.clear();
    kinds.values().forEach(this::bindTimers);
  }

  private <M extends Meter> M keep(MeterRegistry registry, M meter) {
    assert Thread.holdsLock(this);
    requireNonNull(registries.get(registry)).add(meter);
    return meter;
  }

  private Timer wait(MeterRegistry registry) {
    return keep(
        registry,
        Timer.builder("selvedge.tasks.wait")
            .description("How long tasks have waited for a place")
            .tags(tags)
            .register(registry));
  }

  private void bind(MeterRegistry registry, Kind kind) {
    Tags own = tags.and("kind", kind.name);
    keep(
        registry,
        Gauge.builder("selvedge.tasks.live", kind, Kind::live)
            .description("Tasks that have started and not ended")
            .tags(own)
            .register(registry));
    keep(
        registry,
        FunctionCounter.builder("selvedge.tasks.forks", kind, Kind::forks)
            .description("Tasks that were started")
            .tags(own)
            .register(registry));
    if (!distributions) {
      for (Ends ends : kind.ends) {
        keep(
            registry,
            FunctionTimer.builder(DURATIONS, ends, Ends::count, Ends::nanos, TimeUnit.NANOSECONDS)
                .description(DURATIONS_ARE)
                .tags(own.and("outcome", ends.outcome))
                .register(registry));
      }
    }
  }

  private void bindTimers(Kind kind) {
    if (distributions) {
      for (Ends ends : kind.ends) {
        ends.timers =
            registries.keySet().stream()
                .map(registry ->
                    keep(
                        registry,
                        Timer.builder(DURATIONS)
                            .description(DURATIONS_ARE)
                            .tags(tags.and("kind", kind.name, "outcome", ends.outcome))
                            .register(registry)))
                .toArray(Timer[]::new);
      }
    }
  }

  // ---- what is heard

  @Override
  public void started(Task<?, ?> task) {
    kind(task).started();
  }

  @Override
  public void finished(Task<?, ?> task, @Nullable Throwable exception, long nanos) {
    kind(task).ends(task).ended(nanos);
    if (!stragglers.isEmpty()) {
      stragglers.remove(task.id());
    }
  }

  @Override
  public void cancelled(Task<?, ?> task, CancelReason reason) {
    cancellations.count(kind(task).name, word(reason.source()));
  }

  @Override
  public void awaited(Task<?, ?> task, Throwable exception) {
    failed(task, "awaited", exception);
  }

  @Override
  public void suppressed(Task<?, ?> task, Throwable exception) {
    failed(task, "suppressed", exception);
  }

  @Override
  public void tolerated(Task<?, ?> task, Throwable exception) {
    failed(task, "tolerated", exception);
  }

  @Override
  public void orphaned(Task<?, ?> task, Throwable exception) {
    failed(task, "orphaned", exception);
  }

  private void failed(Task<?, ?> task, String delivery, Throwable exception) {
    failures.count(kind(task).name, delivery, name(exception));
  }

  @Override
  public void reported(ExceptionContext context) {
    String message = context.message();
    reports.count(MESSAGES.contains(message) ? message : OTHER);
  }

  @Override
  public void handlerFailed(ExceptionContext context, Throwable exception) {
    handlerFailures.count(name(exception));
  }

  @Override
  public void queued(Task<?, ?> task) {
    queued.increment();
  }

  @Override
  public void admitted(Task<?, ?> task, Duration waited) {
    admitted.increment();
    waits.forEach(timer -> timer.record(waited));
  }

  @Override
  public void rejected(Task<?, ?> task) {
    rejections.count(kind(task).name);
  }

  @Override
  public void restarted(Task<?, ?> task, int restarts) {
    this.restarts.count(kind(task).name);
  }

  @Override
  public void gathered(String verb, int width) {
    List<DistributionSummary> summaries = widths.get(verb);
    if (summaries == null) {
      summaries = summaries(verb);
    }
    summaries.forEach(summary -> summary.record(width));
  }

  private synchronized List<DistributionSummary> summaries(String verb) {
    if (widths.size() >= MOST_VERBS && !widths.containsKey(verb) && !verb.equals(OTHER)) {
      return summaries(OTHER);
    }
    return widths.computeIfAbsent(
        verb,
        _ ->
            registries.keySet().stream()
                .map(registry ->
                    keep(
                        registry,
                        DistributionSummary.builder("selvedge.gather.width")
                            .description("How many bodies were gathered at once")
                            .tags(tags.and("verb", verb))
                            .register(registry)))
                .toList());
  }

  @Override
  public void straggling(Task<?, ?> task, Duration asked) {
    stragglers.put(task.id(), task);
    if (task.isDone()) {
      // Its end may have been heard before.
      stragglers.remove(task.id());
    }
  }

  private double countStragglers() {
    return stragglers.values().stream()
        .filter(task -> !task.isDone() && task.cancelRequests() > 0)
        .count();
  }

  /** The admitted are counted first, so that it is never negative. */
  private double countQueued() {
    long left = admitted.sum();
    return queued.sum() - left;
  }

  // ---- kinds

  private Kind kind(Task<?, ?> task) {
    if (byStem && !task.isNamed()) {
      return unnamed;
    }
    String name =
        requireNonNull(convention.kind(task), () -> convention + " returned null for " + task);
    Kind kind = kinds.get(name);
    return kind != null ? kind : newKind(name);
  }

  private synchronized Kind newKind(String name) {
    Kind known = kinds.get(name);
    if (known == null && kinds.size() >= MOST_KINDS && !name.equals(OTHER)) {
      return newKind(OTHER);
    }
    if (known == null) {
      known = new Kind(name);
      for (MeterRegistry registry : registries.keySet()) {
        bind(registry, known);
      }
      bindTimers(known);
      kinds.put(name, known);
    }
    return known;
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /** The name as Micrometer's own meters have it; classes may be made while a program runs. */
  private String name(Throwable exception) {
    String simple = exception.getClass().getSimpleName();
    String name = simple.isEmpty() ? exception.getClass().getName() : simple;
    synchronized (exceptions) {
      if (exceptions.size() < MOST_EXCEPTIONS) {
        exceptions.add(name);
      }
      return exceptions.contains(name) ? name : OTHER;
    }
  }
}
