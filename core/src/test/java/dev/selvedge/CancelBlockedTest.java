package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A request reaches a body wherever it blocks, and the end of the task is a cancellation. */
@ExtendWith(Oracle.class)
class CancelBlockedTest {
  private final Threads.Reported reported = new Threads.Reported();
  private final CountDownLatch started = new CountDownLatch(1);

  private void assertCancelled(Class<? extends Throwable> cause, boolean parks, Action<?> body)
      throws Exception {
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, Exception> task =
          loop.createTask(() -> {
            started.countDown();
            body.run();
            return null;
          });
      started.await();
      if (parks) {
        Gate.awaitBlocked(task);
      }

      task.cancel("why");

      assertThatThrownBy(() -> task.await(Duration.ofSeconds(5)))
          .isInstanceOf(TaskCancelledException.class)
          .hasCauseInstanceOf(cause)
          .hasMessageContaining("why");
      assertThat(task.isCancelled()).isTrue();
    }
    assertThat(reported.contexts).isEmpty();
  }

  @Test
  @DisplayName("CAN-03: cancelled in a sleep")
  void cancelledInASleep() throws Exception {
    assertCancelled(InterruptedException.class, true, () -> Thread.sleep(60_000));
  }

  @Test
  @DisplayName("CAN-03: cancelled in lockInterruptibly")
  void cancelledInALock() throws Exception {
    var lock = new ReentrantLock();
    lock.lock();
    try {
      assertCancelled(InterruptedException.class, true, lock::lockInterruptibly);
    } finally {
      lock.unlock();
    }
    assertThat(lock.hasQueuedThreads()).isFalse();
  }

  @Test
  @DisplayName("CAN-03: cancelled in the take of a queue")
  void cancelledInAQueue() throws Exception {
    var queue = new ArrayBlockingQueue<String>(1);
    assertCancelled(
        InterruptedException.class,
        true,
        () -> {
          var unused = queue.take();
        });
  }

  @Test
  @DisplayName("CAN-03: cancelled in the read of a java.nio channel")
  void cancelledInAChannelRead() throws Exception {
    Pipe pipe = Pipe.open();
    try (Pipe.SourceChannel source = pipe.source();
        Pipe.SinkChannel sink = pipe.sink()) {
      assertCancelled(
          ClosedByInterruptException.class,
          !Threads.PLATFORM,
          () -> {
            var unused = source.read(ByteBuffer.allocate(1));
          });
      assertThat(sink.isOpen()).isTrue();
      assertThat(source.isOpen()).isFalse();
    }
  }

  @Test
  @DisplayName("CAN-03: cancelled in the accept of a java.nio channel")
  void cancelledInAChannelAccept() throws Exception {
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      assertCancelled(
          ClosedByInterruptException.class,
          !Threads.PLATFORM,
          () -> {
            var unused = server.accept();
          });
    }
  }

  @Test
  @Tag("virtual-only")
  @DisplayName("CAN-03: cancelled in the accept of a socket")
  void cancelledInASocketAccept() throws Exception {
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertCancelled(
          SocketException.class,
          true,
          () -> {
            var unused = server.accept();
          });
      assertThat(server.isClosed()).isTrue();
    }
  }

  @Test
  @Tag("virtual-only")
  @DisplayName("CAN-03: cancelled in the read of a socket")
  void cancelledInASocketRead() throws Exception {
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var client = new Socket(server.getInetAddress(), server.getLocalPort());
        var other = server.accept()) {
      assertCancelled(
          SocketException.class,
          true,
          () -> {
            var unused = client.getInputStream().read();
          });
      assertThat(client.isClosed()).isTrue();
      assertThat(other.isClosed()).isFalse();
    }
  }

  @Test
  @DisplayName("CAN-03: the SocketException of a task that nobody cancelled is a failure")
  void aSocketExceptionUnasked() throws Exception {
    var failure = new SocketException("reset");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, SocketException> task =
          loop.createTask(() -> {
            Thread.currentThread().interrupt();
            throw failure;
          });

      assertThatThrownBy(task::await).isSameAs(failure);
      assertThat(task.isCancelled()).isFalse();
    }
  }

  @Test
  @DisplayName("CAN-03: an IOException after the interrupt was swallowed is a failure")
  void anInterruptedIoWithoutTheFlagIsAFailure() throws Exception {
    var failure = new SocketException("reset");
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, IOException> task =
          loop.createTask(() -> {
            started.countDown();
            try {
              Thread.sleep(60_000);
            } catch (InterruptedException e) {
              throw failure;
            }
          });
      started.await();
      task.cancel();

      assertThatThrownBy(task::await).isSameAs(failure);
      assertThat(task.isCancelled()).isFalse();
    }
  }

  @Test
  @DisplayName("CAN-03, CAN-11: cancelled in the await of another task, which goes on")
  void cancelledInAnAwait() throws Exception {
    var gate = new Gate();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<String, RuntimeException> awaited =
          loop.createTask(() -> {
            gate.pass();
            return "untouched";
          });
      Task<String, RuntimeException> waiter = loop.createTask(() -> awaited.await());
      Task<String, RuntimeException> bystander = loop.createTask(() -> awaited.await());
      Gate.awaitBlocked(waiter);
      Gate.awaitBlocked(bystander);

      waiter.cancel("only you");

      assertThatThrownBy(waiter::await)
          .isInstanceOf(TaskCancelledException.class)
          .hasCauseInstanceOf(InterruptedException.class)
          .hasMessageContaining("only you");
      assertThat(awaited.isDone()).isFalse();
      assertThat(awaited.cancelRequests()).isZero();
      gate.open();
      assertThat(bystander.await()).isEqualTo("untouched");
      assertThat(bystander.cancelRequests()).isZero();
    }
  }

  @Test
  @DisplayName("CAN-03: handlers and finally parts run innermost first")
  void finallyPartsRunInnermostFirst() throws Exception {
    var order = new ConcurrentLinkedQueue<String>();
    assertCancelled(
        InterruptedException.class,
        true,
        () -> {
          try {
            try {
              Thread.sleep(60_000);
            } catch (InterruptedException e) {
              order.add("handler");
              throw e;
            } finally {
              order.add("inner");
            }
          } finally {
            order.add("outer");
          }
        });

    assertThat(order).containsExactly("handler", "inner", "outer");
  }

  @Test
  @DisplayName("CAN-27: cancelling a sleeper leaves no timer behind")
  void noTimerIsLeftBehind() throws Exception {
    assertCancelled(InterruptedException.class, true, () -> Thread.sleep(60_000));

    await().untilAsserted(() -> assertThat(Timers.armed()).isZero());
  }

  @Test
  @DisplayName(
      "CAN-29: the interrupt reaches the blocking code of a child, and the owner waits for it")
  void theOwnerWaitsForTheBlockingChild() throws Exception {
    var order = new ConcurrentLinkedQueue<String>();
    assertCancelled(
        InterruptedException.class,
        true,
        () -> {
          try (var scope = TaskScope.<RuntimeException>open()) {
            var unused =
                scope.fork(() -> {
                  try {
                    Thread.sleep(60_000);
                  } finally {
                    order.add("child ended");
                  }
                });
            scope.join();
          } finally {
            order.add("owner ended");
          }
        });

    assertThat(order).containsExactly("child ended", "owner ended");
  }

  @Test
  @DisplayName("interrupted in a join, it waits for the interrupt still to come and spins for none")
  void aJoinThatIsInterruptedTwice() throws Exception {
    var sending = new CountDownLatch(1);
    var gate = new Gate();
    Points.hook =
        point -> {
          if (point.equals("asked")) {
            sending.countDown();
            gate.pass();
          }
        };
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      Task<Void, Exception> joining =
          loop.createTask(() -> {
            try (var inner = TaskScope.<Exception>open()) {
              inner.fork(() -> new CountDownLatch(1).await());
              inner.join();
            }
          });
      Gate.awaitBlocked(joining);
      Thread closing = Thread.ofVirtual().start(loop::close);
      assertThat(sending.await(10, TimeUnit.SECONDS)).isTrue();

      Thread thread = ((TaskImpl<?, ?>) joining).thread();
      thread.interrupt();

      try {
        await().until(() -> LockSupport.getBlocker(thread) instanceof Cold);
        for (int i = 0; i < 1000; i++) {
          assertThat(thread.getState()).isEqualTo(Thread.State.WAITING);
        }
      } finally {
        gate.open();
      }
      closing.join();
      assertThat(joining.isCancelled()).isTrue();
    } finally {
      Points.hook = null;
    }
  }

  @Test
  @DisplayName("a task that gave up its wait no longer counts as one that waits")
  void whoGaveUpWaitsNoLonger() throws Exception {
    var gate = new Gate();
    try (Loop loop = Threads.builder().build()) {
      Task<Void, RuntimeException> awaited = loop.createTask(gate::pass);
      Task<Void, RuntimeException> waiter = loop.createTask(() -> awaited.awaitDone());
      Gate.awaitBlocked(waiter);
      Cold cold = ((TaskImpl<?, ?>) awaited).cold();
      assertThat(cold.isAwaitedByTask()).isTrue();

      waiter.cancel();
      waiter.awaitDone();

      assertThat(cold.isAwaitedByTask()).isFalse();
      gate.open();
    }
  }
}
