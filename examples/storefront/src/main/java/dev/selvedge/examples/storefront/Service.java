package dev.selvedge.examples.storefront;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/** The service in a process of its own, and a client of it. */
final class Service implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final String STARTED = "Tomcat started on port ";

  /** What may come true some time. */
  @FunctionalInterface
  interface Check {
    boolean holds() throws Exception;
  }

  private final HttpClient http = HttpClient.newHttpClient();
  private final Process process;
  private final Queue<String> log = new ConcurrentLinkedQueue<>();
  private final Thread reader;

  private Service(Process process) {
    this.process = process;
    this.reader = Thread.ofVirtual().start(this::readLog);
  }

  static Service start(List<String> arguments) throws Exception {
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "--enable-native-access=ALL-UNNAMED",
                Storefront.class.getName(),
                "--server.port=0"));
    command.addAll(arguments);
    var service = new Service(new ProcessBuilder(command).redirectErrorStream(true).start());
    if (!eventually(() -> service.announcedPort().isPresent() || !service.process.isAlive())
        || service.announcedPort().isEmpty()) {
      service.close();
      throw new IllegalStateException(
          "the service has not started:\n" + String.join("\n", service.log));
    }
    return service;
  }

  private void readLog() {
    try (var lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line; (line = lines.readLine()) != null; ) {
        log.add(line);
      }
    } catch (IOException e) {
      log.add(e.toString());
    }
  }

  private OptionalInt announcedPort() {
    return log.stream()
        .filter(line -> line.contains(STARTED))
        .mapToInt(line ->
            Integer.parseInt(
                line.substring(line.indexOf(STARTED) + STARTED.length()).split(" ", -1)[0]))
        .findFirst();
  }

  /** Whether something came true before patience ended. */
  static boolean eventually(Check check) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!check.holds()) {
      if (System.nanoTime() - end > 0) {
        return false;
      }
      Thread.sleep(20);
    }
    return true;
  }

  /** Whether a text has come, or comes, in its log more than so often. */
  boolean logs(String text, long moreThan) throws Exception {
    return eventually(() -> logged(text) > moreThan);
  }

  long logged(String text) {
    return log.stream().filter(line -> line.contains(text)).count();
  }

  /** What it has said so far. */
  List<String> log() {
    return List.copyOf(log);
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return http.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
  }

  CompletableFuture<HttpResponse<String>> getLater(String path) {
    return http.sendAsync(request(path).build(), HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path) throws IOException, InterruptedException {
    HttpRequest request = request(path).POST(HttpRequest.BodyPublishers.noBody()).build();
    return http.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private HttpRequest.Builder request(String path) {
    int port = announcedPort().orElseThrow();
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(PATIENCE);
  }

  /** A client that has asked, and can go away whenever it likes. */
  Socket ask(String path) throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), announcedPort().orElseThrow());
    socket
        .getOutputStream()
        .write(
            ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8));
    return socket;
  }

  /** What runs, as whoever operates the service sees it. */
  String tasks() throws IOException, InterruptedException {
    return get("/actuator/tasks").body();
  }

  /** Sends it SIGTERM. */
  void terminate() {
    // Process.destroy would close the end that its log is read from.
    process.toHandle().destroy();
  }

  /** Its exit code once it has ended and its log is whole; -1 if it does not end. */
  int awaitEnd() throws InterruptedException {
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS) || !reader.join(PATIENCE)) {
      return -1;
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    process.destroyForcibly();
    http.close();
  }
}
