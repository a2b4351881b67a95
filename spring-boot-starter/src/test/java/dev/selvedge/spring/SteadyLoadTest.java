package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import dev.selvedge.gather.ExceptionGroup;
import dev.selvedge.gather.Gather;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** 200 requests a second of a page that asks six backends, each of which fails now and then. */
class SteadyLoadTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  private static final int RATE = 200;
  private static final Duration PERIOD = Duration.ofSeconds(1).dividedBy(RATE);

  /** 30 with {@code -Plong}. */
  private static final int SECONDS = Threads.EFFORT > 1 ? 30 : 8;

  private static final long MEGABYTE = 1L << 20;
  private static final Path NOWHERE = Path.of("");

  /** A backend's failure; its message is what was asked for. */
  private static final class BackendFailure extends IOException {
    private static final long serialVersionUID = 1L;

    BackendFailure(String asked) {
      super(asked);
    }
  }

  /** What became of each failure, as the loop tells it. */
  static final class Fates implements LoopListener {
    final Map<String, Set<String>> of = new ConcurrentHashMap<>();

    private void add(String fate, Throwable failure) {
      if (failure instanceof BackendFailure backend) {
        of.computeIfAbsent(backend.getMessage(), _ -> ConcurrentHashMap.newKeySet()).add(fate);
      }
    }

    @Override
    public void awaited(Task<?, ?> task, Throwable exception) {
      add("awaited", exception);
    }

    @Override
    public void suppressed(Task<?, ?> task, Throwable exception) {
      add("suppressed", exception);
    }

    @Override
    public void tolerated(Task<?, ?> task, Throwable exception) {
      add("tolerated", exception);
    }

    @Override
    public void orphaned(Task<?, ?> task, Throwable exception) {
      add("orphaned", exception);
    }
  }

  @RestController
  static class Pages {
    private final Loop loop;
    private final HttpClient http = HttpClient.newHttpClient();
    private volatile URI backends = URI.create("http://127.0.0.1/");

    Pages(Loop loop) {
      this.loop = loop;
    }

    @GetMapping("/page/{number}")
    String page(@PathVariable("number") int number) throws Exception {
      loop.launch("view", () -> ask("views", number));
      return Gather.zip(
          () -> ask("price", number),
          () -> ask("stock", number),
          () -> Gather.any(() -> ask("mirror-1", number), () -> ask("mirror-2", number)),
          () -> Gather.settle(() -> ask("recommendations", number)).size(),
          (price, stock, reviews, recommendations) -> price + stock + reviews + recommendations);
    }

    @ExceptionHandler({BackendFailure.class, ExceptionGroup.class})
    @ResponseStatus(HttpStatus.BAD_GATEWAY)
    String broken(Exception e) {
      return e.toString();
    }

    /** Shielded, so that no failing answer is left unread because a sibling was quicker to fail. */
    private String ask(String backend, int number) throws Exception {
      return Task.<String, Exception>shielded(() -> {
        HttpResponse<String> response =
            http.send(
                HttpRequest.newBuilder(backends.resolve(backend + "/" + number)).build(),
                HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
          throw new BackendFailure(response.body());
        }
        return response.body();
      });
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(Pages.class)
  static class Application {
    final LongAdder reported = new LongAdder();

    @Bean
    Fates fates() {
      return new Fates();
    }

    @Bean
    LoopExceptionHandler counting() {
      return (_, context) -> {
        // A machine that is busy otherwise may make stragglers, which are warned of.
        if (context.exception() != null) {
          reported.increment();
        }
      };
    }
  }

  @TempDir private Path folder = NOWHERE;

  @Test
  void everyFailureHasOneFateAndNothingIsLeft() throws Exception {
    Set<String> before = platformThreads();
    try (var backends = new FailingBackends();
        var application = new WebApplication(Application.class)) {
      Pages pages = application.bean(Pages.class);
      pages.backends = backends.address();
      Fates fates = application.bean(Fates.class);
      Loop loop = application.bean(Loop.class);
      var load = new Load(application);

      load.run(0, RATE * SECONDS / 2);
      await().until(() -> loop.allTasks().isEmpty());
      Memory half = Memory.now();
      load.run(RATE * SECONDS / 2, RATE * SECONDS);
      await().until(() -> loop.allTasks().isEmpty());

      assertThat(load.answered.sum()).isEqualTo((long) RATE * SECONDS);
      assertThat(new TreeSet<>(fates.of.keySet())).isEqualTo(new TreeSet<>(backends.failed));
      assertThat(fates.of.values()).allSatisfy(fate -> assertThat(fate).hasSize(1));
      Map<String, Integer> counts = new HashMap<>();
      fates.of.values().forEach(fate -> counts.merge(fate.iterator().next(), 1, Integer::sum));
      assertThat(counts).containsOnlyKeys("awaited", "suppressed", "tolerated", "orphaned");
      assertThat(counts.values().stream().mapToInt(n -> n).sum()).isEqualTo(backends.failed.size());
      assertThat(application.bean(Application.class).reported.sum())
          .isEqualTo((long) counts.get("orphaned"));

      assertThat(virtualThreadsOfTasks()).isEmpty();
      Memory end = Memory.now();
      assertThat(end.ours - half.ours).as("more of our objects than at half time").isLessThan(500);
      assertThat(end.bytes - half.bytes).as("bytes more").isLessThan(4 * MEGABYTE);
      pages.http.close();
    }
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(platformThreads()).isSubsetOf(before));
  }

  /** Clients that do not wait for each other, unless the machine cannot keep up. */
  private static final class Load {
    private static final int MOST = 64;
    private final Semaphore places = new Semaphore(MOST);
    final LongAdder answered = new LongAdder();
    private final WebApplication application;

    Load(WebApplication application) {
      this.application = application;
    }

    /** Asks for pages at their times, and returns when all have been answered. */
    void run(int from, int to) throws InterruptedException {
      var wrong = new AtomicLong();
      try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
        long begin = System.nanoTime();
        for (int i = from; i < to; i++) {
          int number = i;
          long due = begin + PERIOD.toNanos() * (i - from);
          while (System.nanoTime() - due < 0) {
            LockSupport.parkNanos(due - System.nanoTime());
          }
          places.acquire();
          clients.execute(() -> {
            try {
              int status = application.get("/page/" + number).statusCode();
              if (status == 200 || status == 502) {
                answered.increment();
              }
            } catch (Exception e) {
              wrong.incrementAndGet();
            } finally {
              places.release();
            }
          });
        }
      }
      assertThat(wrong.get()).isZero();
    }
  }

  private static Set<String> platformThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        // Those that all loops share end some seconds later; the JVM's come and go.
        .filter(name -> !name.matches("selvedge-(timer|orphans)|awaitility-thread"))
        .filter(
            name -> !name.matches("ForkJoinPool.*|VirtualThread-.*|Attach Listener|Common-Cleaner"))
        .collect(Collectors.toSet());
  }

  private String virtualThreadsOfTasks() throws IOException {
    Path dump = Files.createTempDirectory(folder, "dump").resolve("threads");
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .dumpThreads(dump.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
    return Files.readString(dump)
        .lines()
        .filter(line -> line.contains("dev.selvedge.TaskImpl"))
        .collect(Collectors.joining("\n"));
  }

  /**
   * What is reachable. Pools of connections are left out: they grow with the most requests at a
   * time, which is the machine's doing.
   *
   * @param ours how many objects of the library's classes
   * @param bytes of all classes but those of connections and their buffers
   */
  private record Memory(long ours, long bytes) {
    private static final Pattern LINE =
        Pattern.compile("\\s*\\d+:\\s+(\\d+)\\s+(\\d+)\\s+(\\S+).*");
    private static final Pattern CONNECTIONS =
        Pattern.compile(
            "\\[B|(java|sun)\\.nio.*|jdk\\.internal\\.net.*|sun\\.net.*|org\\.apache.*");

    static Memory now() throws Exception {
      var histogram =
          (String)
              ManagementFactory.getPlatformMBeanServer()
                  .invoke(
                      new ObjectName("com.sun.management:type=DiagnosticCommand"),
                      "gcClassHistogram",
                      new Object[] {new String[0]},
                      new String[] {String[].class.getName()});
      long ours = 0;
      long bytes = 0;
      Matcher line = LINE.matcher("");
      for (String each : histogram.lines().toList()) {
        if (line.reset(each).matches()) {
          String type = line.group(3);
          ours += type.startsWith("dev.selvedge.") ? Long.parseLong(line.group(1)) : 0;
          bytes += CONNECTIONS.matcher(type).matches() ? 0 : Long.parseLong(line.group(2));
        }
      }
      assertThat(ours).isPositive();
      return new Memory(ours, bytes);
    }
  }
}
