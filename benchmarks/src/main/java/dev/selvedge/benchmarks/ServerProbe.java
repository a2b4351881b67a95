package dev.selvedge.benchmarks;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.selvedge.Body;
import dev.selvedge.gather.Gather;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP service on loopback that asks three backends for each request, within a limit; each
 * backend takes 2 ms and fails once in a hundred times. Requests come at a fixed rate, whether the
 * earlier ones were answered or not, and a latency is measured from when the request was due: so
 * what a slow answer delays counts, too.
 *
 * <p>Service, backends and load share the JVM and its cores, the same for every peer.
 */
public final class ServerProbe {
  /**
   * The same for all rates: a service that has answered a thousand requests is not compiled yet.
   */
  private static final int WARM_UP_RATE = 500;

  private static final int WARM_UP_SECONDS = 10;
  private static final int SECONDS = 20;
  private static final Duration LIMIT = Duration.ofMillis(500);
  private static final List<String> BACKENDS = List.of("/product", "/price", "/stock");

  static {
    // Else every small answer waits for an acknowledgement.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    // Else the server closes idle connections while the client is about to use them again.
    System.setProperty("sun.net.httpserver.maxIdleConnections", "100000");
    System.setProperty("sun.net.httpserver.idleInterval", "600");
  }

  private static final class BackendException extends IOException {
    private static final long serialVersionUID = 1;

    BackendException(String path) {
      super(path);
    }
  }

  /** Answers a request from what the backends say. */
  private interface Page {
    int render() throws Exception;
  }

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient client = HttpClient.newBuilder().executor(executor).build();
  private final LongAdder thrown = new LongAdder();
  private final LongAdder seen = new LongAdder();
  private final LongAdder failedRequests = new LongAdder();
  private final LongAdder unanswered = new LongAdder();
  private String backends = "";

  @Measured
  public Map<String, Double> jdk(int rate) throws Exception {
    return measure(
        rate,
        () -> {
          try (var scope =
              StructuredTaskScope.open(
                  Joiner.<Integer>awaitAllSuccessfulOrThrow(),
                  config -> config.withTimeout(LIMIT))) {
            var parts = BACKENDS.stream().map(path -> scope.fork(() -> fetch(path))).toList();
            scope.join();
            return parts.stream().mapToInt(StructuredTaskScope.Subtask::get).sum();
          }
        });
  }

  @Measured
  public Map<String, Double> selvedge(int rate) throws Exception {
    return measure(
        rate,
        () -> {
          var bodies = new ArrayList<Body<Integer, Exception>>();
          BACKENDS.forEach(path -> bodies.add(() -> fetch(path)));
          return Gather.options().limit(LIMIT).gather(bodies).stream()
              .mapToInt(Integer::intValue)
              .sum();
        });
  }

  /** When one fails, the others go on, and so they do after the limit. */
  @Measured
  public Map<String, Double> futures(int rate) throws Exception {
    return measure(
        rate,
        () -> {
          var parts =
              BACKENDS.stream()
                  .map(path -> CompletableFuture.supplyAsync(() -> fetchUnchecked(path), executor))
                  .toList();
          CompletableFuture.allOf(parts.toArray(new CompletableFuture<?>[0]))
              .orTimeout(LIMIT.toMillis(), TimeUnit.MILLISECONDS)
              .join();
          return parts.stream().mapToInt(CompletableFuture::join).sum();
        });
  }

  private int fetchUnchecked(String path) {
    try {
      return fetch(path);
    } catch (IOException | InterruptedException e) {
      throw new CompletionException(e);
    }
  }

  private int fetch(String path) throws IOException, InterruptedException {
    HttpResponse<String> response = get(client, backends + path);
    if (response.statusCode() != 200) {
      thrown.increment();
      throw new BackendException(path);
    }
    return response.body().length();
  }

  private static HttpResponse<String> get(HttpClient client, String uri)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private Map<String, Double> measure(int rate, Page page) throws Exception {
    HttpServer backend =
        serve(exchange -> {
          Thread.sleep(2);
          boolean fails = ThreadLocalRandom.current().nextInt(100) == 0;
          answer(exchange, fails ? 500 : 200, exchange.getRequestURI().getPath());
        });
    backends = address(backend);
    HttpServer service = serve(exchange -> answerPage(exchange, page));
    try (ExecutorService users = Executors.newVirtualThreadPerTaskExecutor();
        HttpClient browser = HttpClient.newBuilder().executor(users).build()) {
      var load = new Load(users, browser, address(service) + "/page");
      load.run(WARM_UP_RATE, WARM_UP_SECONDS, new ConcurrentHistogram(3));
      thrown.reset();
      seen.reset();
      failedRequests.reset();
      unanswered.reset();
      var latencies = new ConcurrentHistogram(3);
      load.run(rate, SECONDS, latencies);
      return Probes.measures(
          "p99.9 ms",
          Probes.millis(latencies.getValueAtPercentile(99.9)),
          "p99 ms",
          Probes.millis(latencies.getValueAtPercentile(99)),
          "p50 ms",
          Probes.millis(latencies.getValueAtPercentile(50)),
          "failures",
          thrown.sum(),
          "lost",
          thrown.sum() - seen.sum(),
          "502",
          failedRequests.sum(),
          "unanswered",
          unanswered.sum());
    } finally {
      service.stop(0);
      backend.stop(0);
    }
  }

  private interface Exchanges {
    void handle(HttpExchange exchange) throws IOException, InterruptedException;
  }

  private HttpServer serve(Exchanges exchanges) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 4096);
    server.setExecutor(executor);
    server.createContext(
        "/",
        exchange -> {
          try {
            exchanges.handle(exchange);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    server.start();
    return server;
  }

  private static String address(HttpServer server) {
    InetSocketAddress address = server.getAddress();
    return "http://" + address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  private void answerPage(HttpExchange exchange, Page page) throws IOException {
    String body;
    int status = 200;
    try {
      body = Integer.toString(page.render());
    } catch (Exception e) {
      status = 502;
      body = e.toString();
      failedRequests.increment();
      seen.add(countFailures(e, Collections.newSetFromMap(new IdentityHashMap<>())));
    }
    answer(exchange, status, body);
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /** How many backends' failures an exception tells of. */
  private static int countFailures(@Nullable Throwable failure, Set<Throwable> known) {
    if (failure == null || !known.add(failure)) {
      return 0;
    }
    int count = failure instanceof BackendException ? 1 : 0;
    for (Throwable suppressed : failure.getSuppressed()) {
      count += countFailures(suppressed, known);
    }
    return count + countFailures(failure.getCause(), known);
  }

  /** Requests that come when they are due, whatever became of those before. */
  private final class Load {
    private final ExecutorService users;
    private final HttpClient browser;
    private final String page;

    Load(ExecutorService users, HttpClient browser, String page) {
      this.users = users;
      this.browser = browser;
      this.page = page;
    }

    void run(int rate, int seconds, ConcurrentHistogram latencies) throws InterruptedException {
      int requests = rate * seconds;
      var done = new CountDownLatch(requests);
      long start = System.nanoTime();
      for (int i = 0; i < requests; i++) {
        long due = start + TimeUnit.SECONDS.toNanos(i) / rate;
        long early = due - System.nanoTime();
        while (early > 0) {
          LockSupport.parkNanos(early);
          early = due - System.nanoTime();
        }
        users.execute(() -> {
          try {
            get(browser, page);
          } catch (IOException e) {
            unanswered.increment();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          } finally {
            latencies.recordValue(System.nanoTime() - due);
            done.countDown();
          }
        });
      }
      done.await();
    }
  }
}
