package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.Task;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.core.task.SyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.concurrent.SimpleAsyncTaskScheduler;

/**
 * Methods with Spring's annotations are tasks of the loop, and their failures reach its handler.
 */
class LoopTaskExecutionAutoConfigurationTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  private final RecordingHandler reported = new RecordingHandler();
  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  LoopAutoConfiguration.class,
                  LoopTaskExecutionAutoConfiguration.class,
                  TaskExecutionAutoConfiguration.class,
                  TaskSchedulingAutoConfiguration.class))
          .withBean(LoopExceptionHandler.class, () -> reported);

  static class Orders {
    final CountDownLatch go = new CountDownLatch(1);

    @Async
    public void ship() throws IOException {
      throw new IOException("not shipped");
    }

    @Async
    public Future<String> pack() throws IOException {
      throw new IOException("not packed");
    }

    @Async
    public CompletableFuture<String> name() {
      return CompletableFuture.completedFuture(Task.current().orElseThrow().name());
    }

    @Async
    public CompletableFuture<String> bill() throws IOException {
      throw new IOException("not billed");
    }

    @Async
    public void linger() throws InterruptedException {
      go.await();
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAsync(proxyTargetClass = true)
  static class AsyncConfiguration {
    @Bean
    Orders orders() {
      return new Orders();
    }
  }

  static class Direct {
    final AsyncTaskExecutor executor;
    private final AtomicReference<Future<String>> submitted = new AtomicReference<>();

    Direct(@Qualifier("applicationTaskExecutor") AsyncTaskExecutor executor) {
      this.executor = executor;
    }

    @Async("direct")
    public void run() {
      submitted.set(executor.submit(() -> Task.current().orElseThrow().name()));
    }

    @Async("direct")
    public void fail() {
      throw new IllegalStateException("direct");
    }

    public Future<String> submitted() {
      return submitted.get();
    }
  }

  static class Caller {
    private final Direct direct;

    Caller(Direct direct) {
      this.direct = direct;
    }

    @Async
    public void call() {
      direct.fail();
      throw new IllegalStateException("caller");
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAsync(proxyTargetClass = true)
  @Import({Direct.class, Caller.class})
  static class DirectConfiguration {
    @Bean(defaultCandidate = false)
    Executor direct() {
      return new SyncTaskExecutor();
    }
  }

  @Test
  @DisplayName("what an @Async method submits in its caller's thread is a task of its own")
  void submittedInTheCallersThread() {
    runner
        .withUserConfiguration(DirectConfiguration.class)
        .run(context -> {
          Direct direct = context.getBean(Direct.class);
          direct.run();
          assertThat(direct.submitted().get(5, TimeUnit.SECONDS)).startsWith("task-");
        });
  }

  @Test
  @DisplayName("one that fails in the thread of another takes nothing from the other's failure")
  void bothFail() {
    runner
        .withUserConfiguration(DirectConfiguration.class)
        .run(context -> {
          context.getBean(Caller.class).call();
          await().until(() -> reported.contexts().size() == 2);
        });
    assertThat(reported.exceptions())
        .extracting(Throwable::getMessage)
        .containsExactlyInAnyOrder("direct", "caller");
  }

  private ExceptionContext awaitReport() {
    await().until(() -> !reported.contexts().isEmpty());
    assertThat(reported.contexts()).hasSize(1);
    return reported.contexts().getFirst();
  }

  @Test
  void theFailureOfAnAsyncMethodThatReturnsNothingIsReportedWithBeanAndMethod() {
    runner
        .withUserConfiguration(AsyncConfiguration.class)
        .run(context -> {
          context.getBean(Orders.class).ship();

          ExceptionContext report = awaitReport();
          assertThat(report.exception()).isInstanceOf(IOException.class).hasMessage("not shipped");
          assertThat(report.future().name()).isEqualTo("orders.ship");
        });
  }

  @Test
  void soIsTheFailureInAFutureThatNobodyReads() {
    runner
        .withUserConfiguration(AsyncConfiguration.class)
        .withPropertyValues("selvedge.orphan-after=10ms")
        .run(context -> {
          Future<String> kept = context.getBean(Orders.class).pack();

          ExceptionContext report = awaitReport();
          assertThat(report.exception()).isInstanceOf(IOException.class).hasMessage("not packed");
          assertThat(report.future().name()).isEqualTo("orders.pack");
          assertThat(kept).isDone();
        });
  }

  @Test
  void aFutureThatWasDroppedIsReportedWhenTheContextCloses() {
    runner
        .withUserConfiguration(AsyncConfiguration.class)
        .run(context -> {
          CompletableFuture<String> dropped = context.getBean(Orders.class).bill();
          await().until(dropped::isDone);
        });
    assertThat(awaitReport().exception()).hasMessage("not billed");
  }

  @Test
  void aFailureThatIsReadIsTheVerySameAndIsNotReported() {
    runner
        .withUserConfiguration(AsyncConfiguration.class)
        .run(context -> {
          Future<String> future = context.getBean(Orders.class).pack();
          assertThatThrownBy(future::get)
              .isInstanceOf(ExecutionException.class)
              .cause()
              .isInstanceOf(IOException.class)
              .hasMessage("not packed");
        });
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  void theTaskOfAnAsyncMethodIsNamedAfterIt() {
    runner
        .withUserConfiguration(AsyncConfiguration.class)
        .run(context ->
            assertThat(context.getBean(Orders.class).name().get()).isEqualTo("orders.name"));
  }

  @Test
  void cancellingTheFutureCancelsTheTask() {
    runner.run(context -> {
      var begun = new CountDownLatch(1);
      var interrupted = new CountDownLatch(1);
      Future<Object> future =
          context
              .getBean(AsyncTaskExecutor.class)
              .submit(() -> {
                begun.countDown();
                try {
                  new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                  interrupted.countDown();
                  throw e;
                }
                return "never";
              });
      begun.await();
      assertThat(future.cancel(true)).isTrue();
      assertThat(interrupted.await(5, TimeUnit.SECONDS)).isTrue();
      await().until(future::isCancelled);
    });
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  void anExecutorOfAClosedLoopRejects() {
    runner.run(context -> {
      var executor = context.getBean(LoopTaskExecutor.class);
      context.getBean(LoopLifecycle.class).stop();
      assertThatThrownBy(() -> executor.execute(() -> {}))
          .isInstanceOf(TaskRejectedException.class)
          .hasMessageContaining("shut down");
      assertThatThrownBy(() -> executor.submit(() -> "late"))
          .isInstanceOf(TaskRejectedException.class);
    });
  }

  @Test
  void aDecoratorWrapsEveryCommand() {
    var order = new StringBuffer();
    runner
        .withBean(
            TaskDecorator.class,
            () ->
                command ->
                    () -> {
                      order.append("before ");
                      command.run();
                      order.append("after ");
                    })
        .run(context -> {
          AsyncTaskExecutor executor = context.getBean(AsyncTaskExecutor.class);
          assertThat(executor.submit(() -> "value").get()).isEqualTo("value");
          Future<Object> failing =
              executor.submit(() -> {
                throw new IOException("checked");
              });
          assertThatThrownBy(failing::get).hasRootCauseInstanceOf(IOException.class);
        });
    assertThat(order).hasToString("before after before after ");
  }

  static class Prices {
    final AtomicInteger runs = new AtomicInteger();
    final Semaphore ended = new Semaphore(0);
    final AtomicReference<String> task = new AtomicReference<>();

    @Scheduled(fixedDelay = 1)
    void refresh() throws IOException {
      task.set(Task.current().orElseThrow().name());
      try {
        if (runs.incrementAndGet() % 2 == 1) {
          throw new IOException("no prices");
        }
      } finally {
        ended.release();
      }
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableScheduling
  static class SchedulingConfiguration {
    @Bean
    Prices prices() {
      return new Prices();
    }
  }

  @Test
  void aScheduledMethodSurvivesItsFailureWhichIsReportedWithBeanAndMethod() {
    runner
        .withUserConfiguration(SchedulingConfiguration.class)
        .run(context -> {
          assertThat(context).hasSingleBean(LoopTaskScheduler.class);
          Prices prices = context.getBean(Prices.class);
          prices.ended.acquire(3);
          await().until(() -> reported.contexts().size() >= 2);
          assertThat(prices.task).hasValue("prices.refresh");
        });
    assertThat(reported.contexts())
        .allSatisfy(report -> {
          assertThat(report.message()).isEqualTo("Scheduled run failed");
          assertThat(report.exception()).isInstanceOf(IOException.class).hasMessage("no prices");
          assertThat(report.future().name()).isEqualTo("prices.refresh");
        });
  }

  @Test
  void whatIsScheduledOnceRunsAtItsTimeAndItsFutureHasItsFailure() {
    runner
        .withUserConfiguration(SchedulingConfiguration.class)
        .run(context -> {
          TaskScheduler scheduler = context.getBean(TaskScheduler.class);
          var ran = new AtomicReference<Instant>();
          Instant due = Instant.now().plusMillis(20);
          scheduler.schedule(() -> ran.set(Instant.now()), due).get();
          assertThat(ran.get()).isAfterOrEqualTo(due);

          var failing =
              scheduler.schedule(
                  () -> {
                    throw new IllegalStateException("once");
                  },
                  Instant.now());
          assertThatThrownBy(failing::get).hasRootCauseMessage("once");
          assertThatThrownBy(() -> scheduler.scheduleAtFixedRate(() -> {}, Duration.ZERO))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("PT0S");
        });
  }

  @Test
  void aCancelledScheduleRunsNoMoreAndMayLetItsRunEnd() {
    runner
        .withUserConfiguration(SchedulingConfiguration.class)
        .run(context -> {
          TaskScheduler scheduler = context.getBean(TaskScheduler.class);
          var begun = new CountDownLatch(1);
          var go = new CountDownLatch(1);
          var ended = new AtomicInteger();
          var gentle =
              scheduler.scheduleWithFixedDelay(
                  () -> {
                    begun.countDown();
                    try {
                      go.await();
                      ended.incrementAndGet();
                    } catch (InterruptedException e) {
                      throw new AssertionError(e);
                    }
                  },
                  Duration.ofMillis(1));
          begun.await();
          assertThat(gentle.cancel(false)).isTrue();
          go.countDown();
          await().until(gentle::isDone);
          assertThat(ended).hasValue(1);
          assertThat(gentle.cancel(true)).isFalse();

          var waiting = scheduler.schedule(() -> {}, Instant.now().plusSeconds(3600));
          await().until(() -> waiting.getDelay(TimeUnit.MINUTES) >= 58);
          assertThat(waiting.cancel(true)).isTrue();
          await().until(waiting::isCancelled);
        });
  }

  @Test
  void allOfItCanBeSwitchedOff() {
    runner
        .withPropertyValues("selvedge.async.enabled=false")
        .withUserConfiguration(AsyncConfiguration.class, SchedulingConfiguration.class)
        .run(context -> {
          assertThat(context).hasNotFailed().doesNotHaveBean(LoopTaskExecutor.class);
          assertThat(context).doesNotHaveBean(LoopTaskScheduler.class);
        });
  }

  @Test
  void anExecutorAndASchedulerOfTheApplicationAreLeftAlone() {
    runner
        .withUserConfiguration(SchedulingConfiguration.class)
        .withBean(Executor.class, SimpleAsyncTaskExecutor::new)
        .withBean(TaskScheduler.class, SimpleAsyncTaskScheduler::new)
        .run(context -> {
          assertThat(context).hasSingleBean(Loop.class);
          assertThat(context).doesNotHaveBean(LoopTaskExecutor.class);
          assertThat(context).doesNotHaveBean(LoopTaskScheduler.class);
        });
  }
}
