package dev.selvedge.examples;

import dev.selvedge.KeyboardInterruptException;
import dev.selvedge.Loop;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.TaskScope;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * The command line of {@code ./demo}: arguments, exit codes, and what is printed. The work is
 * {@link TreeCheck}'s.
 */
@Command(
    name = "demo",
    header = "Checks every file that has a .sha1 beside it, each in a virtual thread of its own.",
    description = {
      "",
      "A file is damaged if its SHA-1 is not the one that its .sha1 begins with. A damaged or an"
          + " unreadable file stops nobody else, unless --fail-fast is given. Links to directories"
          + " are not followed. Ctrl-C cancels what is running, waits for it, and prints the"
          + " summary of what was done.",
      ""
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every file is what its .sha1 says",
      "1:at least one is not, or cannot be read",
      "2:the arguments are wrong",
      "130:interrupted by Ctrl-C",
      "143:ended by SIGTERM",
    },
    sortOptions = false)
public final class Demo implements Callable<Integer> {
  private static final int INTERRUPTED = 130;
  private static final int TERMINATED = 143;

  private final boolean terminal;

  @SuppressWarnings("NullAway.Init") // picocli's
  @Spec
  private CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "DIRECTORY",
      description = "The tree to check. Default: the local Maven repository.")
  private @Nullable Path directory;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      defaultValue = "256",
      description = "How many files are read at once. Default: ${DEFAULT-VALUE}.")
  private int parallel;

  @Option(
      names = "--rate",
      paramLabel = "MB/s",
      description = "How much is read per second by all together. Default: no limit.")
  private @Nullable Double rate;

  @Option(names = "--fail-fast", description = "Stop at the first failure and cancel the rest.")
  private boolean failFast;

  @SuppressWarnings("UnusedVariable") // picocli prints the text
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this text.")
  private boolean help;

  private Demo(boolean terminal) {
    this.terminal = terminal;
  }

  /**
   * Runs the program and exits.
   *
   * @param args see {@code --help}
   */
  public static void main(String[] args) {
    var out = new PrintWriter(System.out, true, System.out.charset());
    var err = new PrintWriter(System.err, true, System.err.charset());
    System.exit(run(out, err, isTerminal(), args));
  }

  @SuppressWarnings("SystemConsoleNull") // JDK 25 returns null again where there is no terminal
  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal() && !"dumb".equals(System.getenv("TERM"));
  }

  /** Runs the program and returns its exit code. */
  static int run(PrintWriter out, PrintWriter err, boolean terminal, String... args) {
    return new CommandLine(new Demo(terminal))
        .setOut(out)
        .setErr(err)
        .setParameterExceptionHandler(Demo::refuse)
        .execute(args);
  }

  private static int refuse(ParameterException e, String[] args) {
    PrintWriter err = e.getCommandLine().getErr();
    err.println("demo: " + Printable.escaped(String.valueOf(e.getMessage())));
    err.println("Try './demo --help'.");
    return e.getCommandLine().getCommandSpec().exitCodeOnInvalidInput();
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (parallel < 1) {
      throw refused("--parallel must be at least 1, not " + parallel);
    }
    Path root = root();
    RateLimit limit = limit();
    try {
      return Loop.run(() -> check(root, limit));
    } catch (KeyboardInterruptException e) {
      return INTERRUPTED;
    } catch (TaskCancelledException e) {
      return TERMINATED;
    }
  }

  /** The main task. Its finally runs, and prints, also when Ctrl-C cancels it. */
  private int check(Path root, RateLimit limit) throws InterruptedException {
    var progress = new Progress();
    var tree = new ChecksummedFiles(root);
    var files =
        new TreeCheck(tree, new FileCheck(limit, progress::read), parallel, failFast, progress);
    var end = Summary.End.STOPPED;
    try {
      withDisplay(progress, files);
      end = Summary.End.COMPLETE;
    } catch (IOException first) {
      // What it says stands in the summary, as every failure does.
    } catch (InterruptedException e) {
      end = Summary.End.INTERRUPTED;
      throw e;
    } finally {
      Summary.of(end, progress).print(spec.commandLine().getOut());
    }
    return progress.figures().failed() == 0 ? 0 : 1;
  }

  /** Leaving the scope ends the task that shows the figures: nobody has to remember to stop it. */
  private void withDisplay(Progress progress, TreeCheck files)
      throws IOException, InterruptedException {
    try (Display display = display(progress);
        TaskScope<RuntimeException> background = TaskScope.open()) {
      background.fork("figures", () -> display.follow());
      files.run();
    }
  }

  private Display display(Progress progress) {
    return terminal
        ? Display.Bar.on(System.out, progress)
        : new Display.Lines(progress, spec.commandLine().getOut());
  }

  private Path root() {
    boolean given = directory != null;
    Path root = directory != null ? directory : localRepository();
    if (!Files.isDirectory(root)) {
      String what = given ? "" : "the local Maven repository ";
      String why = Files.exists(root) ? " is not a directory" : " does not exist";
      throw refused(what + root + why);
    }
    try {
      return root.toRealPath();
    } catch (IOException e) {
      throw refused(Printable.cause(e));
    }
  }

  private RateLimit limit() {
    if (rate == null) {
      return RateLimit.none();
    }
    if (!(rate > 0 && rate <= RateLimit.MAX)) {
      throw refused(
          "--rate must be above 0 and at most %.0f, not %s".formatted(RateLimit.MAX, rate));
    }
    return RateLimit.megabytesPerSecond(rate);
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private static Path localRepository() {
    String configured = System.getProperty("maven.repo.local");
    return configured == null || configured.isEmpty()
        ? Path.of(System.getProperty("user.home"), ".m2", "repository")
        : Path.of(configured);
  }
}
