package dev.selvedge.spring;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Answers {@code /backend/number} with that, but one request of a hundred with 500, and keeps its
 * own account of these.
 */
final class FailingBackends implements AutoCloseable {
  static {
    // Else every small answer waits for an acknowledgement.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    // Else it closes idle connections while a client is about to use them again.
    System.setProperty("sun.net.httpserver.maxIdleConnections", "10000");
    System.setProperty("sun.net.httpserver.idleInterval", "600");
  }

  /** What was answered with 500; each is asked for once. */
  final Set<String> failed = ConcurrentHashMap.newKeySet();

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  FailingBackends() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1024);
    server.setExecutor(executor);
    server.createContext("/", this::answer);
    server.start();
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String asked = exchange.getRequestURI().getPath().substring(1);
      boolean fails = fails(asked);
      if (fails) {
        failed.add(asked);
      }
      byte[] body = asked.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(fails ? 500 : 200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /** One of a hundred of each backend, and all of them together once in a thousand. */
  private static boolean fails(String asked) {
    int number = Integer.parseInt(asked.substring(asked.indexOf('/') + 1));
    return number % 1_000 == 500 || Math.floorMod(asked.hashCode() * 0x9E3779B9 >>> 8, 111) == 0;
  }

  @Override
  public void close() {
    server.stop(0);
    executor.close();
  }
}
