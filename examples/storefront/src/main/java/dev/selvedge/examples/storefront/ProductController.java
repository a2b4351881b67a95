package dev.selvedge.examples.storefront;

import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.gather.ExceptionGroup;
import dev.selvedge.gather.Gather;
import dev.selvedge.spring.ClientStream;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** What clients ask for. */
@RestController
class ProductController {
  private static final Logger LOG = LoggerFactory.getLogger(ProductController.class);
  private static final Duration HEARTBEAT = Duration.ofMillis(500);

  private final Products products;
  private final BackendClient backends;
  private final PriceList prices;
  private final Storefront.Settings settings;
  private final Loop loop;

  ProductController(
      Products products,
      BackendClient backends,
      PriceList prices,
      Storefront.Settings settings,
      Loop loop) {
    this.products = products;
    this.backends = backends;
    this.prices = prices;
    this.settings = settings;
    this.loop = loop;
  }

  /** Asks everybody at once. The first failure cancels the others and comes out as it is. */
  @GetMapping("/products/{id}")
  ProductPage page(@PathVariable long id)
      throws NoSuchProductException,
          IOException,
          ExceptionGroup,
          TimeoutException,
          InterruptedException {
    return Gather.options()
        .name("product-page")
        .limit(settings.deadline())
        .zip(
            () -> products.find(id),
            () -> backends.price(id),
            () -> backends.stock(id),
            () -> backends.reviews(id),
            () -> recommendations(id),
            ProductPage::new);
  }

  /** A page without recommendations is better than none. */
  private List<String> recommendations(long id) throws InterruptedException {
    return switch (Gather.settle(() -> backends.recommendations(id)).getFirst()) {
      case Outcome.Success<String>(String value) -> List.of(value);
      case Outcome.Failure<String>(Throwable failure) -> {
        LOG.warn("no recommendations for product {}: {}", id, failure.toString());
        yield List.of();
      }
      case Outcome.Cancelled<String> _ -> List.of();
    };
  }

  /** The prices as they were read last. */
  @GetMapping("/prices")
  String prices() {
    return prices.latest();
  }

  /** Says what is in stock, again and again, until the client goes away. */
  @GetMapping("/products/{id}/stock/updates")
  void stockUpdates(@PathVariable long id, HttpServletResponse response)
      throws IOException, InterruptedException {
    response.setContentType("text/event-stream");
    ClientStream.write(
        response.getOutputStream(),
        ClientStream.EVENT_STREAM,
        HEARTBEAT,
        out -> {
          while (true) {
            String stock = backends.stock(id);
            out.write(("data: " + stock + "\n\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
            Task.sleep(Duration.ofMinutes(1));
          }
        });
  }

  /** Starts work that nobody waits for. */
  @PostMapping("/products/{id}/views")
  @ResponseStatus(HttpStatus.ACCEPTED)
  void view(@PathVariable long id) {
    loop.launch("record-view", () -> backends.recordView(id));
  }

  @ExceptionHandler
  ProblemDetail noSuchProduct(NoSuchProductException e) {
    return ProblemDetail.forStatusAndDetail(HttpStatus.NOT_FOUND, e.getMessage());
  }

  @ExceptionHandler
  ProblemDetail brokenBackend(BackendException e) {
    return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_GATEWAY, e.getMessage());
  }

  @ExceptionHandler
  ProblemDetail noMirror(ExceptionGroup e) {
    String all = String.join(", ", e.exceptions().stream().map(Throwable::getMessage).toList());
    return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_GATEWAY, all);
  }

  @ExceptionHandler
  ProblemDetail tooSlow(TimeoutException e) {
    return ProblemDetail.forStatusAndDetail(HttpStatus.GATEWAY_TIMEOUT, e.getMessage());
  }
}
