package dev.selvedge.spring;

import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** A real application on a random port of the loopback address. */
final class WebApplication implements AutoCloseable {
  private final ConfigurableApplicationContext context;
  private final HttpClient client = HttpClient.newHttpClient();

  WebApplication(Class<?> configuration, String... properties) {
    var arguments =
        new ArrayList<>(
            List.of(
                "--server.port=0",
                "--server.address=127.0.0.1",
                "--spring.threads.virtual.enabled=true",
                "--spring.main.banner-mode=off",
                "--logging.level.root=warn"));
    for (String property : properties) {
      arguments.add("--" + property);
    }
    SpringApplication application = new SpringApplicationBuilder(configuration).build();
    application.setRegisterShutdownHook(false);
    context = application.run(arguments.toArray(new String[0]));
  }

  <T> T bean(Class<T> type) {
    return context.getBean(type);
  }

  <T> T bean(String name, Class<T> type) {
    return context.getBean(name, type);
  }

  int port() {
    return context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
  }

  HttpResponse<String> get(String path, String... headers) throws Exception {
    var request = HttpRequest.newBuilder(uri(path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  void stop() {
    context.close();
  }

  HttpResponse<String> post(String path, String json) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(uri(path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json))
            .build();
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path);
  }

  /** A client that has asked, and can go away whenever it likes. */
  Socket ask(String path) throws Exception {
    var socket = new Socket("127.0.0.1", port());
    socket
        .getOutputStream()
        .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes());
    return socket;
  }

  @Override
  public void close() {
    context.close();
    client.close();
  }
}
