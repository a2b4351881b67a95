package dev.selvedge.examples.storefront;

import static dev.selvedge.examples.storefront.Service.eventually;

import java.io.PrintStream;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Starts the service in a process of its own, does to it what happens to services, and says for
 * each what reached whom. Exits with 1 if something did not.
 */
final class Tour {
  private static final String PAGE = "product-page";
  private static final String NOT_COUNTED = "statistics answers 500";
  private static final Duration SLOW = Duration.ofMillis(300);

  /** Something that happens to the service. */
  @FunctionalInterface
  interface Station {
    void visit(Tour tour) throws Exception;
  }

  static final List<Station> ALL =
      List.of(
          Tour::aPage,
          Tour::aFailure,
          Tour::aSlowBackend,
          Tour::noRecommendations,
          Tour::oneMirror,
          Tour::noPriceList,
          Tour::workInTheBackground,
          Tour::aDisconnect,
          Tour::sigterm);

  private final Backends backends;
  private final Service service;
  private final PrintStream out;
  private int missing;

  private Tour(Backends backends, Service service, PrintStream out) {
    this.backends = backends;
    this.service = service;
    this.out = out;
  }

  /** Walks through all of it. Arguments are passed to the service. */
  public static void main(String[] arguments) throws Exception {
    int missing = walk(System.out, List.of(arguments), ALL);
    System.exit(missing == 0 ? 0 : 1);
  }

  /** Returns how many deliveries did not happen. */
  static int walk(PrintStream out, List<String> arguments, List<Station> stations)
      throws Exception {
    try (Backends backends = Backends.start()) {
      var all = new ArrayList<>(backends.arguments());
      all.addAll(
          List.of(
              "--selvedge.health.quiet=2s",
              "--storefront.refresh=200ms",
              // A machine that is busy otherwise must not decide what happens.
              "--storefront.deadline=5s"));
      all.addAll(arguments);
      try (Service service = Service.start(all)) {
        var tour = new Tour(backends, service, out);
        for (Station station : stations) {
          station.visit(tour);
        }
        if (tour.missing == 0) {
          out.println("Everything reached somebody.");
        } else {
          out.println(tour.missing + " missing. The service said:");
          service.log().forEach(line -> out.println("  | " + line));
        }
        return tour.missing;
      }
    }
  }

  private void aPage() throws Exception {
    out.println("A page");
    HttpResponse<String> page = service.get("/products/1");
    expect(
        "the client got product, price, stock, reviews and recommendations",
        page.statusCode() == 200
            && page.body().contains("Denim jacket")
            && page.body().contains("prices of 1")
            && page.body().contains("stock of 1")
            && page.body().contains("reviews-")
            && page.body().contains("recommendations of 1"));
  }

  private void aFailure() throws Exception {
    out.println("The price backend fails while the stock backend hangs");
    backends.play((backend, id) ->
        switch (backend) {
          case "prices" -> id == 0 ? Backends.Behaviour.ANSWER : Backends.Behaviour.FAIL;
          case "stock" -> Backends.Behaviour.HANG;
          default -> Backends.Behaviour.ANSWER;
        });
    HttpResponse<String> page = service.get("/products/1");
    // Had it waited for the stock, this would be the deadline.
    expect(
        "the failure itself reached the controller, and the client as 502: " + detail(page),
        page.statusCode() == 502 && page.body().contains("prices answers 500"));
    expect("the tasks of the page have ended", eventually(() -> !service.tasks().contains(PAGE)));
    backends.play(Backends.ANSWERING);
  }

  private void aSlowBackend() throws Exception {
    out.println("The stock backend hangs");
    backends.play(Backends.only("stock", Backends.Behaviour.HANG));
    CompletableFuture<HttpResponse<String>> asked = service.getLater("/products/1");
    expect("the endpoint shows the page's tasks", eventually(() -> service.tasks().contains(PAGE)));
    HttpResponse<String> page = asked.get();
    expect("the deadline reached the client as 504: " + detail(page), page.statusCode() == 504);
    expect("the tasks of the page have ended", eventually(() -> !service.tasks().contains(PAGE)));
    backends.play(Backends.ANSWERING);
  }

