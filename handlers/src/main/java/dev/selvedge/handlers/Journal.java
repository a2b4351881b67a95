package dev.selvedge.handlers;

import static java.util.Objects.requireNonNull;

import dev.selvedge.ExceptionContext;
import dev.selvedge.Loop;
import dev.selvedge.LoopClock;
import dev.selvedge.LoopExceptionHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Appends each report to a file, as a line of JSON, so that no failure is lost with the process.
 * {@link #read} gives them back. Needs Jackson 3 ({@code tools.jackson.core:jackson-databind}).
 *
 * {@snippet file="dev/selvedge/handlers/SamplesTest.java" region="journal"}
 *
 * <p><b>Durability:</b> a report is forced to disk before the handler returns, unless {@link
 * Builder#forceEvery} says otherwise. A process that is killed while it writes loses at most the
 * line that it was writing, whose handler had not returned; the next open cuts off what there is of
 * it.
 *
 * <p><b>Files:</b> only their owner may read and write them, where the file system knows such
 * permissions. A link is followed. A file that would become too large is renamed to {@code name.1},
 * {@code name.1} to {@code name.2}, and so on; the oldest is deleted. An empty file {@code
 * name.lock} is locked as long as the journal is open and stays. All these names are the journal's:
 * give none of them to another one. A file that is there already and does not begin as a journal is
 * refused.
 *
 * <p><b>Failure:</b> a report that cannot be written, because the disk is full or the directory
 * gone or for whatever reason, goes to the {@linkplain Builder#otherwise other handler}, and so
 * does, once, why. Each later report is tried again. What the other handler throws goes to who
 * reports, with why suppressed in it.
 *
 * <p><b>Threads:</b> may be used by any number of loops and threads; writes one line at a time. An
 * interrupt does not disturb it.
 *
 * @since 0.1.0
 */
public final class Journal implements LoopExceptionHandler, AutoCloseable {
  /**
   * A report as it was written.
   *
   * @param time when
   * @param loop the name of the loop
   * @param message what happened
   * @param task the task that it was about; null if there was none
   * @param exception the failure; null for a warning
   * @param details anything else, as text
   * @since 0.1.0
   */
  public record Entry(
      Instant time,
      String loop,
      String message,
      @Nullable TaskEntry task,
      @Nullable ExceptionEntry exception,
      Map<String, String> details) {}

  /**
   * A task in an {@link Entry}.
   *
   * @param name its name
   * @param id its id in the process that wrote
   * @param owner the name of its loop or scope
   * @since 0.1.0
   */
  public record TaskEntry(String name, long id, String owner) {}

  /**
   * An exception in an {@link Entry}, with all that it has below it.
   *
   * @param type the name of its class
   * @param message its message, or its class's complaint if that could not be had; null if it has
   *     none
   * @param stack the frames, the innermost first
   * @param cause its cause; null if there was none
   * @param suppressed what was suppressed in it
   * @param cut whether what is below it was left out, because it stands elsewhere in the entry, as
   *     in a circle, or is too deep
   * @since 0.1.0
   */
  public record ExceptionEntry(
      String type,
      @Nullable String message,
      List<String> stack,
      @Nullable ExceptionEntry cause,
      List<ExceptionEntry> suppressed,
      boolean cut) {}

  private final Path path;
  private final @Nullable Duration forceEvery;
  private final LoopExceptionHandler otherwise;

  // Guarded by this.
  private final JournalFile file;
  private boolean failing;

  /** Of the next force; null if there is nothing to force. */
  private LoopClock.@Nullable Alarm forcing;

  private Journal(Builder builder) throws IOException {
    loadJackson();
    path = JournalFile.followed(builder.path);
    forceEvery = builder.forceEvery;
    otherwise = builder.otherwise;
    file = new JournalFile(path, builder.maxSize, builder.keep);
    file.open();
  }

  /**
   * Begins with the defaults.
   *
   * @param path the file; its directory has to exist
   * @return a new builder
   * @throws IllegalArgumentException if the path is the root of a file system
   */
  public static Builder builder(Path path) {
    return new Builder(JournalFile.absolute(path));
  }

  /**
   * How a journal is kept.
   *
   * @since 0.1.0
   */
  public static final class Builder {
    private final Path path;
    private long maxSize = 16 << 20;
    private int keep = 4;
    private @Nullable Duration forceEvery;
    private LoopExceptionHandler otherwise = Handlers.stderr();

    private Builder(Path path) {
      this.path = path;
    }

    /**
     * Sets when to begin another file; 16 MiB if not set. A line that is longer is written
     * nevertheless, to a file of its own.
     *
     * @param bytes the most that a file grows to; at least 1
     * @return this
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder maxSize(long bytes) {
      if (bytes < 1) {
        throw new IllegalArgumentException("maxSize must be at least 1: " + bytes);
      }
      this.maxSize = bytes;
      return this;
    }

    /**
     * Sets how many old files are kept beside the current one; 4 if not set. Those that an earlier,
     * higher number has left are read, and stay until somebody deletes them.
     *
     * @param files 0 to 999 999
     * @return this
     * @throws IllegalArgumentException if it is outside of that
     */
    public Builder keep(int files) {
      if (files < 0 || files > 999_999) {
        throw new IllegalArgumentException("keep must be from 0 to 999999: " + files);
      }
      this.keep = files;
      return this;
    }

    /**
     * Lets the handler return before its line is forced to disk: that happens at most so much
     * later, for all lines at once, by a virtual thread. A process that is killed loses none of
     * them; a machine that fails may. Not being able to force them is reported to the other
     * handler.
     *
     * @param delay more than zero, by the clock of the loop that reports
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder forceEvery(Duration delay) {
      this.forceEvery = Arguments.positive(delay, "delay");
      return this;
    }

    /**
     * Sets what gets the reports that cannot be written; {@link Handlers#stderr} if not set.
     *
     * @param handler the other handler
     * @return this
     */
    public Builder otherwise(LoopExceptionHandler handler) {
      this.otherwise = requireNonNull(handler, "handler");
      return this;
    }

    /**
     * Opens the journal, and repairs what a killed process has left.
     *
     * @return a new journal
     * @throws IOException if the file cannot be opened for writing, is open in another process or
     *     another journal of this one, or is there and no journal
     * @throws NoClassDefFoundError if Jackson 3 is not on the class path
     */
    public Journal open() throws IOException {
      return new Journal(this);
    }
  }

  @Override
  public void handle(Loop loop, ExceptionContext context) {
    Throwable why;
    boolean first;
    try {
      byte[] line = Lines.write(loop, context);
      synchronized (this) {
        file.append(line, forceEvery == null);
        failing = false;
        if (forceEvery != null && forcing == null) {
          // An alarm must not block.
          forcing =
              loop.clock()
                  .schedule(
                      () -> Thread.ofVirtual().name("journal").start(() -> force(loop)),
                      forceEvery);
        }
      }
      return;
    } catch (Throwable e) {
      why = e;
    }
    synchronized (this) {
      first = !failing;
      failing = true;
    }
    if (first) {
      tellFirst(loop, context, why);
    } else {
      otherwise.handle(loop, context);
    }
  }

  /** Should the other handler throw, it is told why with the next report. */
  private void tellFirst(Loop loop, ExceptionContext context, Throwable why) {
    try {
      otherwise.handle(loop, context);
      otherwise.handle(loop, notWritten(why));
    } catch (Throwable broken) {
      synchronized (this) {
        failing = false;
      }
      if (!Answers.suppress(broken, why)) {
        loop.defaultExceptionHandler(notWritten(why));
      }
      throw broken;
    }
  }

  private static void loadJackson() {
    try {
      Lines.load();
    } catch (NoClassDefFoundError e) {
      var named =
          new NoClassDefFoundError(
              "a journal needs tools.jackson.core:jackson-databind, Jackson 3, on the class path");
      named.initCause(e);
      throw named;
    }
  }

  private ExceptionContext notWritten(Throwable why) {
    return new ExceptionContext(
        "The journal cannot be written", why, null, Map.of("journal", path.toString()));
  }

  private void force(Loop loop) {
    try {
      synchronized (this) {
        forcing = null;
        file.force();
      }
    } catch (IOException e) {
      try {
        otherwise.handle(loop, notWritten(e));
      } catch (Throwable broken) {
        broken.addSuppressed(e);
        loop.defaultExceptionHandler(notWritten(e));
        loop.defaultExceptionHandler(
            new ExceptionContext(
                "Exception in the other handler of a journal",
                broken,
                null,
                Map.of("handler", otherwise.getClass().getName())));
      }
    }
  }

  /**
   * Forces what was written to disk and closes the file. What is reported afterwards goes to the
   * other handler. Closing again does nothing.
   *
   * @throws IOException if the last lines cannot be forced, or the file cannot be closed
   */
  @Override
  public synchronized void close() throws IOException {
    if (forcing != null) {
      forcing.cancel();
      forcing = null;
    }
    file.close();
  }

  /**
   * Reads a journal, the oldest entry first, without taking more into memory than one of them. All
   * its files are opened at once, so it may be done while a process writes: what was there is read
   * even if it is renamed or deleted meanwhile, and what is appended may be seen or not. A last
   * line that was not written to its end is left out.
   *
   * @param path the file that the journal was opened with
   * @return the entries, to be closed; reading throws {@link java.io.UncheckedIOException} if a
   *     file cannot be read, or a line is not an entry, and goes on behind that line if asked again
   * @throws IOException if the directory cannot be read, a file cannot be opened, or there is no
   *     such journal
   * @throws IllegalArgumentException if the path is the root of a file system
   * @throws NoClassDefFoundError if Jackson 3 is not on the class path
   */
  public static Stream<Entry> read(Path path) throws IOException {
    loadJackson();
    return JournalReader.read(JournalFile.followed(path));
  }
}
