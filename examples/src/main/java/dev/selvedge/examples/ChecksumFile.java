package dev.selvedge.examples;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A {@code .sha1} file: forty hexadecimal digits, in either case, perhaps followed by white space
 * and more text such as the name of the file.
 */
final class ChecksumFile {
  static final String SUFFIX = ".sha1";

  /** What a checksum file may hold at most; anything beyond is trailing text that nobody needs. */
  private static final int LIMIT = 4096;

  private static final Pattern SHA1 =
      Pattern.compile("\\s*(\\p{XDigit}{40})(\\s.*)?", Pattern.DOTALL);

  private ChecksumFile() {}

  /** The checksum file that belongs beside a file. */
  static Path of(Path file) {
    return file.resolveSibling(file.getFileName() + SUFFIX);
  }

  /**
   * Reads the SHA-1 that a checksum file holds.
   *
   * @return forty digits in lower case
   * @throws MalformedChecksumException if it holds none
   * @throws IOException if it cannot be read
   */
  static String read(Path checksumFile) throws IOException {
    try (InputStream in = Files.newInputStream(checksumFile)) {
      return parse(
          checksumFile.getFileName().toString(),
          new String(in.readNBytes(LIMIT), StandardCharsets.UTF_8));
    }
  }

  static String parse(String name, String text) throws MalformedChecksumException {
    var matcher = SHA1.matcher(text);
    if (matcher.matches()) {
      return matcher.group(1).toLowerCase(Locale.ROOT);
    }
    String content = text.strip();
    throw new MalformedChecksumException(
        content.isEmpty()
            ? name + " is empty"
            : name + " does not begin with a SHA-1 but with \"" + abbreviated(content) + "\"");
  }

  private static String abbreviated(String content) {
    int shown = 48;
    return content.length() <= shown ? content : content.substring(0, shown) + "...";
  }
}
