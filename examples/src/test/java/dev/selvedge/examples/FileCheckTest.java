package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileCheckTest {
  private final AtomicLong bytes = new AtomicLong();
  private final FileCheck check = new FileCheck(RateLimit.none(), bytes::addAndGet);
  @TempDir private Path directory;
  private SampleTree tree = new SampleTree(Path.of(""));

  @BeforeEach
  void tree() {
    tree = new SampleTree(directory);
  }

  @Test
  void aFileThatIsWhatItsChecksumSaysPasses() throws Exception {
    Path file = tree.good("a.jar", 200_000);

    assertThatCode(() -> check.check(file)).doesNotThrowAnyException();
    assertThat(bytes).hasValue(200_000);
  }

  @Test
  void anEmptyFilePasses() throws Exception {
    Path file = tree.good("a.jar", "");

    assertThatCode(() -> check.check(file)).doesNotThrowAnyException();
    assertThat(bytes).hasValue(0);
  }

  @Test
  void aChangedFileFailsWithBothChecksums() throws Exception {
    Path file = tree.damaged("a.jar");

    assertThatThrownBy(() -> check.check(file))
        .isInstanceOf(ChecksumMismatchException.class)
        .hasMessageContaining(SampleTree.sha1("changed"))
        .hasMessageContaining(SampleTree.sha1("original"));
  }

  @Test
  void aFileThatIsGoneFails() throws Exception {
    Path file = tree.good("a.jar", "a");
    Files.delete(file);

    assertThatThrownBy(() -> check.check(file)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void aChecksumThatIsADirectoryIsNotRead() throws Exception {
    Path file = tree.good("a.jar", "a");
    Files.delete(ChecksumFile.of(file));
    Files.createDirectory(ChecksumFile.of(file));

    assertThatThrownBy(() -> check.check(file))
        .isInstanceOf(FileSystemException.class)
        .hasMessageEndingWith("a.jar.sha1: not a regular file");
  }

  @Test
  void aCancelledCheckStopsBetweenChunks() throws Exception {
    Path file = tree.good("a.jar", 1_000_000);
    var interrupting =
        new FileCheck(
            RateLimit.none(),
            count -> {
              bytes.addAndGet(count);
              Thread.currentThread().interrupt();
            });

    assertThatThrownBy(() -> interrupting.check(file)).isInstanceOf(InterruptedException.class);
    assertThat(bytes.get()).isPositive().isLessThan(1_000_000);
  }
}
