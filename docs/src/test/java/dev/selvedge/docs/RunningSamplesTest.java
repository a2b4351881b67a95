package dev.selvedge.docs;

import static dev.selvedge.gather.Gather.gather;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.Body;
import dev.selvedge.ContextCarrier;
import dev.selvedge.ExceptionContext;
import dev.selvedge.KeyboardInterruptException;
import dev.selvedge.Loop;
import dev.selvedge.LoopListener;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The samples of guide/running.md; those about signals and exit codes in a JVM of their own. */
@Timeout(60)
class RunningSamplesTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CompletableFuture<Thread> main = new CompletableFuture<>();

  @Test
  void runReturnsWhatMainReturns() throws Exception {
    // @start region="run"
    int answer =
        Loop.run(loop -> {
          loop.createTask(
              "heartbeat",
              () -> {
                try {
                  beat(); // for ever
                } finally {
                  log.add("heartbeat ended");
                }
              });
          return answer();
        });
    log.add("run returned " + answer);
    // @end

    assertThat(log).containsExactly("heartbeat ended", "run returned 42");
  }

  @Test
  void mainMayWaitForTheOthers() throws Exception {
    Thread watcher = Thread.ofPlatform().start(this::awaitThatMainWaits);

    assertThat(importAll()).isEqualTo("index");
    watcher.join();
    assertThat(log).containsExactlyInAnyOrder("images", "feeds");
  }

  private String importAll() throws InterruptedException {
    // @start region="all-tasks"
    return Loop.run(loop -> {
      loop.launch("images", this::importImages);
      loop.launch("feeds", this::importFeeds);
      String index = importIndex();
      for (Task<?, ?> task : loop.allTasks()) {
        if (task != Task.current().orElseThrow()) { // all but main itself
          task.awaitDone(); // throws nothing that it threw
        }
      }
      return index;
    });
    // @end
  }

  private String importIndex() {
    main.complete(Thread.currentThread());
    return "index";
  }

  private void importImages() throws InterruptedException {
    begun.await();
    log.add("images");
  }

  private void importFeeds() throws InterruptedException {
    begun.await();
    log.add("feeds");
  }

  /** Lets the imports go on when main waits, or has ended. */
  private void awaitThatMainWaits() {
    Thread thread = main.join();
    while (thread.getState() == Thread.State.RUNNABLE) {
      Thread.onSpinWait();
    }
    begun.countDown();
  }

  private void beat() throws InterruptedException {
    begun.countDown();
    Thread.sleep(60_000);
  }

  private int answer() throws InterruptedException {
    begun.await();
    return 42;
  }

  @Test
  void runThrowsWhatMainThrows() {
    var failure = new IOException("disk full");

    assertThatIOException()
        .isThrownBy(() ->
            Loop.run(() -> {
              throw failure;
            }))
        .isSameAs(failure);
  }

  @Test
  void oneLoopRunsSeveralMains() throws Exception {
    // @start region="several"
    try (Loop loop = Loop.create()) {
      Task<String, RuntimeException> background =
          loop.runUntilComplete(() -> loop.createTask("background", () -> "still here"));
      String later = loop.runUntilComplete(() -> background.await());
      log.add(later);
    }
    // @end

    assertThat(log).containsExactly("still here");
  }

  // ---- context and listeners

  private static final ScopedValue<String> USER = ScopedValue.newInstance();

  @Test
  void tasksInheritTheScopedValuesThatTheLoopWasTold() throws Exception {
    // @start region="inherit"
    try (Loop loop = Loop.builder().inherit(USER).build()) {
      String greeting =
          ScopedValue.where(USER, "Ada").call(() -> loop.runUntilComplete(() -> greet()));
      log.add(greeting);
    }
    // @end

    assertThat(log).containsExactly("hello Ada");
  }

  // @start region="inherited"
  String greet() throws InterruptedException {
    try (TaskScope<RuntimeException> scope = TaskScope.open()) {
      return scope.fork(() -> "hello " + USER.get()).await();
    }
  }

  // @end

  @Test
  void withoutInheritAScopedValueIsNotBound() {
    assertThatThrownBy(() -> ScopedValue.where(USER, "Ada").call(() -> Loop.run(() -> greet())))
        .isInstanceOf(NoSuchElementException.class);
  }

  private static final ThreadLocal<String> REQUEST = new ThreadLocal<>();

  // @start region="carrier"
  static final class RequestCarrier implements ContextCarrier {
    @Override
    public <T extends @Nullable Object, X extends Exception> Body<T, X> carry(Body<T, X> body) {
      String request = REQUEST.get(); // in the thread that forks
      return () -> { // in the thread of the task
        REQUEST.set(request);
        try {
          return body.call();
        } finally {
          REQUEST.remove();
        }
      };
    }
  }

  // @end

  @Test
  void aCarrierTakesALoggingContextAlong() throws Exception {
    // @start region="carry"
    Loop loop = Loop.builder().carry(new RequestCarrier()).build();
    // @end
    var reported = new CountDownLatch(1);
    try (loop) {
      loop.setExceptionHandler((of, context) -> {
        log.add("handler: " + REQUEST.get());
        reported.countDown();
      });
      REQUEST.set("request 7");
      assertThat(loop.createTask(() -> Task.create(REQUEST::get).await()).await())
          .isEqualTo("request 7");
      loop.launch(() -> {
        throw new IOException("disk full");
      });
      REQUEST.set("another");
      reported.await();
    } finally {
      REQUEST.remove();
    }

    assertThat(log).containsExactly("handler: request 7");
  }

  @Test
  void aCarrierThatThrowsStopsTheFork() throws Exception {
    ContextCarrier broken =
        new ContextCarrier() {
          @Override
          public <T extends @Nullable Object, X extends Exception> Body<T, X> carry(
              Body<T, X> body) {
            throw new IllegalStateException("no context");
          }
        };
    try (Loop loop = Loop.builder().carry(broken).build()) {
      assertThatThrownBy(() -> loop.createTask(() -> log.add("ran")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("no context");
      assertThat(loop.allTasks()).isEmpty();
    }
    assertThat(log).isEmpty();
  }

  // @start region="listener"
  static final class Meters implements LoopListener {
    final AtomicInteger running = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();

    @Override
    public void started(Task<?, ?> task) {
      running.incrementAndGet();
    }

    @Override
    public void finished(Task<?, ?> task, @Nullable Throwable exception) {
      running.decrementAndGet();
      if (task.state() == Future.State.FAILED) { // exception is null only after a success
        failed.incrementAndGet();
      }
    }
  }

  // @end

  @Test
  void aListenerCounts() throws Exception {
    var meters = new Meters();
    var reports = new CopyOnWriteArrayList<String>();

    // @start region="listen"
    Loop loop = Loop.builder().listener(meters).build();
    // @end
    try (loop) {
      loop.setExceptionHandler((of, context) -> reports.add(context.message()));
      loop.runUntilComplete(() -> {
        var good = loop.createTask(() -> "value");
        assertThat(good.await()).isEqualTo("value");
        var bad =
            loop.createTask(() -> {
              throw new IOException("disk full");
            });
        assertThatIOException().isThrownBy(bad::await);
        loop.createTask(this::beat);
        begun.await();
        assertThat(meters.running).hasValue(2); // main and the one that beats
      });
    }

    assertThat(meters.running).hasValue(0);
    assertThat(meters.failed).hasValue(1);
    assertThat(reports).isEmpty();
  }

  @Test
  void aListenerThatThrowsIsReportedAndDisturbsNothing() throws Exception {
    LoopListener broken =
        new LoopListener() {
          @Override
          public void started(Task<?, ?> task) {
            throw new IllegalStateException("broken");
          }
        };
    try (Loop loop =
        Loop.builder()
            .listener(broken)
            .exceptionHandler((of, context) -> log.add(context.message()))
            .build()) {
      assertThat(loop.createTask(() -> "value").await()).isEqualTo("value");
    }

    assertThat(log).containsExactly("Exception in a listener");
  }

  // ---- programs

  /** The program of the page. */
  static final class Server {
    // @start region="main"
    public static void main(String[] args) {
      Loop.main(loop -> {
        loop.launch("accept", Server::accept);
        try {
          Thread.sleep(60_000);
        } finally {
          System.out.println("main cleans up");
        }
        return null;
      });
    }

    // @end

    private static void accept() throws InterruptedException {
      try {
        System.out.println("ready");
        Thread.sleep(60_000);
      } finally {
        System.out.println("accept cleans up");
      }
    }
  }

  @Test
  void ctrlCEndsEveryTaskAndExits130() throws Exception {
    var server = new Child(Server.class);

    server.readUntil("ready");
    server.signal("INT");

    assertThat(server.readToEnd()).containsExactly("main cleans up", "accept cleans up");
    assertThat(server.exitCode()).isEqualTo(130);
  }

  @Test
  void sigtermEndsEveryTaskAndExits143() throws Exception {
    var server = new Child(Server.class);

    server.readUntil("ready");
    server.signal("TERM");

    assertThat(server.readToEnd()).containsExactlyInAnyOrder("main cleans up", "accept cleans up");
    assertThat(server.exitCode()).isEqualTo(143);
  }

  /** Has a loop with settings of its own, and the exit codes of {@code Loop.main}. */
  static final class BuiltServer {
    // @start region="built-main"
    public static void main(String[] args) {
      Loop.current().setExceptionHandler(Log::error); // for loops that have none
      Loop.main(_ -> {
        try (Loop loop = Loop.builder().debug(true).build()) {
          loop.runUntilComplete(() -> serve(args));
        }
        return null;
      });
    }

    // @end

    private static void serve(String[] args) throws IOException, InterruptedException {
      if (args.length > 0) {
        throw new IOException(args[0]);
      }
      Loop.current().createTask("accept", Server::accept);
      try {
        Thread.sleep(60_000);
      } finally {
        System.out.println("main cleans up");
      }
    }
  }

  private static final class Log {
    static void error(Loop loop, ExceptionContext context) {
      System.out.println(context.message() + ": " + context.exception());
    }
  }

  @Test
  void aLoopInsideOfLoopMainKeepsTheExitCodes() throws Exception {
    for (var end : Map.of("INT", 130, "TERM", 143).entrySet()) {
      var server = new Child(BuiltServer.class);
      server.readUntil("ready");
      server.signal(end.getKey());

      assertThat(server.readToEnd())
          .containsExactlyInAnyOrder("main cleans up", "accept cleans up");
      assertThat(server.exitCode()).isEqualTo(end.getValue());
    }

    var failing = new Child(BuiltServer.class, "disk full");

    assertThat(failing.readToEnd())
        .containsExactly("Exception in main: java.io.IOException: disk full");
    assertThat(failing.exitCode()).isEqualTo(1);
  }

  /** Catches Ctrl-C itself. */
  static final class Catching {
    public static void main(String[] args) throws InterruptedException {
      // @start region="catch"
      try {
        Loop.run(Catching::serve);
      } catch (KeyboardInterruptException e) {
        System.out.println("every task has ended; now the summary");
      }
      // @end
    }

    private static void serve() throws InterruptedException {
      System.out.println("ready");
      Thread.sleep(60_000);
    }
  }

  @Test
  void theExceptionComesOutOfRunAfterEveryTaskHasEnded() throws Exception {
    var program = new Child(Catching.class);

    program.readUntil("ready");
    program.signal("INT");

    assertThat(program.readToEnd()).containsExactly("every task has ended; now the summary");
    assertThat(program.exitCode()).isZero();
  }

  /** Says on Ctrl-C how far it came, and ends well. */
  static final class Counting {
    public static void main(String[] args) throws InterruptedException {
      // @start region="value"
      int done =
          Loop.run(() -> {
            int count = 0;
            try {
              while (true) {
                count++;
                System.out.println("ready");
                Thread.sleep(60_000);
              }
            } catch (InterruptedException e) {
              return count; // main has handled it: run returns this value
            }
          });
      // @end
      System.out.println("did " + done);
    }
  }

  @Test
  void mainMayHandleCtrlCAndReturnAValue() throws Exception {
    var program = new Child(Counting.class);

    program.readUntil("ready");
    program.signal("INT");

    assertThat(program.readToEnd()).containsExactly("did 1");
    assertThat(program.exitCode()).isZero();
  }

  /** Leaves from within a task. */
  static final class Exiting {
    public static void main(String[] args) throws InterruptedException {
      Loop.run(() -> {
        Loop.current().launch("background", Exiting::runInBackground);
        BEGUN.await();
        Loop.current()
            .launch(() -> {
              // @start region="exit"
              System.exit(3); // the others are cancelled and awaited, then the JVM exits
              // @end
            });
        Thread.sleep(60_000);
      });
    }

    private static final CountDownLatch BEGUN = new CountDownLatch(1);

    static void runInBackground() throws InterruptedException {
      try {
        BEGUN.countDown();
        Thread.sleep(60_000);
      } finally {
        System.out.println("cleaned up");
      }
    }
  }

  /** Leaves from within main. */
  static final class ExitingMain {
    public static void main(String[] args) throws InterruptedException {
      Loop.run(() -> {
        Loop.current().launch("background", Exiting::runInBackground);
        Exiting.BEGUN.await();
        System.exit(3);
      });
    }
  }

  @Test
  void systemExitInATaskWaitsForTheOthers() throws Exception {
    var program = new Child(Exiting.class);

    assertThat(program.readToEnd()).containsExactly("cleaned up");
    assertThat(program.exitCode()).isEqualTo(3);
  }

  @Test
  void systemExitInMainWaitsForTheOthers() throws Exception {
    var program = new Child(ExitingMain.class);

    assertThat(program.readToEnd()).containsExactly("cleaned up");
    assertThat(program.exitCode()).isEqualTo(3);
  }

  /** Fails in main. */
  static final class Failing {
    public static void main(String[] args) {
      Loop.main(loop -> {
        throw new IOException("disk full");
      });
    }
  }

  @Test
  void mainReportsAFailureAndExits1() throws Exception {
    var program = new Child(Failing.class);

    assertThat(program.readToEnd()).contains("java.io.IOException: disk full");
    assertThat(program.exitCode()).isEqualTo(1);
  }

  @Test
  void aThreadOfSomebodyElsesHasALoop() throws Exception {
    try (Loop loop = Loop.builder().handleSignals(false).name("shop").build()) {
      String id = "17";
      // @start region="as-current"
      String answer =
          loop.asCurrent(() -> String.join(" and ", gather(() -> product(id), () -> price(id))));
      // @end
      assertThat(answer).isEqualTo("17 of shop and 9.99");
    }
  }

  private static String product(String id) {
    return id + " of " + Loop.current().name();
  }

  private static String price(String id) {
    return id.isEmpty() ? "free" : "9.99";
  }

  /** A JVM that can be sent signals: perl resets the SIGINT that a background job may ignore. */
  private static final class Child {
    private final Process process;
    private final BufferedReader output;

    Child(Class<?> main, String... args) throws IOException, URISyntaxException {
      var command = new ArrayList<String>();
      command.addAll(List.of("perl", "-e", "$SIG{INT} = 'DEFAULT'; exec { $ARGV[0] } @ARGV"));
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp"));
      command.add(classes(main) + File.pathSeparator + classes(Loop.class));
      command.add(main.getName());
      command.addAll(List.of(args));
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
      output = process.inputReader(UTF_8);
    }

    private static Path classes(Class<?> type) throws URISyntaxException {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    void readUntil(String line) throws IOException {
      var seen = new ArrayList<String>();
      while (true) {
        String read = output.readLine();
        if (read == null) {
          throw new AssertionError("ended without '" + line + "': " + seen);
        }
        seen.add(read);
        if (read.equals(line)) {
          return;
        }
      }
    }

    void signal(String name) throws IOException, InterruptedException {
      var sender =
          new ProcessBuilder("perl", "-e", "kill @ARGV", name, Long.toString(process.pid()));
      assertThat(sender.inheritIO().start().waitFor()).isZero();
    }

    List<String> readToEnd() throws IOException {
      return output.readAllLines();
    }

    int exitCode() throws InterruptedException {
      return process.waitFor();
    }
  }
}
