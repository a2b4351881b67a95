package dev.selvedge.examples;

import static java.util.Collections.emptyIterator;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * The files of a tree that have a {@code .sha1} beside them.
 *
 * <p>The tree is walked while its files are taken, so a tree of millions takes no more memory than
 * one path from its root to a leaf. Links to directories are not followed: what they lead to is
 * found where it lies, and a circle of them is no circle here.
 */
record ChecksummedFiles(Path root) {
  /**
   * What the walk finds.
   *
   * @param path a file, or whatever else has a checksum beside it and is no directory; or what
   *     cannot be read
   * @param unreadable why a directory, or a file by its name, cannot be read
   */
  record Found(Path path, @Nullable IOException unreadable) {}

  /** All of them, in the order of the file system. To be closed if it is not taken to its end. */
  Walk walk() {
    return new Walk(root);
  }

  /**
   * A walk under way. It ends early where it is interrupted, and leaves the flag for whoever takes
   * from it.
   */
  static final class Walk implements Iterator<Found>, AutoCloseable {
    private record Level(Path directory, DirectoryStream<Path> stream, Iterator<Path> entries) {}

    private final Deque<Level> levels = new ArrayDeque<>();
    private final TimeSlice slice = new TimeSlice();
    private @Nullable Found next;
    private boolean interrupted;

    private Walk(Path root) {
      enter(root);
    }

    @Override
    public boolean hasNext() {
      try {
        while (next == null && !interrupted && !levels.isEmpty()) {
          slice.pace();
          advance(levels.element());
        }
      } catch (InterruptedException e) {
        interrupted = true;
        Thread.currentThread().interrupt();
      }
      return next != null;
    }

    @Override
    public Found next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Found found = requireNonNull(next);
      next = null;
      return found;
    }

    private void advance(Level level) {
      try {
        if (level.entries().hasNext()) {
          visit(level.entries().next());
        } else {
          levels.remove().stream().close();
        }
      } catch (DirectoryIteratorException e) {
        levels.remove();
        levels.push(new Level(level.directory(), level.stream(), emptyIterator()));
        next = new Found(level.directory(), requireNonNull(e.getCause()));
      } catch (IOException e) {
        next = new Found(level.directory(), e);
      }
    }

    private void visit(Path entry) {
      if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
        enter(entry);
      } else if (entry.getFileName().toString().endsWith(ChecksumFile.SUFFIX)) {
        next = beside(entry);
      }
    }

    @SuppressWarnings("StreamResourceLeak") // advance closes it, or close
    private void enter(Path directory) {
      try {
        DirectoryStream<Path> stream = Files.newDirectoryStream(directory);
        levels.push(new Level(directory, stream, stream.iterator()));
      } catch (IOException e) {
        next = new Found(directory, e);
      }
    }

    @Override
    public void close() throws IOException {
      IOException failure = null;
      while (!levels.isEmpty()) {
        try {
          levels.remove().stream().close();
        } catch (IOException e) {
          if (failure != null) {
            e.addSuppressed(failure);
          }
          failure = e;
        }
      }
      if (failure != null) {
        throw failure;
      }
    }

    private static @Nullable Found beside(Path checksumFile) {
      String name = checksumFile.getFileName().toString();
      if (!checksumFile.resolveSibling(name).equals(checksumFile)) {
        // The name of the file cannot be made from this one: text does not keep all its bytes.
        var cause =
            new FileSystemException(
                checksumFile.toString(), null, "the name is not in the system's character set");
        return new Found(checksumFile, cause);
      }
      String stem = name.substring(0, name.length() - ChecksumFile.SUFFIX.length());
      Path file = checksumFile.resolveSibling(stem);
      boolean isFile = Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isDirectory(file);
      return isFile ? new Found(file, null) : null;
    }
  }
}
