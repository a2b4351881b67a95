package dev.selvedge.examples;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;

/** What one task does: reads one file, and throws if it is not what its checksum file says. */
final class FileCheck {
  private static final int CHUNK = 1 << 16;

  private final RateLimit rate;
  private final LongConsumer bytesRead;

  /**
   * Checks files at a limited rate.
   *
   * @param rate shared by all files
   * @param bytesRead is told of every chunk, from many threads
   */
  FileCheck(RateLimit rate, LongConsumer bytesRead) {
    this.rate = rate;
    this.bytesRead = bytesRead;
  }

  /**
   * Checks one file.
   *
   * @throws ChecksumMismatchException if it is not what its checksum file says
   * @throws MalformedChecksumException if its checksum file says nothing of use
   * @throws IOException if one of the two cannot be read
   * @throws InterruptedException if the task is cancelled
   */
  void check(Path file) throws IOException, InterruptedException {
    Path checksumFile = ChecksumFile.of(file);
    requireRegular(checksumFile);
    requireRegular(file);
    String expected = ChecksumFile.read(checksumFile);
    String actual = sha1(file);
    if (!actual.equals(expected)) {
      throw new ChecksumMismatchException(expected, actual);
    }
  }

  private String sha1(Path file) throws IOException, InterruptedException {
    MessageDigest digest = newSha1();
    long left = Files.size(file);
    var slice = new TimeSlice();
    var chunk = new byte[Math.clamp(left, 1, CHUNK)];
    try (InputStream in = Files.newInputStream(file)) {
      while (true) {
        int allowed = rate.take(Math.clamp(left, 1, chunk.length));
        int read = in.read(chunk, 0, allowed);
        if (read < 0) {
          return HexFormat.of().formatHex(digest.digest());
        }
        digest.update(chunk, 0, read);
        bytesRead.accept(read);
        left -= read;
        slice.pace();
      }
    }
  }

  /** A named pipe would block its reader for ever. */
  private static void requireRegular(Path file) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new FileSystemException(file.toString(), null, "not a regular file");
    }
  }

  private static MessageDigest newSha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-1", e);
    }
  }
}
