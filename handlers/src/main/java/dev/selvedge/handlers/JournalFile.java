package dev.selvedge.handlers;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files of a journal: locked, repaired, appended to, rotated. Not safe for use by several
 * threads.
 *
 * <p>It writes by {@link RandomAccessFile}, because an interrupt closes a {@link FileChannel}.
 */
final class JournalFile {
  private static final Set<PosixFilePermission> MODE = PosixFilePermissions.fromString("rw-------");
  private static final int CHUNK = 8192;

  private final Path path;
  private final long maxSize;
  private final int keep;

  private @Nullable JournalLock lock;
  private @Nullable RandomAccessFile file;

  /** Of the open file: it may be renamed or deleted by somebody else. */
  private @Nullable Object key;

  private boolean closed;

  JournalFile(Path path, long maxSize, int keep) {
    this.path = path;
    this.maxSize = maxSize;
    this.keep = keep;
  }

  /** The files that there are, the oldest first. */
  static List<Path> files(Path path) throws IOException {
    String prefix = path.getFileName() + ".";
    var old = new ArrayList<Path>();
    try (Stream<Path> beside = Files.list(directory(path))) {
      beside
          .filter(each -> {
            String name = each.getFileName().toString();
            return name.startsWith(prefix) && name.substring(prefix.length()).matches("[0-9]{1,9}");
          })
          .forEach(old::add);
    }
    old.sort(Comparator.comparingInt(each -> -number(each)));
    if (Files.exists(path)) {
      old.add(path);
    } else if (old.isEmpty()) {
      throw new NoSuchFileException(path.toString());
    }
    return old;
  }

  private static int number(Path old) {
    String name = old.getFileName().toString();
    return Integer.parseInt(name.substring(name.lastIndexOf('.') + 1));
  }

  static Path directory(Path path) {
    return Objects.requireNonNull(path.getParent(), "an absolute path of a file has a parent");
  }

  private Path beside(String suffix) {
    return path.resolveSibling(path.getFileName() + "." + suffix);
  }

  /** After a failure as well. */
  void open() throws IOException {
    try {
      lock = JournalLock.acquire(path);
      file = openFile();
      repair(file);
      forceDirectory();
    } catch (IOException e) {
      abandon(e);
      throw e;
    }
  }

  private RandomAccessFile openFile() throws IOException {
    RandomAccessFile opened = create(path);
    key = key(path);
    opened.seek(opened.length());
    return opened;
  }

  static RandomAccessFile create(Path path) throws IOException {
    boolean posix = Files.getFileStore(directory(path)).supportsFileAttributeView("posix");
    if (!Files.exists(path)) {
      if (posix) {
        Files.createFile(path, PosixFilePermissions.asFileAttribute(MODE));
      } else {
        Files.createFile(path);
      }
    } else if (posix) {
      Files.setPosixFilePermissions(path, MODE);
    }
    return new RandomAccessFile(path.toFile(), "rw");
  }

  private static @Nullable Object key(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }

  /** Cuts off a last line without an end. */
  private static void repair(RandomAccessFile file) throws IOException {
    long end = file.length();
    var chunk = new byte[CHUNK];
    while (end > 0) {
      int size = (int) Math.min(CHUNK, end);
      file.seek(end - size);
      file.readFully(chunk, 0, size);
      int last = size - 1;
      while (last >= 0 && chunk[last] != '\n') {
        last--;
      }
      end -= size - 1 - last;
      if (last >= 0) {
        break;
      }
    }
    if (end < file.length()) {
      file.setLength(end);
      file.getFD().sync();
    }
    file.seek(end);
  }

  void append(byte[] line, boolean force) throws IOException {
    if (closed) {
      throw new IOException(path + " is closed");
    }
    if (file != null && !isInPlace()) {
      closeFiles();
    }
    if (file == null) {
      open();
    }
    RandomAccessFile current = Objects.requireNonNull(file);
    if (current.length() > 0 && current.length() + line.length > maxSize) {
      current = rotate(current);
    }
    long before = current.length();
    try {
      current.write(line);
      if (force) {
        current.getFD().sync();
      }
    } catch (IOException e) {
      undo(current, before, e);
      throw e;
    }
  }

  /** Whether the open file is the one that its path names. */
  private boolean isInPlace() throws IOException {
    try {
      return Objects.equals(key, key(path));
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private void undo(RandomAccessFile current, long length, IOException why) {
    try {
      current.setLength(length);
      current.seek(length);
    } catch (IOException e) {
      why.addSuppressed(e);
      // The next open repairs it.
      abandon(why);
    }
  }

  private RandomAccessFile rotate(RandomAccessFile full) throws IOException {
    full.getFD().sync();
    full.close();
    file = null;
    try {
      for (int number = keep - 1; number > 0; number--) {
        move(beside(String.valueOf(number)), beside(String.valueOf(number + 1)));
      }
      if (keep > 0) {
        move(path, beside("1"));
      } else {
        Files.delete(path);
      }
      RandomAccessFile opened = openFile();
      file = opened;
      forceDirectory();
      return opened;
    } catch (IOException e) {
      abandon(e);
      throw e;
    }
  }

  private static void move(Path from, Path to) throws IOException {
    if (Files.exists(from)) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /** So that the new names survive a crash of the machine, where directories can be forced. */
  private void forceDirectory() throws IOException {
    if (directory(path).getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel opened = FileChannel.open(directory(path))) {
        opened.force(true);
      }
    }
  }

  void force() throws IOException {
    if (file != null) {
      file.getFD().sync();
    }
  }

  /** Gives up the open files after a failure. */
  private void abandon(IOException why) {
    try {
      closeFiles();
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  private void closeFiles() throws IOException {
    RandomAccessFile opened = file;
    JournalLock held = lock;
    file = null;
    lock = null;
    try {
      if (opened != null) {
        opened.close();
      }
    } finally {
      if (held != null) {
        held.close();
      }
    }
  }

  void close() throws IOException {
    closed = true;
    try {
      force();
    } finally {
      closeFiles();
    }
  }
}
