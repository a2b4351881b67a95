package dev.selvedge.docs;

import static dev.selvedge.docs.InLoop.inLoop;
import static dev.selvedge.gather.Gather.any;
import static dev.selvedge.gather.Gather.asCompleted;
import static dev.selvedge.gather.Gather.every;
import static dev.selvedge.gather.Gather.forEach;
import static dev.selvedge.gather.Gather.gather;
import static dev.selvedge.gather.Gather.hedge;
import static dev.selvedge.gather.Gather.map;
import static dev.selvedge.gather.Gather.quorum;
import static dev.selvedge.gather.Gather.race;
import static dev.selvedge.gather.Gather.settle;
import static dev.selvedge.gather.Gather.settleMap;
import static dev.selvedge.gather.Gather.shield;
import static dev.selvedge.gather.Gather.stream;
import static dev.selvedge.gather.Gather.waitUntil;
import static dev.selvedge.gather.Gather.winner;
import static dev.selvedge.gather.Gather.zip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Body;
import dev.selvedge.Loop;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskScope;
import dev.selvedge.TaskScope.Policy;
import dev.selvedge.gather.Every;
import dev.selvedge.gather.ExceptionGroup;
import dev.selvedge.gather.Gather;
import dev.selvedge.gather.ReturnWhen;
import dev.selvedge.gather.TaskGroup;
import dev.selvedge.gather.Winner;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The samples of guide/gather.md. */
@Timeout(30)
class GatherSamplesTest {
  private final List<String> log = new CopyOnWriteArrayList<>();

  private Runnable refresh = () -> {};

  record Page(String text, int visits) {}

  private String fetch(String address) throws IOException {
    if (address.startsWith("missing")) {
      throw new FileNotFoundException(address);
    }
    return "<" + address + ">";
  }

  private int count(String address) throws SQLException {
    if (address.startsWith("missing")) {
      throw new SQLException(address);
    }
    return address.length();
  }

  // @start region="gather"
  String frontPage() throws IOException, InterruptedException {
    List<String> parts = gather(() -> fetch("news"), () -> fetch("weather"));
    return String.join("\n", parts); // in the order of the arguments
  }

  // @end

  @Test
  void gatherReturnsInOrder() throws Exception {
    assertThat(Loop.run(() -> frontPage())).isEqualTo("<news>\n<weather>");
  }

  // @start region="collection"
  List<String> all(List<String> addresses) throws IOException, InterruptedException {
    List<Body<String, IOException>> bodies = new ArrayList<>();
    for (String address : addresses) {
      bodies.add(() -> fetch(address));
    }
    return gather(bodies);
  }

  // @end

  @Test
  void gatherOfACollection() throws Exception {
    assertThat(Loop.run(() -> all(List.of("a", "b")))).containsExactly("<a>", "<b>");
    assertThatIOException().isThrownBy(() -> Loop.run(() -> all(List.of("a", "missing"))));
  }

  // @start region="existing"
  List<String> withHeader(Task<String, IOException> header)
      throws IOException, InterruptedException {
    return gather(header, () -> fetch("news")); // the header is not fetched again
  }

  // @end

  @Test
  void anExistingTaskIsTakenOver() throws Exception {
    inLoop(loop -> {
      var header = loop.createTask(() -> fetch("header"));
      assertThat(withHeader(header)).containsExactly("<header>", "<news>");
    });
  }

  // @start region="shield"
  List<String> withSharedHeader(Task<String, IOException> header)
      throws IOException, InterruptedException {
    return gather(shield(header), () -> fetch("missing news")); // fails, and the header goes on
  }

  // @end

  @Test
  void aShieldedTaskGoesOn() throws Exception {
    var finish = new CountDownLatch(1);
    inLoop(loop -> {
      var header =
          loop.createTask(() -> {
            finish.await();
            return fetch("header");
          });
      assertThatIOException().isThrownBy(() -> withSharedHeader(header));
      finish.countDown();
      assertThat(header.await()).isEqualTo("<header>");
    });
  }

