package dev.selvedge.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChecksumFileTest {
  private static final String SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

  @ParameterizedTest
  @ValueSource(
      strings = {
        SHA1,
        SHA1 + "\n",
        "\n " + SHA1 + "\r\n",
        SHA1 + "  empty.jar\n",
        SHA1 + "\tempty.jar\nand a second line",
        "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
      })
  void whatStandsAroundTheDigitsAndTheirCaseDoNotMatter(String text) throws Exception {
    assertThat(ChecksumFile.parse("empty.jar.sha1", text)).isEqualTo(SHA1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " \n"})
  void anEmptyOneSaysSo(String text) {
    assertThatThrownBy(() -> ChecksumFile.parse("a.jar.sha1", text))
        .isInstanceOf(MalformedChecksumException.class)
        .hasMessage("a.jar.sha1 is empty");
  }

  @ParameterizedTest
  @ValueSource(strings = {"<html>", "da39", SHA1 + "0", "SHA1 " + SHA1})
  void anythingElseIsMalformedAndIsQuoted(String text) {
    assertThatThrownBy(() -> ChecksumFile.parse("a.jar.sha1", text))
        .isInstanceOf(MalformedChecksumException.class)
        .hasMessage("a.jar.sha1 does not begin with a SHA-1 but with \"" + text + "\"");
  }

  @Test
  void aLongMalformedOneIsCutShort() {
    assertThatThrownBy(() -> ChecksumFile.parse("a.jar.sha1", "z".repeat(4000)))
        .hasMessageEndingWith("\"" + "z".repeat(48) + "...\"");
  }

  @Test
  void liesBesideItsFile() {
    assertThat(ChecksumFile.of(Path.of("lib", "a.jar"))).isEqualTo(Path.of("lib", "a.jar.sha1"));
  }
}
