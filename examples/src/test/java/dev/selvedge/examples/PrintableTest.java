package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class PrintableTest {
  @Test
  void whatATerminalWouldObeyIsEscaped() {
    assertThat(Printable.escaped("a\u001b[2Jb\nc\r\t\u0000\u009b"))
        .isEqualTo("a\\u001b[2Jb\\nc\\r\\t\\u0000\\u009b");
  }

  @Test
  void whatReordersOrHidesTextIsEscaped() {
    assertThat(Printable.escaped("\u202egpj.exe\u200b\u2028\ud800"))
        .isEqualTo("\\u202egpj.exe\\u200b\\u2028\\ud800");
  }

  @Test
  void otherTextStaysAsItIs() {
    String text = "org/\u00e9t\u00e9/\ud83e\uddf5 a.jar";

    assertThat(Printable.escaped(text)).isEqualTo(text);
  }

  @Test
  void causesAreNamedInAFewWords() {
    assertThat(Printable.cause(new NoSuchFileException("lib/a.jar")))
        .isEqualTo("a.jar: no such file");
    assertThat(Printable.cause(new AccessDeniedException("lib/a.jar")))
        .isEqualTo("a.jar: permission denied");
    assertThat(Printable.cause(new FileSystemException("lib/a.jar", null, "Too many open files")))
        .isEqualTo("a.jar: Too many open files");
    assertThat(Printable.cause(new MalformedChecksumException("a.jar.sha1 is empty")))
        .isEqualTo("a.jar.sha1 is empty");
    assertThat(Printable.cause(new IOException("Input/output error")))
        .isEqualTo("java.io.IOException: Input/output error");
  }
}