  @Test
  void settleListsOutcomes() throws Exception {
    Loop.run(() -> {
      // @start region="settle"
      for (Outcome<String> outcome : settle(() -> fetch("news"), () -> fetch("missing"))) {
        log.add(
            switch (outcome) {
              case Outcome.Success<String>(var page) -> page;
              case Outcome.Failure<String>(var exception) -> exception.getMessage();
              case Outcome.Cancelled<String>(var exception) -> exception.reason().message();
            });
      }
      // @end
    });
    assertThat(log).containsExactly("<news>", "missing");
  }

  @Test
  void theShutdownPatternKeepsTheReason() throws Exception {
    var started = new CountDownLatch(2);
    Body<String, RuntimeException> endless =
        () -> {
          started.countDown();
          Thread.sleep(Duration.ofDays(1));
          return "never";
        };
    inLoop(loop -> {
      var reader = loop.createTask("reader", endless);
      var writer = loop.createTask("writer", endless);
      Throwable thrown =
          catchThrowable(() -> {
            // @start region="shutdown"
            try {
              started.await();
              throw new IOException("connection lost");
            } finally {
              reader.cancel();
              writer.cancel();
              settle(reader, writer); // throws nothing: the IOException goes on
            }
            // @end
          });
      assertThat(thrown).hasMessage("connection lost");
    });
  }

  // @start region="zip"
  Page page(String address) throws InterruptedException {
    try {
      return zip(() -> fetch(address), () -> count(address), Page::new);
    } catch (IOException e) {
      return new Page("no text", 0);
    } catch (SQLException e) {
      return new Page("no count", 0);
    }
  }

  // @end

  @Test
  void zipKeepsTypesApart() throws Exception {
    assertThat(Loop.run(() -> page("news"))).isEqualTo(new Page("<news>", 4));
    assertThat(Loop.run(() -> page("missing")).visits()).isZero();
  }

  // @start region="any"
  String download() throws IOException, InterruptedException {
    try {
      return any(() -> fetch("missing mirror"), () -> fetch("mirror"));
    } catch (ExceptionGroup allFailed) {
      allFailed.throwIf(IOException.class);
      throw new IllegalStateException(allFailed);
    }
  }

  // @end

  @Test
  void anyReturnsTheFirstSuccess() throws Exception {
    assertThat(Loop.run(() -> download())).isEqualTo("<mirror>");
  }

  @Test
  void winnerTellsWhatWasTolerated() throws Exception {
    Loop.run(() -> {
      // @start region="winner"
      Winner<String> winner = winner(() -> fetch("missing mirror"), () -> fetch("mirror"));
      log.add("mirror " + winner.index() + " answered: " + winner.value());
      winner.tolerated().forEach(failure -> log.add("but: " + failure.getMessage()));
      // @end
    });
    assertThat(log).startsWith("mirror 1 answered: <mirror>").hasSizeLessThanOrEqualTo(2);
  }

  @Test
  void raceQuorumAndHedge() throws Exception {
    Loop.run(() -> {
      // @start region="race"
      String fastest = race(() -> fetch("cache"), () -> fetch("origin")); // or its failure
      List<String> two = quorum(2, () -> fetch("a"), () -> fetch("b"), () -> fetch("missing"));
      String answer = hedge(Duration.ofMillis(100), 3, () -> fetch("slow at times"));
      // @end
      assertThat(fastest).isIn("<cache>", "<origin>");
      assertThat(two).containsExactlyInAnyOrder("<a>", "<b>");
      assertThat(answer).isEqualTo("<slow at times>");
    });
  }

  // @start region="map"
  List<String> pages(List<String> addresses) throws IOException, InterruptedException {
    return map(addresses, 8, address -> fetch(address)); // at most 8 at the same time
  }

  // @end

  @Test
  void mapIsBounded() throws Exception {
    assertThat(Loop.run(() -> pages(List.of("a", "b")))).containsExactly("<a>", "<b>");
  }

