package dev.selvedge.stress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ChildJvm;
import dev.selvedge.Oracle;
import dev.selvedge.Threads;
import dev.selvedge.handlers.Journal;
import dev.selvedge.handlers.Journal.Entry;
import dev.selvedge.stress.programs.WritesJournal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Processes that write a journal are killed. */
@ExtendWith(Oracle.class)
@Tag("virtual-only") // the program's loop makes its threads itself
class JournalKillTest {
  /** 20 in the usual run, 200 with {@code -Plong}. */
  private static final int TIMES = Threads.EFFORT > 1 ? 200 : 20;

  @TempDir Path directory;

  private static List<String> messages(Path path) throws IOException {
    try (Stream<Entry> entries = Journal.read(path)) {
      return entries.map(entry -> entry.exception().message()).toList();
    }
  }

  @Test
  @DisplayName("kill -9 in the middle of writing: what was acknowledged is read, and in order")
  void whatWasAcknowledgedIsRead() throws Exception {
    Path path = directory.resolve("journal");
    var acknowledged = new ArrayList<String>();
    for (int i = 0; i < TIMES; i++) {
      try (ChildJvm child = ChildJvm.start(WritesJournal.class, path.toString(), i + "/")) {
        // It goes on with others meanwhile, and rotates the file after every tenth or so.
        child.awaitLine(i + "/" + (5 + i % 20)).signal("KILL");
        acknowledged.addAll(child.awaitEnd().out());
      }
    }

    List<String> read = messages(path);
    assertThat(read).containsSubsequence(acknowledged).doesNotHaveDuplicates();
    assertThat(read.size()).isBetween(acknowledged.size(), acknowledged.size() + TIMES);
    Journal.builder(path).open().close();
    assertThat(messages(path)).isEqualTo(read);
  }
}
