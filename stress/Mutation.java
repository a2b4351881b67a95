import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/**
 * Runs PIT on one module with the JDK and the class path that run this: {@code Mutation FOLDER
 * MODULE THRESHOLD CLASSES TESTS}, where FOLDER is that of the module which Maven builds. Exits
 * with 1 when fewer percent of the mutants are killed, also because there was no mutant or no test.
 * When it ran all of them, it lists the survivors in {@code docs/reliability/mutation.md}.
 */
final class Mutation {
  /** Not those that race until something shows, nor those whose child JVM has no mutant in it. */
  private static final String SLOW = "race,long,slow,child-jvm";

  private static final String OPTIONS =
      "-ea,-XX:TieredStopAtLevel=1,-XX:+UseSerialGC,-Dselvedge.mutated=true,-Dselvedge.points=true"
          + ",-Djunit.jupiter.execution.timeout.mode=disabled";

  private static final Map<String, String> SERVICES =
      Map.of(
          "org.pitest.mutationtest.environment.EnvironmentResetPlugin", "dev.selvedge.FreshJvm",
          "org.junit.platform.launcher.TestExecutionListener", "dev.selvedge.FreshJvm",
          "org.pitest.testapi.TestPluginFactory", "dev.selvedge.Discovery");

  public static void main(String[] args) throws Exception {
    Path module = Path.of(args[0]);
    if (!module.endsWith(args[1])) {
      return;
    }
    String classPath = System.getProperty("java.class.path");
    Path plugin = module.resolve("target/mutation-plugin");
    compile(module.resolveSibling("stress/src/mutation"), plugin, classPath);

    Path known = Files.createDirectories(module.resolve("target/mutation-tests"));
    String options = OPTIONS + ",-Dselvedge.mutation.known=" + known;
    boolean whole = args[3].equals("dev.selvedge.*") && args[4].equals("dev.selvedge.*Test");
    // Core's tests are on the class path of gather's.
    String tests = whole && !args[1].equals("core") ? "dev.selvedge.gather.*Test" : args[4];
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-classpath", plugin + File.pathSeparator + classPath));
    command.add("org.pitest.mutationtest.commandline.MutationCoverageReport");
    command.addAll(List.of("--mutableCodePaths", module.resolve("target/classes").toString()));
    command.addAll(List.of("--sourceDirs", module.resolve("src/main/java").toString()));
    command.addAll(List.of("--targetClasses", args[3], "--targetTests", tests));
    command.addAll(List.of("--excludedGroups", SLOW, "--jvmArgs", options));
    command.addAll(List.of("--threads", "8", "--mutationUnitSize", "20"));
    command.addAll(
        List.of("--timeoutConst", "4000", "--timeoutFactor", "2", "--mutationThreshold", args[2]));
    command.addAll(List.of("--reportDir", module.resolve("target/mutation").toString()));
    command.addAll(List.of("--outputFormats", "XML,HTML", "--verbosity", "NO_SPINNER"));
    Path report = Files.createDirectories(module.resolve("target/mutation"));
    Files.deleteIfExists(report.resolve("mutations.xml"));
    int exit = new ProcessBuilder(command).inheritIO().start().waitFor();

    if (whole && Files.exists(report.resolve("mutations.xml"))) {
      Survivors.write(
          report.resolve("mutations.xml"),
          module.resolve("src/main/java"),
          module.resolveSibling("docs/reliability/mutation.md"),
          args[1]);
    }
    System.exit(exit);
  }

  private static void compile(Path sources, Path folder, String classPath) throws Exception {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    for (var service : SERVICES.entrySet()) {
      Files.writeString(services.resolve(service.getKey()), service.getValue() + "\n");
    }
    var options = new ArrayList<>(List.of("-proc:none", "-d", folder.toString(), "-cp", classPath));
    try (Stream<Path> files = Files.list(sources)) {
      files.map(Path::toString).forEach(options::add);
    }
    int code =
        ToolProvider.getSystemJavaCompiler().run(null, null, null, options.toArray(String[]::new));
    if (code != 0) {
      throw new IllegalStateException(sources + " does not compile");
    }
  }
}
