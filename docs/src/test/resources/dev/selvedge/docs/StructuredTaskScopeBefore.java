package dev.selvedge.docs;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;

/**
 * The code that guide/migrating-from-structured-task-scope.md starts from. The API is a preview of
 * JDK 25, so StructuredTaskScopeMigrationTest runs this file in a JVM of its own and reads the
 * answers that it prints.
 */
class StructuredTaskScopeBefore {
  private static final ScopedValue<String> USER = ScopedValue.newInstance();

  record Profile(String user, String orders) {}

  // @start region="all"
  Profile profile(String id) throws IOException, InterruptedException {
    try (var scope = StructuredTaskScope.open()) {
      var user = scope.fork(() -> load("user/" + id));
      var orders = scope.fork(() -> load("orders/" + id));
      scope.join();
      return new Profile(user.get(), orders.get());
    } catch (StructuredTaskScope.FailedException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw e;
    }
  }

  // @end

  // @start region="each"
  List<String> loadEach(List<String> keys) throws InterruptedException {
    try (var scope = StructuredTaskScope.open(Joiner.<String>awaitAll())) {
      var subtasks = new ArrayList<Subtask<String>>();
      for (String key : keys) {
        subtasks.add(scope.fork(() -> load(key)));
      }
      scope.join();
      var lines = new ArrayList<String>();
      for (var subtask : subtasks) {
        lines.add(
            switch (subtask.state()) {
              case SUCCESS -> subtask.get();
              case FAILED -> "failed: " + subtask.exception().getMessage();
              case UNAVAILABLE -> "cancelled";
            });
      }
      return lines;
    }
  }

  // @end

  // @start region="any"
  String fromAny(List<String> mirrors) throws InterruptedException {
    try (var scope = StructuredTaskScope.open(Joiner.<String>anySuccessfulResultOrThrow())) {
      mirrors.forEach(mirror -> scope.fork(() -> load(mirror)));
      return scope.join();
    }
  }

  // @end

  // @start region="timeout"
  Profile profileWithin(Duration limit, String id) throws InterruptedException {
    try (var scope =
        StructuredTaskScope.open(
            Joiner.<String>awaitAllSuccessfulOrThrow(), config -> config.withTimeout(limit))) {
      var user = scope.fork(() -> load("user/" + id));
      var orders = scope.fork(() -> load("orders/" + id));
      scope.join(); // StructuredTaskScope.TimeoutException, unchecked
      return new Profile(user.get(), orders.get());
    }
  }

  // @end

  String greeting() throws InterruptedException {
    try (var scope = StructuredTaskScope.open()) {
      var greeting = scope.fork(() -> "hello " + USER.get());
      scope.join();
      return greeting.get();
    }
  }

  String secondFailure() throws Exception {
    var waiting = new CountDownLatch(1);
    try (var scope = StructuredTaskScope.open()) {
      scope.fork(() -> {
        waiting.await();
        throw new IOException("the first");
      });
      scope.fork(() -> {
        try {
          waiting.countDown();
          Thread.sleep(60_000);
        } finally {
          cleanUp();
        }
        return null;
      });
      scope.join();
      return "no failure";
    }
  }

  String closedWithoutJoin() throws Exception {
    try (var scope = StructuredTaskScope.open()) {
      var failing = scope.fork(() -> load("missing"));
      awaitEnd(failing);
      return "left early";
    }
  }

  String bodyThrew() throws Exception {
    try (var scope = StructuredTaskScope.open()) {
      var failing = scope.fork(() -> load("missing"));
      awaitEnd(failing);
      throw new IOException("the body");
    }
  }

  String failedBeforeTheTimeout() throws Exception {
    try (var scope =
        StructuredTaskScope.open(
            Joiner.<String>awaitAll(), config -> config.withTimeout(Duration.ofMillis(300)))) {
      scope.fork(() -> load("missing"));
      scope.fork(() -> load("slow"));
      scope.join();
      return "no failure";
    }
  }

  String failedAfterTheInterrupt() throws Exception {
    try (var scope = StructuredTaskScope.open()) {
      scope.fork(() -> {
        try {
          Thread.sleep(60_000);
        } finally {
          cleanUp();
        }
        return null;
      });
      Thread.currentThread().interrupt();
      scope.join();
      return "no failure";
    }
  }

