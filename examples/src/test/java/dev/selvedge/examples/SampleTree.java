package dev.selvedge.examples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A tree of files with checksums, for tests. */
record SampleTree(Path root) {
  /** A file that is what its checksum says. */
  Path good(String name, String content) throws IOException {
    return withChecksum(name, content, sha1(content));
  }

  /** A file of some size that is what its checksum says. */
  Path good(String name, int size) throws IOException {
    return good(name, "x".repeat(size));
  }

  /** A file that was changed after its checksum was written. */
  Path damaged(String name) throws IOException {
    return withChecksum(name, "changed", sha1("original"));
  }

  Path withChecksum(String name, String content, String checksum) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
    Files.writeString(ChecksumFile.of(file), checksum);
    return file;
  }

  static String sha1(String content) {
    try {
      byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
