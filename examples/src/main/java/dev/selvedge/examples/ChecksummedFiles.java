package dev.selvedge.examples;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * The files of a tree that have a {@code .sha1} beside them.
 *
 * <p>The tree is walked while its files are visited, so a tree of millions takes no more memory
 * than one path from its root to a leaf. Links to directories are not followed: what they lead to
 * is visited where it lies, and a circle of them is no circle here.
 */
record ChecksummedFiles(Path root) {
  /** Is told what the walk finds, in the walking thread. */
  interface Visitor {
    /** A file, or whatever else has a checksum beside it and is no directory. */
    void file(Path file) throws InterruptedException;

    /** A directory, or a file by its name, that cannot be read. */
    void unreadable(Path path, IOException cause) throws InterruptedException;
  }

  /**
   * Visits them all, in the order of the file system.
   *
   * @throws InterruptedException if the task is cancelled; nothing more is visited
   */
  void forEach(Visitor visitor) throws InterruptedException {
    walk(root, visitor, new TimeSlice());
  }

  private void walk(Path directory, Visitor visitor, TimeSlice slice) throws InterruptedException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        slice.pace();
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          walk(entry, visitor, slice);
        } else if (entry.getFileName().toString().endsWith(ChecksumFile.SUFFIX)) {
          visitBeside(entry, visitor);
        }
      }
    } catch (DirectoryIteratorException e) {
      visitor.unreadable(directory, requireNonNull(e.getCause()));
    } catch (IOException e) {
      visitor.unreadable(directory, e);
    }
  }

  private static void visitBeside(Path checksumFile, Visitor visitor) throws InterruptedException {
    String name = checksumFile.getFileName().toString();
    if (!checksumFile.resolveSibling(name).equals(checksumFile)) {
      // The name of the file cannot be made from this one: text does not keep all its bytes.
      var cause =
          new FileSystemException(
              checksumFile.toString(), null, "the name is not in the system's character set");
      visitor.unreadable(checksumFile, cause);
      return;
    }
    String stem = name.substring(0, name.length() - ChecksumFile.SUFFIX.length());
    Path file = checksumFile.resolveSibling(stem);
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isDirectory(file)) {
      visitor.file(file);
    }
  }
}
