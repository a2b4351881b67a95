import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;

/** What the published jars promise about modules: {@code CheckJars ROOT VERSION}. */
final class CheckJars {
  private static final Map<String, String> NAMED =
      Map.of(
          "core", "dev.selvedge",
          "gather", "dev.selvedge.gather",
          "test-kit", "dev.selvedge.testkit");
  private static final Map<String, String> AUTOMATIC =
      Map.of("handlers", "dev.selvedge.handlers", "spring-boot-starter", "dev.selvedge.spring");
  private static final Set<String> CORE_MAY_REQUIRE =
      Set.of("java.base", "jdk.jfr", "jdk.unsupported", "org.jspecify");

  /** A line of {@code jdeps -verbose:package}: the used package and where it comes from. */
  private static final Pattern USES = Pattern.compile("^\\s+->\\s+(\\S+)\\s+(.+?)\\s*$");

  private final Path root;
  private final String version;
  private final List<String> complaints = new ArrayList<>();

  private CheckJars(Path root, String version) {
    this.root = root;
    this.version = version;
  }

  public static void main(String[] args) throws Exception {
    var checks = new CheckJars(Path.of(args[0]).toRealPath(), args[1]);
    checks.moduleNames();
    checks.coreUsesTheJdkAlone();
    checks.gatherUsesCoresPublicPackageAlone();
    checks.complaints.forEach(complaint -> System.err.println("[ERROR] " + complaint));
    System.exit(checks.complaints.isEmpty() ? 0 : 1);
  }

  private void moduleNames() {
    new TreeMap<>(NAMED)
        .forEach((folder, name) -> {
          String description = describe(folder);
          if (!description.startsWith(name + "@") && !description.startsWith(name + " ")) {
            complaints.add(folder + " is not the named module " + name + ": " + description);
          }
        });
    new TreeMap<>(AUTOMATIC)
        .forEach((folder, name) -> {
          String description = describe(folder);
          boolean automatic = description.contains("automatic");
          // Without the manifest's entry the name would be derived from the file: selvedge.x.
          if (!automatic || !description.contains("\n" + name + "@")) {
            complaints.add(folder + " has no Automatic-Module-Name " + name + ": " + description);
          }
        });
  }

  private void coreUsesTheJdkAlone() {
    describe("core")
        .lines()
        .filter(line -> line.startsWith("requires "))
        .map(line -> line.split(" ")[1])
        .filter(module -> !CORE_MAY_REQUIRE.contains(module))
        .forEach(module -> complaints.add("core requires " + module));
    uses("core")
        .forEach((usedPackage, from) -> {
          boolean own = from.equals(jar("core").getFileName().toString());
          // Annotations only, so absent at run time: jdeps cannot find them.
          boolean annotation = usedPackage.equals("org.jspecify.annotations");
          if (!own && !annotation && !CORE_MAY_REQUIRE.contains(from)) {
            complaints.add("core uses " + usedPackage + " of " + from);
          }
        });
  }

  private void gatherUsesCoresPublicPackageAlone() {
    uses("gather")
        .keySet()
        .forEach(usedPackage -> {
          boolean own = usedPackage.startsWith("dev.selvedge.gather");
          boolean jdk = usedPackage.startsWith("java.");
          boolean annotation = usedPackage.equals("org.jspecify.annotations");
          if (!own && !jdk && !annotation && !usedPackage.equals("dev.selvedge")) {
            complaints.add("gather uses " + usedPackage + ", core's public API is all it may");
          }
        });
  }

  private String describe(String folder) {
    return run("jar", "--describe-module", "--file", jar(folder).toString()).strip();
  }

  private Map<String, String> uses(String folder) {
    Map<String, String> uses = new TreeMap<>();
    run("jdeps", "--ignore-missing-deps", "-verbose:package", jar(folder).toString())
        .lines()
        .forEach(line -> {
          var matcher = USES.matcher(line);
          if (matcher.matches()) {
            uses.put(matcher.group(1), matcher.group(2));
          }
        });
    return uses;
  }

  private Path jar(String folder) {
    Path jar = root.resolve(folder + "/target/selvedge-" + folder + "-" + version + ".jar");
    if (!Files.isRegularFile(jar)) {
      throw new IllegalStateException("not built: " + jar);
    }
    return jar;
  }

  private static String run(String tool, String... arguments) {
    var out = new StringWriter();
    var writer = new PrintWriter(out);
    ToolProvider.findFirst(tool).orElseThrow().run(writer, writer, arguments);
    writer.flush();
    return out.toString();
  }
}
