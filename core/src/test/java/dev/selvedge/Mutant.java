package dev.selvedge;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A core with a fault planted in it, to show that a check would find that fault: made from core's
 * sources as they are now, so that it cannot fall behind them.
 *
 * @param classes a folder with the classes that differ, to stand before core on a class path
 */
public record Mutant(Path classes) {
  /**
   * A fault: a text of one of core's files is replaced.
   *
   * @param file its simple name, as in {@code Owner.java}
   * @param original occurs in it once
   */
  public record Fault(String file, String original, String replacement) {}

  /** Compiles core with these faults into a folder, which is empty or missing. */
  public static Mutant compile(Path folder, Fault... faults) throws IOException {
    var changed = new ArrayList<Path>();
    Path classes = Files.createDirectories(folder.resolve("classes"));
    for (Fault fault : faults) {
      Path copy = Files.createDirectories(folder.resolve("source")).resolve(fault.file);
      boolean again = changed.contains(copy);
      String source = Files.readString(again ? copy : sources().resolve(fault.file));
      int at = source.indexOf(fault.original);
      if (at < 0 || source.indexOf(fault.original, at + 1) >= 0) {
        throw new IllegalArgumentException(
            fault.file + " has changed: this must occur in it once: " + fault.original);
      }
      Files.writeString(copy, source.replace(fault.original, fault.replacement));
      if (!again) {
        changed.add(copy);
      }
    }
    compile(changed, classes);
    return new Mutant(classes);
  }

  private static void compile(List<Path> files, Path classes) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    var messages = new StringWriter();
    String core = ChildJvm.root(Loop.class).toString();
    String path = core + File.pathSeparator + System.getProperty("java.class.path");
    List<String> options =
        List.of("-proc:none", "-nowarn", "-d", classes.toString(), "-classpath", path);
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      var units = manager.getJavaFileObjectsFromPaths(files);
      if (!compiler.getTask(messages, manager, null, options, null, units).call()) {
        throw new IllegalArgumentException("the mutant does not compile:\n" + messages);
      }
    }
  }

  /** In this checkout, whichever module's tests ask. */
  private static Path sources() {
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      Path sources = folder.resolve("core/src/main/java/dev/selvedge");
      if (Files.isDirectory(sources)) {
        return sources;
      }
    }
    throw new IllegalStateException("run it inside of the checkout: core's sources are not found");
  }
}
