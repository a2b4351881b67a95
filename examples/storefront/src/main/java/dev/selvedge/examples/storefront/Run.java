package dev.selvedge.examples.storefront;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** The service with its backends, until Ctrl-C. */
final class Run {
  private Run() {}

  /** Starts all of it, and prints where. */
  public static void main(String[] arguments) throws IOException {
    Backends backends = Backends.start();
    var all = new ArrayList<String>(backends.arguments());
    all.addAll(List.of(arguments));
    ConfigurableApplicationContext context =
        SpringApplication.run(Storefront.class, all.toArray(new String[0]));
    String port = context.getEnvironment().getProperty("local.server.port");
    String service = "http://127.0.0.1:" + port;
    System.out.println();
    System.out.println("a product page        " + service + "/products/1");
    System.out.println("the price list        " + service + "/prices");
    System.out.println("stock as it changes   " + service + "/products/1/stock/updates");
    System.out.println("work that fails       curl -X POST " + service + "/products/1/views");
    System.out.println("failures              " + service + "/actuator/failures");
    System.out.println("running tasks         " + service + "/actuator/tasks");
    System.out.println("the console           " + service + "/actuator/tasks/console");
    System.out.println(
        "health, meters        " + service + "/actuator/health, " + service + "/actuator/metrics");
    backends
        .addresses()
        .forEach((name, address) -> System.out.printf("%-21s %s/1%n", name, address));
    System.out.println("Ctrl-C ends it.");
  }
}