  // @start region="settle-map"
  List<Outcome<String>> each(List<String> addresses) throws InterruptedException {
    return settleMap(addresses, 8, address -> fetch(address)); // no IOException comes out
  }

  // @end

  @Test
  void settleMapDoesNotEndWithAFailure() throws Exception {
    inLoop(_ -> {
      List<Outcome<String>> outcomes = each(List.of("a", "missing", "b"));

      assertThat(outcomes.get(1)).isInstanceOf(Outcome.Failure.class);
      assertThat(outcomes.get(2)).isEqualTo(new Outcome.Success<>("<b>"));
    });
  }

  @Test
  void forEachTakesAnEndlessInput() throws Exception {
    var handled = new AtomicInteger();
    Iterator<Integer> queue = Stream.iterate(1, n -> n + 1).limit(1000).iterator();
    Loop.run(() -> {
      // @start region="for-each"
      forEach(() -> queue, 8, message -> handled.incrementAndGet());
      // @end
    });
    assertThat(handled).hasValue(1000);
  }

  @Test
  void aStreamOfResults() throws Exception {
    List<String> addresses = List.of("a", "b", "c");
    Loop.run(() -> {
      // @start region="stream"
      try (Stream<String> pages = stream(addresses, 8, address -> fetch(address))) {
        pages.filter(page -> page.contains("b")).forEach(log::add);
      }
      // @end
    });
    assertThat(log).containsExactly("<b>");
  }

  @Test
  void outcomesAsTheyCome() throws Exception {
    Loop.run(() -> {
      // @start region="as-completed"
      try (Stream<Outcome<String>> outcomes = asCompleted(() -> fetch("a"), () -> fetch("b"))) {
        outcomes.forEach(outcome -> log.add(outcome.toString()));
      } // leaving early cancels the rest and waits for it
      // @end
    });
    assertThat(log).hasSize(2);
  }

  @Test
  void waitUntilOnlyLooks() throws Exception {
    var finish = new CountDownLatch(1);
    inLoop(loop -> {
      var slow =
          loop.createTask(() -> {
            finish.await();
            return fetch("slow");
          });
      var quick = loop.createTask(() -> fetch("quick"));
      // @start region="wait-until"
      var waited = waitUntil(ReturnWhen.FIRST_COMPLETED, List.of(slow, quick));
      for (var task : waited.done()) {
        log.add(task.result()); // throws if it failed
      }
      log.add(waited.pending().size() + " goes on");
      // @end
      finish.countDown();
      slow.await();
    });
    assertThat(log).containsExactly("<quick>", "1 goes on");
  }

  private String slowly(String address) throws IOException, InterruptedException {
    if (address.startsWith("endless")) {
      new CountDownLatch(1).await();
    }
    return fetch(address);
  }

  // @start region="in-time"
  List<Outcome<String>> inTime(List<String> addresses) throws InterruptedException {
    try (TaskScope<IOException> scope = TaskScope.open(Policy.SUPERVISE)) {
      List<Task<String, IOException>> tasks = new ArrayList<>();
      for (String address : addresses) {
        tasks.add(scope.fork(() -> slowly(address)));
      }
      var waited = waitUntil(ReturnWhen.ALL_COMPLETED, tasks, Duration.ofMillis(50));
      return waited.done().stream().map(Task::outcome).toList();
    } // cancels those that are pending, and waits for them
  }

  // @end

  @Test
  void whatIsDoneInTime() throws Exception {
    inLoop(_ -> {
      assertThat(inTime(List.of("a", "endless", "endless"))).hasSizeLessThan(2);
    });
  }

  // @start region="options"
  List<String> pagesInTime(List<String> addresses) throws IOException, InterruptedException {
    try {
      return Gather.options()
          .name("pages") // in the task tree: the group, and "pages-0", "pages-1" beneath it
          .limit(Duration.ofSeconds(2))
          .concurrency(8)
          .map(addresses, address -> fetch(address));
    } catch (TimeoutException e) { // only with a limit, and javac knows
      return List.of();
    }
  }

