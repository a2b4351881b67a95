package dev.selvedge.handlers;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps a journal to one process, and in it to one {@link Journal}.
 *
 * <p>The set is for the second: a process that opens a file which it has locked, and closes it
 * again, loses its lock.
 */
final class JournalLock implements AutoCloseable {
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path name;
  private final RandomAccessFile file;

  private JournalLock(Path name, RandomAccessFile file) {
    this.name = name;
    this.file = file;
  }

  static JournalLock acquire(Path path) throws IOException {
    Path directory = JournalFile.directory(path).toRealPath();
    Path name = directory.resolve(path.getFileName());
    if (!HELD.add(name)) {
      throw new IOException(path + " is open in another journal of this process");
    }
    boolean locked = false;
    try {
      RandomAccessFile file = JournalFile.create(path.resolveSibling(path.getFileName() + ".lock"));
      try {
        locked = file.getChannel().tryLock() != null;
      } catch (OverlappingFileLockException e) {
        throw new IOException(path + " is locked in this process", e);
      } finally {
        if (!locked) {
          file.close();
        }
      }
      if (!locked) {
        throw new IOException(path + " is open in another process");
      }
      return new JournalLock(name, file);
    } finally {
      if (!locked) {
        HELD.remove(name);
      }
    }
  }

  @Override
  public void close() throws IOException {
    try {
      file.close();
    } finally {
      HELD.remove(name);
    }
  }
}
