package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.Body;
import dev.selvedge.ContextCarrier;
import dev.selvedge.Loop;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.core.task.TaskRejectedException;

/** What ends something scheduled, and what does not. */
class LoopTaskSchedulerTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  private static final Duration SOON = Duration.ofMillis(1);

  private final RecordingHandler reported = new RecordingHandler();
  private final AtomicBoolean carrierIsBroken = new AtomicBoolean();
  private final Loop loop =
      Loop.builder()
          .handleSignals(false)
          .exceptionHandler(reported)
          .carry(
              new ContextCarrier() {
                @Override
                public <T, X extends Exception> Body<T, X> carry(Body<T, X> body) {
                  if (carrierIsBroken.get()) {
                    throw new IllegalArgumentException("carrier");
                  }
                  return body;
                }
              })
          .build();
  private final LoopTaskScheduler scheduler = new LoopTaskScheduler(loop);

  @AfterEach
  void close() {
    loop.close();
  }

  @Test
  @DisplayName("an InterruptedException that nobody asked for is a failure as any other")
  void strayInterruptedException() throws Exception {
    var runs = new AtomicInteger();
    var later = new CountDownLatch(3);
    scheduler.scheduleWithFixedDelay(
        () -> {
          later.countDown();
          if (runs.incrementAndGet() == 1) {
            throw Sneaky.<RuntimeException>thrown(new InterruptedException("of a library"));
          }
        },
        SOON);

    assertThat(reported.expectReport("Scheduled run failed").exception())
        .isInstanceOf(InterruptedException.class)
        .hasMessage("of a library");
    assertThat(later.await(5, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  @DisplayName("of what runs once it is a failure, too, which belongs to the future")
  void strayInterruptedExceptionOfWhatRunsOnce() {
    Future<?> future =
        scheduler.schedule(
            () -> {
              throw Sneaky.<RuntimeException>thrown(new InterruptedException("of a library"));
            },
            Instant.now());

    assertThatThrownBy(() -> future.get(5, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(InterruptedException.class)
        .hasRootCauseMessage("of a library");
  }

  @Test
  @DisplayName("an interrupt flag that a run leaves behind does not reach the next")
  void leftOverFlag() throws Exception {
    var flags = new AtomicInteger();
    var later = new CountDownLatch(3);
    scheduler.scheduleWithFixedDelay(
        () -> {
          if (Thread.currentThread().isInterrupted()) {
            flags.incrementAndGet();
          }
          later.countDown();
          Thread.currentThread().interrupt();
        },
        SOON);

    assertThat(later.await(5, TimeUnit.SECONDS)).isTrue();
    assertThat(flags).hasValue(0);
  }

  @Test
  @DisplayName("a run that swallows its cancellation is the last one")
  void swallowedCancellation() throws Exception {
    var runs = new AtomicInteger();
    var begun = new CountDownLatch(1);
    Future<?> future =
        scheduler.scheduleWithFixedDelay(
            () -> {
              if (runs.incrementAndGet() > 1) {
                return;
              }
              begun.countDown();
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException _) {
                // It neither throws it nor sets the flag.
                return;
              }
            },
            SOON);
    begun.await();

    assertThat(future.cancel(true)).isTrue();

    await().until(future::isCancelled);
    assertThat(runs).hasValue(1);
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("a start that fails leaves nothing in the way of the stop")
  void failedStart() {
    Future<?> waiting = scheduler.schedule(() -> {}, Instant.now().plusSeconds(3600));
    carrierIsBroken.set(true);
    assertThatThrownBy(() -> scheduler.schedule(() -> {}, Instant.now()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("carrier");

    scheduler.stop();

    await().until(waiting::isCancelled);
  }

  @Test
  @DisplayName("what is being scheduled while the scheduler stops is refused")
  void startMeetsStop() throws Exception {
    var naming = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    var slow =
        new LoopTaskScheduler(
            loop,
            name -> {
              naming.countDown();
              reach(go);
              return name;
            });
    var refused = new AtomicReference<Throwable>();
    Thread starting =
        Thread.startVirtualThread(() -> {
          try {
            slow.schedule(() -> {}, Instant.now().plusSeconds(3600));
          } catch (TaskRejectedException e) {
            refused.set(e);
          }
        });
    naming.await();

    slow.stop();

    go.countDown();
    starting.join();
    assertThat(refused.get()).hasMessageContaining("stopped");
    assertThat(loop.allTasks()).isEmpty();
  }

  private static void reach(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  @DisplayName("a future that was cancelled during a run is a cancelled one once the run has ended")
  void gentleCancel() throws Exception {
    var begun = new Semaphore(0);
    var go = new Semaphore(0);
    Runnable command =
        () -> {
          begun.release();
          try {
            assertThat(go.tryAcquire(5, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        };
    // One after the other, as both have the same command.
    for (boolean periodic : new boolean[] {false, true}) {
      Future<?> future =
          periodic
              ? scheduler.scheduleWithFixedDelay(command, SOON)
              : scheduler.schedule(command, Instant.now());
      begun.acquire();
      assertThat(future.cancel(false)).isTrue();
      assertThat(future.isDone()).isFalse();
      assertThat(future.cancel(false)).isFalse();

      go.release();

      assertThatThrownBy(() -> future.get(5, TimeUnit.SECONDS))
          .isInstanceOf(CancellationException.class);
      assertThat(future.isCancelled()).isTrue();
      assertThat(future.state()).isEqualTo(Future.State.CANCELLED);
      assertThat(future.cancel(true)).isFalse();
    }
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("the failure of a run that ended after a gentle cancel is in the future")
  void gentleCancelOfWhatFails() throws Exception {
    var begun = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    Future<?> future =
        scheduler.schedule(
            () -> {
              begun.countDown();
              reach(go);
              throw new IllegalStateException("not booked");
            },
            Instant.now());
    begun.await();
    assertThat(future.cancel(false)).isTrue();
    go.countDown();
    assertThatThrownBy(future::get).hasRootCauseMessage("not booked");
    assertThat(future.isCancelled()).isFalse();
  }
}
