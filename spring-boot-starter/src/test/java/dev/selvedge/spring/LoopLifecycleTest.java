package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.CancelReason;
import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** What becomes of running tasks when the application stops. */
class LoopLifecycleTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  private final RecordingHandler reported = new RecordingHandler();
  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(AutoConfigurations.of(LoopAutoConfiguration.class))
          .withBean(LoopExceptionHandler.class, () -> reported);

  @Test
  void runningTasksMayEndAndNewOnesAreRefused() {
    var ended = new CountDownLatch(1);
    runner.run(context -> {
      Loop loop = context.getBean(Loop.class);
      var begun = new CountDownLatch(1);
      loop.launch(() -> {
        begun.countDown();
        await().until(loop::isShutdown);
        assertThatThrownBy(() -> loop.launch(() -> {}))
            .isInstanceOf(RejectedExecutionException.class);
        ended.countDown();
      });
      begun.await();
    });
    assertThat(ended.getCount()).isZero();
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  void whatIsStillRunningAfterTheDrainIsCancelledWithReasonShutdown() {
    var reason = new AtomicReference<CancelReason>();
    runner
        .withPropertyValues("selvedge.shutdown.drain=0s")
        .run(context -> {
          var begun = new CountDownLatch(1);
          context
              .getBean(Loop.class)
              .launch(() -> {
                begun.countDown();
                try {
                  new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                  reason.set(CancelReason.current().orElseThrow());
                  throw e;
                }
              });
          begun.await();
        });
    assertThat(reason.get().source()).isEqualTo(CancelReason.Source.SHUTDOWN);
  }

  @Test
  void aTaskThatDoesNotEndIsNamedAndTheContextClosesAllTheSame() {
    var go = new CountDownLatch(1);
    var loop = new AtomicReference<Loop>();
    runner
        .withPropertyValues("selvedge.shutdown.drain=0s", "selvedge.shutdown.timeout=20ms")
        .run(context -> {
          loop.set(context.getBean(Loop.class));
          var begun = new CountDownLatch(1);
          loop.get()
              .launch(
                  "stubborn",
                  () -> {
                    begun.countDown();
                    while (go.getCount() > 0) {
                      try {
                        go.await();
                      } catch (InterruptedException e) {
                        // That is what it does not listen to.
                        continue;
                      }
                    }
                  });
          begun.await();
        });
    assertThat(loop.get().isClosed()).isFalse();
    assertThat(reported.contexts())
        .anySatisfy(report -> {
          assertThat(report.message())
              .isEqualTo("Task has not ended within selvedge.shutdown.timeout");
          assertThat(report.future().name()).isEqualTo("stubborn");
          assertThat(report.details().get("stack").toString()).contains("await");
        });
    go.countDown();
    await().until(() -> loop.get().isClosed());
  }

  @Test
  @DisplayName("the default loop is not ended with a context of which it is a bean")
  void defaultLoop() throws Exception {
    runner
        .withBean("process", Loop.class, LoopLifecycleTest::loopOfTheProcess)
        .run(context -> assertThat(context).hasNotFailed().hasSingleBean(Loop.class));
    assertThat(loopOfTheProcess().isShutdown()).isFalse();
  }

  private static Loop loopOfTheProcess() {
    return CompletableFuture.supplyAsync(Loop::current, Thread::startVirtualThread).join();
  }

  @Test
  void aContextThatHasStoppedDoesNotStartAgain() {
    runner.run(context -> {
      context.getSourceApplicationContext().stop();
      assertThatThrownBy(() -> context.getSourceApplicationContext().start())
          .hasStackTraceContaining("refresh a new one");
    });
  }

  @Test
  void aContextThatFailsToStartLeavesNoLoopOpen() {
    var loop = new AtomicReference<Loop>();
    runner
        .withBean(
            "broken",
            Object.class,
            () -> {
              throw new IllegalStateException("no bean");
            },
            definition -> definition.setDependsOn("loop", "loopLifecycle"))
        .withBean(LoopBuilderCustomizer.class, () -> builder -> builder.name("unlucky"))
        .withInitializer(context ->
            context
                .getBeanFactory()
                .addBeanPostProcessor(
                    new org.springframework.beans.factory.config.BeanPostProcessor() {
                      @Override
                      public Object postProcessAfterInitialization(Object bean, String name) {
                        if (bean instanceof Loop made) {
                          loop.set(made);
                        }
                        return bean;
                      }
                    }))
        .run(context -> assertThat(context).hasFailed());
    assertThat(loop.get().isClosed()).isTrue();
  }
}
