package dev.selvedge.examples.storefront;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;

/** The service. */
@SpringBootApplication
@EnableConfigurationProperties(Storefront.Settings.class)
public class Storefront {
  /**
   * Where its backends are, and how long it waits for them.
   *
   * @param prices the backend that knows prices
   * @param stock the backend that knows what is in stock
   * @param reviews the mirrors of the reviews
   * @param recommendations the backend that knows what else might please
   * @param statistics the backend that counts who looked at what
   * @param deadline how long a product page may take
   * @param refresh how often the price list is read
   */
  @ConfigurationProperties("storefront")
  public record Settings(
      URI prices,
      URI stock,
      List<URI> reviews,
      URI recommendations,
      URI statistics,
      Duration deadline,
      Duration refresh) {}

  /** Starts the service. */
  public static void main(String[] arguments) {
    SpringApplication.run(Storefront.class, arguments);
  }
}