  // @end

  @Test
  void options() throws Exception {
    assertThat(Loop.run(() -> pagesInTime(List.of("a")))).containsExactly("<a>");
  }

  @Test
  void againAndAgain() throws Exception {
    var refreshed = new CountDownLatch(1);
    refresh = refreshed::countDown;
    inLoop(loop -> {
      // @start region="every"
      loop.launch("refresh", () -> every(Duration.ofMinutes(1), this::refresh));
      loop.launch(
          "sweep",
          () ->
              Every.fixedDelay(Duration.ofSeconds(10)) // from the end of a run to the next
                  .initialDelay(Duration.ofSeconds(5))
                  .run(tick -> sweep(tick.number())));
      // @end
      refreshed.await();
    });
    assertThat(log).isEmpty();
  }

  private void refresh() {
    refresh.run();
  }

  private void sweep(long number) {
    log.add("sweep " + number);
  }

  // @start region="every-failures"
  void keepConnected() throws IOException, InterruptedException {
    Every.fixedDelay(Duration.ofMillis(5))
        .maxFailures(3) // in a row; each success starts the count again
        .run(() -> connect()); // the third IOException comes out
  }

  // @end

  private void connect() throws IOException {
    log.add("connect");
    throw new IOException("attempt " + log.size());
  }

  @Test
  void givesUpAfterThreeFailuresInARow() throws Exception {
    var reported = new CopyOnWriteArrayList<String>();
    inLoop(loop -> {
      loop.setExceptionHandler((_, context) -> reported.add(context.exception().getMessage()));
      assertThatIOException().isThrownBy(this::keepConnected).withMessage("attempt 3");
    });
    assertThat(reported).containsExactly("attempt 1", "attempt 2");
  }

  // @start region="task-group"
  int crawl(String start) throws IOException, InterruptedException {
    var found = new AtomicInteger();
    try {
      TaskGroup.run(group -> group.createTask(() -> crawl(group, start, found)));
    } catch (ExceptionGroup failed) {
      failed.throwIf(IOException.class); // the first one; all others are suppressed in it
      throw new IllegalStateException(failed);
    }
    return found.get();
  }

  void crawl(TaskGroup group, String address, AtomicInteger found) throws IOException {
    found.incrementAndGet();
    for (String link : links(fetch(address))) {
      group.createTask(() -> crawl(group, link, found)); // from any descendant
    }
  }

  // @end

  private List<String> links(String page) {
    return page.length() > 5 ? List.of() : List.of(page + "1", page + "2");
  }

  @Test
  void aGroupGrowsFromWithin() throws Exception {
    assertThat(Loop.run(() -> crawl("a"))).isEqualTo(3);
    assertThatIOException().isThrownBy(() -> Loop.run(() -> crawl("missing")));
  }

  @Test
  void aGroupOfFailuresIsSplit() throws Exception {
    ExceptionGroup group =
        ExceptionGroup.of(List.of(new IOException("disk"), new IllegalStateException("bug")));
    // @start region="split"
    ExceptionGroup.Split split = group.split(failure -> failure instanceof IOException);
    split.matching().ifPresent(expected -> log.add("to be retried: " + expected.getMessage()));
    if (split.rest().isPresent()) {
      log.add("to be thrown: " + split.rest().get().getMessage());
    }
    // @end
    assertThat(log).hasSize(2);
  }

  @Test
  void aGroupIsCancelledWithoutAnException() throws Exception {
    var answer = new CountDownLatch(1);
    Loop.run(() -> {
      // @start region="group-cancel"
      TaskGroup.run(group -> {
        group.createTask(() -> {
          answer.await();
          group.cancel("have an answer");
        });
        group.createTask(() -> Thread.sleep(Duration.ofDays(1)));
        answer.countDown();
      }); // returns as if all had ended by themselves
      // @end
    });
  }
}
