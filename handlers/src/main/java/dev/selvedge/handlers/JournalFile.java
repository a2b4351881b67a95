package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
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

  /** As many as Linux follows. */
  private static final int MOST_LINKS = 40;

  private static final Pattern OLD = Pattern.compile("[1-9][0-9]{0,5}");

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

  /** The absolute path, which has a name and a directory. */
  static Path absolute(Path path) {
    Path absolute = requireNonNull(path, "path").toAbsolutePath();
    if (absolute.getNameCount() == 0) {
      throw new IllegalArgumentException("a journal has to be a file: " + path);
    }
    return absolute;
  }

  /** The file that a path means: a link is followed, so that both names are one journal. */
  static Path followed(Path path) throws IOException {
    Path file = absolute(path);
    for (int links = 0; Files.isSymbolicLink(file); links++) {
      if (links == MOST_LINKS) {
        throw new FileSystemLoopException(path.toString());
      }
      file = absolute(file.resolveSibling(Files.readSymbolicLink(file)));
    }
    return file;
  }

  /** The current file, or an old one by its number. */
  static Path numbered(Path path, int number) {
    return number == 0 ? path : path.resolveSibling(path.getFileName() + "." + number);
  }

  /**
   * A number that is higher than that of any file. A list of a directory may lack what is renamed
   * meanwhile, so there are some to spare.
   */
  static int end(Path path) throws IOException {
    String prefix = path.getFileName() + ".";
    try (Stream<Path> beside = Files.list(directory(path))) {
      return 3
          + beside
              .map(each -> each.getFileName().toString())
              .filter(name ->
                  name.startsWith(prefix) && OLD.matcher(name.substring(prefix.length())).matches())
              .mapToInt(name -> Integer.parseInt(name.substring(prefix.length())))
              .max()
              .orElse(0);
    }
  }

  static Path directory(Path path) {
    return requireNonNull(path.getParent(), "an absolute path of a file has a parent");
  }

  /** After a failure as well. */
  void open() throws IOException {
    try {
      refuseOthers();
      lock = JournalLock.acquire(path);
      for (int number = end(path); number > 0; number--) {
        restrict(numbered(path, number));
      }
      file = openFile();
      repair(file);
      forceDirectory();
    } catch (Throwable e) {
      abandon(e);
      throw e;
    }
  }

  /** A file that cannot be a journal is somebody's, who named it by mistake. */
  private void refuseOthers() throws IOException {
    if (Files.isRegularFile(path)) {
      try (InputStream in = Files.newInputStream(path)) {
        int first = in.read();
        // A write that was lost with the power leaves zeros.
        if (first > 0 && first != '{') {
          throw new IOException(path + " is no journal: it does not begin with {");
        }
      }
    }
  }

  private RandomAccessFile openFile() throws IOException {
    RandomAccessFile opened = create(path);
    key = key(path);
    return opened;
  }

  static RandomAccessFile create(Path path) throws IOException {
    if (Files.exists(path)) {
      restrict(path);
    } else if (hasModes(path)) {
      Files.createFile(path, PosixFilePermissions.asFileAttribute(MODE));
    } else {
      Files.createFile(path);
    }
    return new RandomAccessFile(path.toFile(), "rw");
  }

  private static boolean hasModes(Path path) throws IOException {
    return Files.getFileStore(directory(path)).supportsFileAttributeView("posix");
  }

  private static void restrict(Path path) throws IOException {
    if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && hasModes(path)) {
      Files.setPosixFilePermissions(path, MODE);
    }
  }

  static @Nullable Object key(Path path) throws IOException {
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
    RandomAccessFile current = requireNonNull(file);
    if (current.length() > 0 && current.length() + line.length > maxSize) {
      current = rotate(current);
    }
    long before = current.length();
    try {
      // Somebody else may have emptied the file.
      current.seek(before);
      current.write(line);
      if (force) {
        current.getFD().sync();
      }
    } catch (Throwable e) {
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

  private void undo(RandomAccessFile current, long length, Throwable why) {
    try {
      current.setLength(length);
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
      // The first that is free: after a rotation that was not finished there is one.
      int free = 1;
      while (free < keep && Files.exists(numbered(path, free))) {
        free++;
      }
      for (int number = free - 1; number > 0; number--) {
        move(numbered(path, number), numbered(path, number + 1));
      }
      if (keep > 0) {
        move(path, numbered(path, 1));
      } else {
        Files.delete(path);
      }
      RandomAccessFile opened = openFile();
      file = opened;
      forceDirectory();
      return opened;
    } catch (Throwable e) {
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
    if (!directory(path).getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return;
    }
    boolean interrupted = false;
    while (true) {
      try (FileChannel opened = FileChannel.open(directory(path))) {
        opened.force(true);
        break;
      } catch (ClosedByInterruptException e) {
        interrupted = Thread.interrupted();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  void force() throws IOException {
    if (file != null) {
      file.getFD().sync();
    }
  }

  /** Gives up the open files after a failure. */
  private void abandon(Throwable why) {
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
