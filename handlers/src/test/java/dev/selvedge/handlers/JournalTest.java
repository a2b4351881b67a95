package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.selvedge.ChildJvm;
import dev.selvedge.ExceptionContext;
import dev.selvedge.handlers.Journal.Entry;
import dev.selvedge.handlers.Journal.ExceptionEntry;
import dev.selvedge.handlers.programs.Journals;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class JournalTest extends JournalFixture {
  @Test
  @DisplayName("what was reported is read back: time, loop, task, details, the whole exception")
  void readBack() throws Exception {
    var failure = new IOException("lost", new IllegalStateException("cause"));
    failure.addSuppressed(new IllegalArgumentException("ünïcode\n\"quoted\""));
    try (Journal journal = open()) {
      loop.setExceptionHandler(journal);
      fail("poller", failure);
      journal.handle(loop, new ExceptionContext("Slow", null, null, Map.of("tasks", 3)));
    }

    List<Entry> entries = entries();
    assertThat(entries).hasSize(2);
    Entry entry = entries.getFirst();
    assertThat(entry.time()).isEqualTo(clock.instant());
    assertThat(entry.loop()).isEqualTo("orders");
    assertThat(entry.task().name()).isEqualTo("poller");
    assertThat(entry.task().owner()).isEqualTo("orders");
    ExceptionEntry exception = entry.exception();
    assertThat(exception.type()).isEqualTo("java.io.IOException");
    assertThat(exception.message()).isEqualTo("lost");
    assertThat(exception.stack())
        .hasSize(failure.getStackTrace().length)
        .startsWith(failure.getStackTrace()[0].toString());
    assertThat(exception.cause().type()).isEqualTo("java.lang.IllegalStateException");
    assertThat(exception.suppressed())
        .extracting(ExceptionEntry::message)
        .containsExactly("ünïcode\n\"quoted\"");
    assertThat(exception.cut()).isFalse();
    assertThat(entries.getLast())
        .isEqualTo(new Entry(clock.instant(), "orders", "Slow", null, null, Map.of("tasks", "3")));
    assertThat(Files.readAllLines(path())).hasSize(2).allMatch(line -> line.startsWith("{"));
  }

  @Test
  @DisplayName("circles are cut, and so is what stands twice or too deep")
  void circles() throws Exception {
    var a = new IOException("a");
    var b = new IOException("b", a);
    a.initCause(b);
    a.addSuppressed(b);
    var deep = new IOException("innermost");
    for (int i = 0; i < 10_000; i++) {
      deep = new IOException("deep", deep);
    }
    try (Journal journal = open()) {
      journal.handle(loop, context(a));
      journal.handle(loop, context(deep));
    }
    ExceptionEntry exception = entries().getFirst().exception();
    assertThat(exception.cause().cause())
        .isEqualTo(
            new ExceptionEntry("java.io.IOException", "a", List.of(), null, List.of(), true));
    assertThat(exception.suppressed().getFirst().cut()).isTrue();
    int depth = 0;
    for (var each = entries().getLast().exception(); each != null; each = each.cause()) {
      depth++;
    }
    assertThat(depth).isEqualTo(101);
  }

  @Test
  @DisplayName("what is cut for its depth stands whole where it comes again less deep")
  void cutAndComesAgain() throws Exception {
    var reason = new IOException("reason", new IOException("cause of the reason"));
    var outer = reason;
    for (int i = 0; i < 100; i++) {
      outer = new IOException("outer", outer);
    }
    outer.addSuppressed(reason);
    try (Journal journal = open()) {
      journal.handle(loop, context(outer));
    }
    ExceptionEntry again = entries().getFirst().exception().suppressed().getFirst();
    assertThat(again.cut()).isFalse();
    assertThat(again.cause().message()).isEqualTo("cause of the reason");
  }

  private static final class Broken extends IOException {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw new IllegalStateException("no message");
    }
  }

  @Test
  @DisplayName("an exception whose message cannot be had is written nevertheless")
  void brokenException() throws Exception {
    try (Journal journal = open()) {
      journal.handle(loop, context(new Broken()));
    }
    assertThat(messages()).containsExactly("(no text: java.lang.IllegalStateException)");
  }

  @Test
  @DisplayName("the files are their owner's alone, those that were there too")
  void mode() throws Exception {
    Files.createFile(
        path(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r--r--")));
    try (Journal journal = Journal.builder(path()).maxSize(1).open()) {
      journal.handle(loop, failure("a"));
      journal.handle(loop, failure("b"));
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files)
          .hasSize(3)
          .allSatisfy(file ->
              assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                  .isEqualTo("rw-------"));
    }
  }

  @Test
  @DisplayName(
      "a file that would become too large becomes the first of the old ones; the oldest go")
  void rotation() throws Exception {
    try (Journal journal = Journal.builder(path()).maxSize(1).keep(3).open()) {
      for (int i = 0; i < 10; i++) {
        journal.handle(loop, failure(String.valueOf(i)));
      }
    }
    assertThat(messages()).containsExactly("6", "7", "8", "9");
    try (Journal journal = Journal.builder(path()).maxSize(1).keep(0).open()) {
      journal.handle(loop, failure("10"));
      journal.handle(loop, failure("11"));
    }
    assertThat(messages()).containsExactly("6", "7", "8", "11");
  }

  @Test
  @DisplayName("by size: no file is larger than it may be, and nothing is lost in between")
  void rotationBySize() throws Exception {
    int count = 200;
    long size = 20_000;
    try (Journal journal = Journal.builder(path()).maxSize(size).keep(1_000).open()) {
      for (int i = 0; i < count; i++) {
        journal.handle(loop, failure(String.valueOf(i)));
      }
    }
    assertThat(messages()).hasSize(count).startsWith("0", "1").endsWith("199");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.toList())
          .hasSizeGreaterThan(5)
          .allMatch(file -> file.toFile().length() <= size);
    }
  }

  @Test
  @DisplayName("a journal is appended to when it is opened again; a torn last line is cut off")
  void repair() throws Exception {
    try (Journal journal = open()) {
      journal.handle(loop, failure("a"));
    }
    Files.writeString(path(), "{\"time\":\"20" + "x".repeat(20_000), StandardOpenOption.APPEND);
    assertThat(messages()).containsExactly("a");
    try (Journal journal = open()) {
      journal.handle(loop, failure("b"));
    }
    assertThat(messages()).containsExactly("a", "b");
    assertThat(Files.readString(path())).doesNotContain("xx");
  }

  @Test
  @DisplayName("a file that is nothing but a torn line begins anew")
  void repairAll() throws Exception {
    Files.writeString(path(), "{\"torn");
    assertThat(entries()).isEmpty();
    open().close();
    assertThat(path()).isEmptyFile();
  }

  @Test
  @DisplayName(
      "a line that is not an entry is refused by file, and a journal that is not there too")
  void notAJournal() throws Exception {
    assertThatThrownBy(this::entries).isInstanceOf(NoSuchFileException.class);
    Files.writeString(path(), "hello\n");
    assertThatThrownBy(this::entries)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("failures.jsonl has a line that is not an entry");
  }

  @Test
  @DisplayName("a file that is no journal is refused when it is opened, and left as it is")
  void somebodysFile() throws Exception {
    Files.writeString(path(), "somebody's notes");
    Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(this::open)
        .isInstanceOf(IOException.class)
        .hasMessage(path() + " is no journal: it does not begin with {");
    assertThat(path()).hasContent("somebody's notes");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path())))
        .isEqualTo("rw-r--r--");
    assertThat(directory).isDirectoryNotContaining("glob:**.lock");
  }

  @Test
  @DisplayName("two journals on one file are refused, in one process and in two")
  @Tag("virtual-only") // the program's loop makes its threads itself
  void twoJournals() throws Exception {
    try (Journal journal = open()) {
      assertThatThrownBy(this::open)
          .isInstanceOf(IOException.class)
          .hasMessageEndingWith("failures.jsonl is open in another journal of this process");
      // The attempt must not have cost the lock.
      try (ChildJvm child = ChildJvm.start(Journals.class, "open", path().toString())) {
        ChildJvm.Ended ended = child.awaitEnd();
        assertThat(ended.out()).containsExactly("open in another process");
      }
      journal.handle(loop, failure("a"));
    }
    open().close();
    assertThat(messages()).containsExactly("a");
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  @Test
  @DisplayName(
      "a vanished directory: reports go to the other handler, and why, once; later it goes on")
  void vanishedDirectory() throws Exception {
    Path below = Files.createDirectory(directory.resolve("below"));
    Path file = below.resolve("journal");
    try (Journal journal = Journal.builder(file).otherwise(reported).open()) {
      journal.handle(loop, failure("1"));
      delete(below);
      journal.handle(loop, failure("2"));
      journal.handle(loop, failure("3"));
      assertThat(reported.messages())
          .containsExactly(
              "Something happened", "The journal cannot be written", "Something happened");
      assertThat(reported.contexts().stream().toList().get(1).details())
          .containsEntry("journal", file.toString());
      Files.createDirectory(below);
      journal.handle(loop, failure("4"));
      delete(below);
      journal.handle(loop, failure("5"));
      assertThat(reported.messages()).hasSize(5).endsWith("The journal cannot be written");
    }
  }

  @Test
  @DisplayName("a file that was deleted or renamed by others is begun anew")
  void movedAway() throws Exception {
    try (Journal journal = open()) {
      journal.handle(loop, failure("1"));
      Files.move(path(), directory.resolve("elsewhere"));
      journal.handle(loop, failure("2"));
    }
    assertThat(messages()).containsExactly("2");
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("a file that others have emptied, or appended to, is gone on with at its end")
  void emptiedByOthers() throws Exception {
    try (Journal journal = open()) {
      journal.handle(loop, failure("1"));
      Files.write(path(), new byte[0]);
      journal.handle(loop, failure("2"));
      assertThat(messages()).containsExactly("2");
      Files.write(path(), Files.readAllBytes(path()), StandardOpenOption.APPEND);
      journal.handle(loop, failure("3"));
    }
    assertThat(messages()).containsExactly("2", "2", "3");
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("a full disk: nothing torn stays in the file, reports go to the other handler")
  @Tag("virtual-only") // the program's loop makes its threads itself
  void fullDisk() throws Exception {
    // A limit on the size of files stands in for the disk.
    try (ChildJvm child =
        ChildJvm.startLimited("ulimit -f 128", Journals.class, "fill", path().toString())) {
      ChildJvm.Ended ended = child.awaitEnd();

      assertThat(ended.code()).as(ended.err()).isZero();
      int written = entries().size();
      assertThat(written).isPositive();
      assertThat(ended.out())
          .containsExactly(
              written + " written",
              100 - written + " elsewhere",
              "1 The journal cannot be written");
    }
    assertThat(Files.readString(path(), StandardCharsets.UTF_8)).endsWith("}\n");
  }

  @Test
  @DisplayName("after the close, reports go to the other handler")
  void closed() throws Exception {
    Journal journal = open();
    journal.close();
    journal.close();
    journal.handle(loop, failure("a"));
    journal.handle(loop, failure("b"));
    assertThat(reported.messages())
        .containsExactly(
            "Something happened", "The journal cannot be written", "Something happened");
    assertThat(reported.exceptions().get(1)).hasMessageEndingWith("failures.jsonl is closed");
  }

  @Test
  @DisplayName("what the other handler throws goes to who reports")
  void otherHandlerThrows() throws Exception {
    Journal journal =
        Journal.builder(path()).otherwise(throwing(new IllegalStateException("broken"))).open();
    journal.close();
    assertThatThrownBy(() -> journal.handle(loop, failure("a")))
        .hasMessage("broken")
        .satisfies(broken ->
            assertThat(broken.getSuppressed())
                .extracting(Throwable::getMessage)
                .containsExactly(path() + " is closed"));
  }

  @Test
  @DisplayName("the other handler is told why as soon as it does not throw")
  void otherHandlerThrowsAtFirst() throws Exception {
    var calls = new AtomicInteger();
    Journal journal =
        Journal.builder(path())
            .otherwise((from, context) -> {
              if (calls.getAndIncrement() == 0) {
                throw new IllegalStateException("broken");
              }
              reported.handle(from, context);
            })
            .open();
    journal.close();
    assertThatThrownBy(() -> journal.handle(loop, failure("a"))).hasMessage("broken");
    journal.handle(loop, failure("b"));
    journal.handle(loop, failure("c"));
    assertThat(reported.messages())
        .containsExactly(
            "Something happened", "The journal cannot be written", "Something happened");
  }

  @Test
  @DisplayName("grouped: lines are in the file at once, and forced to disk together, later")
  void grouped() throws Exception {
    Duration delay = Duration.ofSeconds(1);
    try (Journal journal = Journal.builder(path()).forceEvery(delay).otherwise(reported).open()) {
      journal.handle(loop, failure("a"));
      journal.handle(loop, failure("b"));
      assertThat(messages()).containsExactly("a", "b");
      assertThat(clock.alarms()).isEqualTo(1);
      clock.advance(delay);
      await().until(() -> clock.alarms() == 0);
      await()
          .untilAsserted(() -> {
            journal.handle(loop, failure("c"));
            assertThat(clock.alarms()).isEqualTo(1);
          });
      clock.advance(delay);
    }
    assertThat(messages()).startsWith("a", "b", "c");
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("an interrupt of who reports disturbs neither the line nor the journal")
  void interrupted() throws Exception {
    var flag = new AtomicReference<Boolean>();
    try (Journal journal = open()) {
      Thread thread =
          Thread.ofVirtual()
              .start(() -> {
                Thread.currentThread().interrupt();
                journal.handle(loop, failure("a"));
                flag.set(Thread.interrupted());
              });
      thread.join();
      journal.handle(loop, failure("b"));
    }
    assertThat(flag).hasValue(true);
    assertThat(messages()).containsExactly("a", "b");
    assertThat(reported.contexts()).isEmpty();
  }

  @Test
  @DisplayName("sizes, numbers and times that make no sense are refused")
  void badInput() {
    Journal.Builder builder = Journal.builder(path());
    assertThatThrownBy(() -> builder.maxSize(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxSize must be at least 1: 0");
    assertThatThrownBy(() -> builder.keep(-1)).hasMessage("keep must be from 0 to 999999: -1");
    assertThatThrownBy(() -> builder.forceEvery(Duration.ZERO)).hasMessageContaining("delay");
    assertThatThrownBy(() -> builder.otherwise(null)).hasMessage("handler");
    assertThatThrownBy(() -> builder.forceEvery(null)).hasMessage("delay");
    assertThatThrownBy(() -> Journal.builder(null)).hasMessage("path");
    assertThatThrownBy(() -> Journal.read(null)).hasMessage("path");
    assertThatThrownBy(() -> Journal.builder(Path.of("/")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a journal has to be a file: /");
    assertThatThrownBy(() -> Journal.read(Path.of("/")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a journal has to be a file: /");
    assertThatThrownBy(() -> Journal.builder(directory.resolve("none/journal")).open())
        .isInstanceOf(NoSuchFileException.class);
  }
}
