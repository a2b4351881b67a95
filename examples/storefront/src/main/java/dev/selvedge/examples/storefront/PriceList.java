package dev.selvedge.examples.storefront;

import dev.selvedge.Loop;
import dev.selvedge.Task;
import dev.selvedge.gather.Backoff;
import dev.selvedge.gather.Every;
import dev.selvedge.gather.Supervisor;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/** The price list, which a supervised task reads again and again. */
@Component
class PriceList {
  private final Loop loop;
  private final BackendClient backends;
  private final Storefront.Settings settings;
  private volatile String latest = "";
  private volatile @Nullable Task<?, ?> refreshing;

  PriceList(Loop loop, BackendClient backends, Storefront.Settings settings) {
    this.loop = loop;
    this.backends = backends;
    this.settings = settings;
  }

  String latest() {
    return latest;
  }

  @EventListener(ApplicationReadyEvent.class)
  void start() {
    Supervisor supervisor =
        Supervisor.builder()
            .name("prices")
            .unlimitedRestarts()
            .backoff(Backoff.exponential(settings.refresh(), Duration.ofMinutes(1)))
            .build()
            .add("refresh-prices", this::refresh);
    refreshing = loop.createTask("prices", supervisor);
  }

  /** Else the shutdown would give it the time that it gives to work which comes to an end. */
  @EventListener(ContextClosedEvent.class)
  void stop() {
    Task<?, ?> present = refreshing;
    if (present != null) {
      present.cancel("the application stops");
    }
  }

  private void refresh() throws IOException, InterruptedException {
    Every.fixedDelay(settings.refresh()).maxFailures(3).run(this::read);
  }

  private void read() throws IOException, InterruptedException {
    latest = backends.priceList();
  }
}
