package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Gate;
import dev.selvedge.handlers.Journal.Entry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What kills, disks, links and other programs do to a journal's files. */
class JournalDamageTest extends JournalFixture {
  private void write(String... messages) throws IOException {
    try (Journal journal = open()) {
      for (String message : messages) {
        journal.handle(loop, failure(message));
      }
    }
  }

  @Test
  @DisplayName(
      "torn at any byte, in the middle of a letter too: the lines before are read and kept")
  void tornAtAnyByte() throws Exception {
    try (Journal journal = open()) {
      journal.handle(loop, new ExceptionContext("first", null, null, Map.of()));
      journal.handle(loop, new ExceptionContext("ü€𝄞", null, null, Map.of()));
    }
    byte[] whole = Files.readAllBytes(path());
    int first = Files.readAllLines(path()).getFirst().length() + 1;
    for (int length = first; length < whole.length; length++) {
      Files.write(path(), Arrays.copyOf(whole, length));
      assertThat(entries()).extracting(Entry::message).as("at %s", length).containsExactly("first");
      open().close();
      assertThat(path()).as("repaired at %s", length).hasSize(first);
    }
    write("third");
    assertThat(entries()).hasSize(2);
  }

  @Test
  @DisplayName("an empty file is an empty journal; what a lost write left as zeros is cut off")
  void emptyAndZeros() throws Exception {
    Files.createFile(path());
    assertThat(entries()).isEmpty();
    write("a");
    Files.write(path(), new byte[10_000], StandardOpenOption.APPEND);
    assertThat(messages()).containsExactly("a");
    write("b");
    assertThat(messages()).containsExactly("a", "b");
    Files.write(path(), new byte[10_000]);
    write("c");
    assertThat(messages()).containsExactly("c");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "null", "{}", "[]", "garbage", "{\"time\":\"2000-01-01T00:00:00Z\"}"})
  @DisplayName("a line that is no entry ends nothing silently: reading says so")
  void noEntry(String line) throws Exception {
    write("a");
    Files.writeString(path(), line + "\n", StandardOpenOption.APPEND);
    write("b");
    assertThatThrownBy(this::messages)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("failures.jsonl has a line that is not an entry");
  }

  private Path old(int number) {
    return directory.resolve("failures.jsonl." + number);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  @DisplayName(
      "killed between two renames of a rotation: nothing is lost, and it is taken up again")
  void killedWhileRotating(int gap) throws Exception {
    try (Journal journal = Journal.builder(path()).maxSize(1).keep(4).open()) {
      for (int i = 0; i < 5; i++) {
        journal.handle(loop, failure(String.valueOf(i)));
      }
    }
    // Full: 4, and 3, 2, 1, 0 in the old ones. The oldest is overwritten, the others follow.
    for (int number = 3; number >= gap; number--) {
      Files.move(old(number), old(number + 1), StandardCopyOption.REPLACE_EXISTING);
    }
    if (gap < 4) {
      assertThat(messages()).containsExactly("1", "2", "3", "4");
    }
    try (Journal journal = Journal.builder(path()).maxSize(1).keep(4).open()) {
      journal.handle(loop, failure("5"));
    }
    assertThat(messages()).containsExactly("1", "2", "3", "4", "5");
  }

  @Test
  @DisplayName("an interrupt of who reports does not disturb a rotation either")
  void interruptedRotation() throws Exception {
    var flag = new AtomicReference<Boolean>();
    try (Journal journal = Journal.builder(path()).maxSize(1).otherwise(reported).open()) {
      journal.handle(loop, failure("a"));
      Thread thread =
          Thread.ofVirtual()
              .start(() -> {
                Thread.currentThread().interrupt();
                journal.handle(loop, failure("b"));
                flag.set(Thread.interrupted());
              });
      thread.join();
    }
    assertThat(reported.contexts()).isEmpty();
    assertThat(flag).hasValue(true);
    assertThat(messages()).containsExactly("a", "b");
  }

  @Test
  @DisplayName(
      "read while it is written and rotated: no error, and nothing that was there is missing")
  void readWhileRotating() throws Exception {
    int count = 150;
    var over = new AtomicBoolean();
    var wrong = new AtomicReference<Throwable>();
    try (Journal journal = Journal.builder(path()).maxSize(1).keep(1_000).open()) {
      journal.handle(loop, failure("0"));
      Thread reader =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  int known = 0;
                  while (!over.get()) {
                    List<String> read = messages();
                    assertThat(read).hasSizeGreaterThanOrEqualTo(known);
                    for (int i = 0; i < read.size(); i++) {
                      assertThat(read.get(i)).isEqualTo(String.valueOf(i));
                    }
                    known = read.size();
                  }
                } catch (Throwable e) {
                  wrong.set(e);
                }
              });
      for (int i = 1; i < count && wrong.get() == null; i++) {
        journal.handle(loop, failure(String.valueOf(i)));
      }
      over.set(true);
      reader.join();
    }
    assertThat(wrong.get()).isNull();
    assertThat(messages()).hasSize(count);
  }

  @Test
  @DisplayName("what rotates away while it is read is read to its end")
  void rotatedAway() throws Exception {
    try (Journal journal = Journal.builder(path()).maxSize(1).keep(2).open()) {
      journal.handle(loop, failure("a"));
      journal.handle(loop, failure("b"));
      journal.handle(loop, failure("c"));
      try (Stream<Entry> entries = Journal.read(path())) {
        var each = entries.iterator();
        assertThat(each.next().exception().message()).isEqualTo("a");
        for (int i = 0; i < 5; i++) {
          journal.handle(loop, failure("later"));
        }
        assertThat(each.next().exception().message()).isEqualTo("b");
        assertThat(each.next().exception().message()).isEqualTo("c");
        assertThat(each.hasNext()).isFalse();
      }
    }
  }

  @Test
  @DisplayName(
      "a link to a journal is that journal: a second one is refused, the target is rotated")
  void links() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), path());
    Files.createFile(path());
    try (Journal journal = Journal.builder(link).maxSize(1).open()) {
      assertThatThrownBy(this::open)
          .isInstanceOf(IOException.class)
          .hasMessageEndingWith("is open in another journal of this process");
      journal.handle(loop, failure("a"));
      journal.handle(loop, failure("b"));
    }
    assertThat(link).isSymbolicLink();
    assertThat(messages(link)).containsExactly("a", "b");
    assertThat(messages()).containsExactly("a", "b");
  }

  @Test
  @DisplayName(
      "a link to a file that is not there yet is followed, over others too; a circle is not")
  void danglingLinks() throws Exception {
    Path below = Files.createDirectory(directory.resolve("below"));
    Path first = Files.createSymbolicLink(directory.resolve("first"), Path.of("below/second"));
    Files.createSymbolicLink(below.resolve("second"), Path.of("../failures.jsonl"));
    try (Journal journal = Journal.builder(first).open()) {
      assertThatThrownBy(this::open)
          .isInstanceOf(IOException.class)
          .hasMessageEndingWith("is open in another journal of this process");
      journal.handle(loop, failure("a"));
    }
    assertThat(messages(first)).containsExactly("a");
    assertThat(messages()).containsExactly("a");

    Path circle = Files.createSymbolicLink(directory.resolve("circle"), Path.of("circle"));
    assertThatThrownBy(() -> Journal.builder(circle).open())
        .isInstanceOf(FileSystemLoopException.class);
  }

  @Test
  @DisplayName("old files that others may read are their owner's alone as well, once it is opened")
  void modeOfOldFiles() throws Exception {
    write("b");
    Files.copy(path(), old(1));
    Files.setPosixFilePermissions(old(1), PosixFilePermissions.fromString("rw-r--r--"));
    open().close();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(old(1))))
        .isEqualTo("rw-------");
  }

  @Test
  @DisplayName("an interrupted thread reads a journal as any other")
  void interruptedReader() throws Exception {
    write("a");
    Thread.currentThread().interrupt();
    try {
      assertThat(messages()).containsExactly("a");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  @DisplayName("several threads close a journal while others report: each report is somewhere")
  void closedWhileReporting() throws Exception {
    var gate = new Gate();
    Journal journal = open();
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < 16; i++) {
      String message = String.valueOf(i);
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                gate.pass();
                journal.handle(loop, failure(message));
              }));
    }
    Thread closer =
        Thread.ofVirtual()
            .start(() -> {
              gate.pass();
              try {
                journal.close();
              } catch (IOException e) {
                reported.handle(loop, context(e));
              }
            });
    gate.open();
    for (Thread thread : threads) {
      thread.join();
    }
    closer.join();
    long elsewhere =
        reported.messages().stream().filter(each -> each.equals("Something happened")).count();
    assertThat(messages().size() + elsewhere).isEqualTo(16);
  }
}
