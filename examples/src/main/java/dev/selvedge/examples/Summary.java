package dev.selvedge.examples;

import dev.selvedge.examples.Progress.Failure;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/**
 * What is printed at the end.
 *
 * @param end how the run ended
 * @param figures of the end
 * @param failures by name
 */
record Summary(End end, Figures figures, List<Failure> failures) {
  /** How a run ended. */
  enum End {
    /** Every file was checked. */
    COMPLETE(""),
    /** The first failure ended it. */
    STOPPED("stopped at the first failure: "),
    /** Ctrl-C, or another cancellation from outside. */
    INTERRUPTED("interrupted: ");

    private final String prefix;

    End(String prefix) {
      this.prefix = prefix;
    }
  }

  static Summary of(End end, Progress progress) {
    return new Summary(end, progress.figures(), progress.failures());
  }

  /** The summary as lines, the totals last. */
  void print(PrintWriter out) {
    for (Failure failure : failures) {
      out.println(Printable.escaped("FAILED " + failure.file() + ": " + failure.cause()));
    }
    long notListed = figures.failed() - failures.size();
    if (notListed > 0) {
      out.println("FAILED " + notListed + " more");
    }
    out.println(total());
    out.flush();
  }

  /** The totals in one line. */
  String total() {
    String cancelled =
        figures.cancelled() == 0 ? "" : ", " + figures.cancelled() + " cancelled half-way";
    return String.format(
        Locale.ROOT,
        "%s%s checked, %d bytes in %.1f s (%.1f MB/s), %s%s",
        end.prefix,
        Figures.counted(figures.checked(), "file"),
        figures.bytes(),
        figures.seconds(),
        figures.megabytesPerSecond(),
        Figures.counted(figures.failed(), "failure"),
        cancelled);
  }
}
