package dev.selvedge.examples.storefront;

import static java.util.Objects.requireNonNull;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The backends, on ports of their own, which behave as they are told. */
final class Backends implements AutoCloseable {
  /** What a backend does with a request. */
  enum Behaviour {
    ANSWER,
    FAIL,
    HANG
  }

  /** Says what a backend does with a request. */
  @FunctionalInterface
  interface Script {
    Behaviour of(String backend, long id) throws InterruptedException;
  }

  static final Script ANSWERING = (_, _) -> Behaviour.ANSWER;

  /** One backend behaves like this, and the others answer. */
  static Script only(String name, Behaviour behaviour) {
    return (backend, _) -> backend.equals(name) ? behaviour : Behaviour.ANSWER;
  }

  private static final List<String> NAMES =
      List.of("prices", "stock", "reviews-1", "reviews-2", "recommendations", "statistics");

  private static final Duration HANGS = Duration.ofSeconds(30);

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, HttpServer> servers = new LinkedHashMap<>();
  private volatile Script script = ANSWERING;

  static {
    // Else every small answer waits for an acknowledgement.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    // Else it closes idle connections while a client is about to use them again.
    System.setProperty("sun.net.httpserver.maxIdleConnections", "10000");
    System.setProperty("sun.net.httpserver.idleInterval", "600");
  }

  static Backends start() throws IOException {
    var backends = new Backends();
    for (String name : NAMES) {
      backends.serve(name);
    }
    return backends;
  }

  private void serve(String name) throws IOException {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    HttpServer server = HttpServer.create(address, 1024);
    server.setExecutor(executor);
    server.createContext("/", exchange -> answer(name, exchange));
    server.start();
    servers.put(name, server);
  }

  private void answer(String name, HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    long id = Long.parseLong(path.substring(path.lastIndexOf('/') + 1));
    try {
      Behaviour behaviour = script.of(name, id);
      // These are out of order for good, to show what becomes of work in the background.
      switch (name.equals("statistics") ? Behaviour.FAIL : behaviour) {
        case ANSWER -> send(exchange, 200, name + " of " + id);
        case FAIL -> send(exchange, 500, "");
        case HANG -> {
          Thread.sleep(HANGS);
          exchange.close();
        }
      }
    } catch (InterruptedException e) {
      // The backends close.
      Thread.currentThread().interrupt();
      exchange.close();
    }
  }

  private static void send(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  /** Has them behave in another way from now on. */
  void play(Script next) {
    script = next;
  }

  /** For the service's command line. */
  List<String> arguments() {
    var arguments = new ArrayList<String>();
    arguments.add("--storefront.prices=" + address("prices"));
    arguments.add("--storefront.stock=" + address("stock"));
    arguments.add("--storefront.reviews=" + address("reviews-1") + "," + address("reviews-2"));
    arguments.add("--storefront.recommendations=" + address("recommendations"));
    arguments.add("--storefront.statistics=" + address("statistics"));
    return arguments;
  }

  /** Their names and addresses. */
  Map<String, String> addresses() {
    var addresses = new LinkedHashMap<String, String>();
    servers.keySet().forEach(name -> addresses.put(name, address(name)));
    return addresses;
  }

  private String address(String name) {
    InetSocketAddress address = requireNonNull(servers.get(name), name).getAddress();
    return "http://" + address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  @Override
  public void close() {
    servers.values().forEach(server -> server.stop(0));
    executor.shutdownNow();
    executor.close();
  }
}
