package dev.selvedge.examples.storefront;

import dev.selvedge.gather.ExceptionGroup;
import dev.selvedge.gather.Gather;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.springframework.stereotype.Component;

/** Asks the backends. Interrupting the thread, as a cancellation does, ends the request. */
@Component
class BackendClient implements AutoCloseable {
  private final HttpClient http = HttpClient.newHttpClient();
  private final Storefront.Settings backends;

  BackendClient(Storefront.Settings backends) {
    this.backends = backends;
  }

  String price(long id) throws IOException, InterruptedException {
    return get("prices", backends.prices(), id);
  }

  String priceList() throws IOException, InterruptedException {
    return get("prices", backends.prices(), 0);
  }

  String stock(long id) throws IOException, InterruptedException {
    return get("stock", backends.stock(), id);
  }

  /** From the first mirror that answers; it fails if none does. */
  String reviews(long id) throws ExceptionGroup, InterruptedException {
    return Gather.any(
        () -> get("reviews-1", backends.reviews().getFirst(), id),
        () -> get("reviews-2", backends.reviews().getLast(), id));
  }

  String recommendations(long id) throws IOException, InterruptedException {
    return get("recommendations", backends.recommendations(), id);
  }

  /** Counts that somebody looked at a product. */
  void recordView(long id) throws IOException, InterruptedException {
    get("statistics", backends.statistics(), id);
  }

  private String get(String backend, URI address, long id)
      throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(address.resolve("/" + id)).build();
    HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new BackendException(backend, response.statusCode());
    }
    return response.body();
  }

  @Override
  public void close() {
    http.close();
  }
}