  String nobodyReads() throws Exception {
    try (var scope = StructuredTaskScope.open(Joiner.awaitAll())) {
      scope.fork(() -> load("missing"));
      scope.join();
      return "no failure";
    }
  }

  String forkedLate() throws Exception {
    try (var scope = StructuredTaskScope.open(Joiner.<String>allUntil(_ -> true))) {
      scope.fork(() -> load("a"));
      while (!scope.isCancelled()) {
        Thread.yield();
      }
      Subtask<String> late = scope.fork(() -> load("b"));
      scope.join();
      return late.state().toString();
    }
  }

  String joinedTwice() throws Exception {
    try (var scope = StructuredTaskScope.open()) {
      scope.join();
      scope.join();
      return "again";
    }
  }

  String forkedByAChild() throws Exception {
    try (var scope = StructuredTaskScope.open(Joiner.<Object>awaitAllSuccessfulOrThrow())) {
      scope.fork(() -> scope.fork(() -> load("a")));
      scope.join();
      return "forked";
    } catch (StructuredTaskScope.FailedException e) {
      return e.getCause().getClass().getSimpleName();
    }
  }

  String readEarly() throws Exception {
    try (var scope = StructuredTaskScope.open()) {
      var early = scope.fork(() -> load("a"));
      awaitEnd(early);
      try {
        return early.get();
      } catch (IllegalStateException e) {
        return e.getClass().getSimpleName();
      } finally {
        scope.join();
      }
    }
  }

  void main() throws Exception {
    Thread.setDefaultUncaughtExceptionHandler(
        (_, failure) -> answer("uncaught", failure::toString));
    answer("all", () -> profile("7"));
    answer("all-missing", () -> profile("missing"));
    answer("each", () -> loadEach(List.of("a", "missing", "b")));
    answer("any", () -> fromAny(List.of("missing", "a", "slow")));
    answer("any-missing", () -> fromAny(List.of("missing", "gone/missing")));
    answer("timeout", () -> profileWithin(Duration.ofSeconds(30), "7"));
    answer("timeout-slow", () -> profileWithin(Duration.ofMillis(50), "slow"));
    answer("scoped-value", () -> ScopedValue.where(USER, "Ada").call(this::greeting));
    answer("second-failure", this::secondFailure);
    answer("closed-without-join", this::closedWithoutJoin);
    answer("body-threw", this::bodyThrew);
    answer("failed-before-the-timeout", this::failedBeforeTheTimeout);
    answer("failed-after-the-interrupt", this::failedAfterTheInterrupt);
    answer("nobody-reads", this::nobodyReads);
    answer("forked-late", this::forkedLate);
    answer("joined-twice", this::joinedTwice);
    answer("forked-by-a-child", this::forkedByAChild);
    answer("read-early", this::readEarly);
  }

  /** Prints the value, or the exception with everything that it leads to. */
  private static void answer(String name, Callable<?> sample) {
    String answer;
    try {
      answer = String.valueOf(sample.call());
    } catch (Throwable t) {
      answer = described(t);
    }
    System.out.println("answer " + name + " = " + answer);
  }

  private static String described(Throwable thrown) {
    var text = new StringBuilder(thrown.getClass().getName() + ": " + thrown.getMessage());
    if (thrown.getCause() != null) {
      text.append(" <- ").append(described(thrown.getCause()));
    }
    for (Throwable suppressed : thrown.getSuppressed()) {
      text.append(" + ").append(described(suppressed));
    }
    return text.toString();
  }

  private static void awaitEnd(Subtask<?> subtask) {
    while (subtask.state() == Subtask.State.UNAVAILABLE) {
      Thread.yield();
    }
  }

  private static void cleanUp() throws IOException {
    throw new IOException("cannot clean up");
  }

  private static String load(String key) throws IOException, InterruptedException {
    if (key.endsWith("missing")) {
      throw new FileNotFoundException(key);
    }
    if (key.endsWith("slow")) {
      Thread.sleep(60_000);
    }
    return key;
  }
}
