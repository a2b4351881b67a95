package dev.selvedge.examples;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far the work is: a bar on a terminal, a line each second elsewhere. */
sealed interface Display extends AutoCloseable {
  /** Where the figures come from. */
  Progress progress();

  /** How often there is something new to see. */
  Duration period();

  /** Shows the figures of this moment. */
  void show(Figures figures);

  /** Leaves the output at the beginning of a line. */
  @Override
  void close();

  /** Shows the figures for ever; it is the body of a task that somebody cancels. */
  default void follow() throws InterruptedException {
    long next = System.nanoTime();
    while (true) {
      next += period().toNanos();
      Thread.sleep(Duration.ofNanos(next - System.nanoTime()));
      show(progress().figures());
    }
  }

  /** Lines, for a log or a pipe. */
  record Lines(Progress progress, PrintWriter out) implements Display {
    @Override
    public Duration period() {
      return Duration.ofSeconds(1);
    }

    @Override
    public void show(Figures figures) {
      out.println(figures.line());
      out.flush();
    }

    @Override
    public void close() {}
  }

  /** A bar that is drawn over itself. */
  record Bar(Progress progress, ProgressBar bar) implements Display {
    /** Draws on a terminal. */
    static Bar on(PrintStream terminal, Progress progress) {
      boolean blocks = terminal.charset().newEncoder().canEncode('\u2588');
      return new Bar(
          progress,
          new ProgressBarBuilder()
              .setTaskName("checking")
              .setUnit(" files", 1)
              .setInitialMax(-1)
              .setStyle(blocks ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(200)
              .setConsumer(new ConsoleProgressBarConsumer(terminal))
              .build());
    }

    @Override
    public Duration period() {
      return Duration.ofMillis(200);
    }

    @Override
    public void show(Figures figures) {
      bar.maxHint(figures.foundAll() ? figures.found() : -1);
      bar.stepTo(figures.checked());
      bar.setExtraMessage(figures.note());
    }

    @Override
    public void close() {
      show(progress.figures());
      bar.close();
    }
  }
}