  private void noRecommendations() throws Exception {
    out.println("The recommendations fail");
    backends.play(Backends.only("recommendations", Backends.Behaviour.FAIL));
    HttpResponse<String> page = service.get("/products/2");
    expect(
        "the client got a page without them",
        page.statusCode() == 200 && page.body().contains("\"recommendations\":[]"));
    expect(
        "the failure reached the code that can do without, which logged it",
        service.logs("no recommendations for product 2", 0));
    backends.play(Backends.ANSWERING);
  }

  private void oneMirror() throws Exception {
    out.println("One mirror of the reviews fails, then both");
    backends.play(Backends.only("reviews-1", Backends.Behaviour.FAIL));
    expect("the other one answered", service.get("/products/3").body().contains("reviews-2 of 3"));
    backends.play((backend, _) ->
        backend.startsWith("reviews") ? Backends.Behaviour.FAIL : Backends.Behaviour.ANSWER);
    HttpResponse<String> page = service.get("/products/3");
    expect(
        "both failures reached the client: " + detail(page),
        page.statusCode() == 502
            && page.body().contains("reviews-1 answers 500")
            && page.body().contains("reviews-2 answers 500"));
    backends.play(Backends.ANSWERING);
  }

  private void noPriceList() throws Exception {
    out.println("The price list cannot be read for a while");
    expect("it was read", eventually(() -> service.get("/prices").body().contains("prices of 0")));
    backends.play(Backends.only("prices", Backends.Behaviour.FAIL));
    expect("each failure reached the log", service.logs("prices answers 500", 2));
    expect(
        "that of the task reached its supervisor, which says so",
        service.logs("Supervised task failed", 0));
    expect(
        "clients got the last list meanwhile",
        service.get("/prices").body().contains("prices of 0"));
    var read = new AtomicLong();
    backends.play((_, id) -> {
      if (id == 0) {
        read.incrementAndGet();
      }
      return Backends.Behaviour.ANSWER;
    });
    expect("the task was started again, and reads it again", eventually(() -> read.get() > 1));
    backends.play(Backends.ANSWERING);
  }

  void workInTheBackground() throws Exception {
    out.println("Work in the background fails");
    expect("health is up before", eventually(() -> health() == 200));
    HttpResponse<String> answer = service.post("/products/1/views");
    expect("the client was not kept waiting", answer.statusCode() == 202);
    expect("the failure reached the log", service.logs(NOT_COUNTED, 0));
    String failures = service.get("/actuator/failures").body();
    expect(
        "it is among the failures of the endpoint, with its task",
        failures.contains("record-view") && failures.contains(NOT_COUNTED));
    expect("health is down", health() == 503);
    expect("and up again after a quiet time", eventually(() -> health() == 200));
  }

  private int health() throws Exception {
    return service.get("/actuator/health").statusCode();
  }

  private void aDisconnect() throws Exception {
    out.println("A client of the stock updates goes away");
    try (Socket client = service.ask("/products/1/stock/updates")) {
      expect("it got an answer before", client.getInputStream().read() == 'H');
      expect("its heartbeat runs", eventually(() -> service.tasks().contains("heartbeat")));
    }
    expect("what it asked for has ended", eventually(() -> !service.tasks().contains("heartbeat")));
  }

  private void sigterm() throws Exception {
    out.println("SIGTERM while a page is made and work goes on in the background");
    var asked = new CountDownLatch(2);
    backends.play((backend, id) -> {
      if (id == 2 && (backend.equals("stock") || backend.equals("statistics"))) {
        asked.countDown();
        Thread.sleep(SLOW);
      }
      return Backends.Behaviour.ANSWER;
    });
    long before = service.logged(NOT_COUNTED);
    CompletableFuture<HttpResponse<String>> page = service.getLater("/products/2");
    service.post("/products/2/views");
    expect("both have begun", asked.await(Service.PATIENCE.toSeconds(), TimeUnit.SECONDS));
    service.terminate();
    expect("the client got its page", page.get().statusCode() == 200);
    int code = service.awaitEnd();
    expect("the service has ended, with 143: " + code, code == 143);
    expect("the failure in the background reached the log", service.logged(NOT_COUNTED) > before);
  }

  private void expect(String what, boolean holds) {
    out.println((holds ? "  ok       " : "  MISSING  ") + what);
    if (!holds) {
      missing++;
    }
  }

  private static String detail(HttpResponse<String> problem) {
    int at = problem.body().indexOf("\"detail\":\"");
    return at < 0 ? problem.body() : problem.body().substring(at + 10).split("\"", -1)[0];
  }
}
