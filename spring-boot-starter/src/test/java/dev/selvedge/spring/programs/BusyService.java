package dev.selvedge.spring.programs;

import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.gather.Gather;
import java.util.concurrent.atomic.LongAdder;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.server.context.WebServerInitializedEvent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.event.EventListener;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Says its port, and at its end how many requests and failures it had and what became of them. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import(BusyService.Pages.class)
public class BusyService implements DisposableBean {
  private final LongAdder accepted = new LongAdder();
  private final LongAdder thrown = new LongAdder();
  private final LongAdder reported = new LongAdder();

  @RestController
  static class Pages {
    private final BusyService service;
    private final Loop loop;

    Pages(BusyService service, Loop loop) {
      this.service = service;
      this.loop = loop;
    }

    @GetMapping("/page")
    String page() throws InterruptedException {
      service.accepted.increment();
      loop.launch(() -> {
        Thread.sleep(30);
        service.thrown.increment();
        throw new IllegalStateException("in the background");
      });
      return String.join(
          " ",
          Gather.gather(
              () -> {
                Thread.sleep(20);
                return "left";
              },
              () -> {
                Thread.sleep(20);
                return "right";
              }));
    }
  }

  @Bean
  LoopExceptionHandler counting() {
    return (_, _) -> reported.increment();
  }

  @EventListener
  void started(WebServerInitializedEvent event) {
    System.out.println("port");
    System.out.println(event.getWebServer().getPort());
    System.out.println("ready");
  }

  @Override
  public void destroy() {
    System.out.println("accepted " + accepted.sum());
    System.out.println("thrown " + thrown.sum());
    System.out.println("reported " + reported.sum());
  }

  public static void main(String[] arguments) {
    SpringApplication.run(BusyService.class, arguments);
  }
}
