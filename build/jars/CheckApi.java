import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Compares the public API of the published jars with the listings in {@code docs/api}, so that no
 * change is made unnoticed: {@code CheckApi ROOT VERSION check|update}.
 */
final class CheckApi {
  private static final List<String> PUBLISHED =
      List.of("core", "gather", "handlers", "spring-boot-starter", "test-kit");

  public static void main(String[] args) throws IOException {
    Path root = Path.of(args[0]).toRealPath();
    boolean update = args[2].equals("update");
    boolean differs = false;
    for (String folder : PUBLISHED) {
      String jar = folder + "/target/selvedge-" + folder + "-" + args[1] + ".jar";
      String actual = Api.of(root.resolve(jar));
      Path listing = root.resolve("docs/api/" + folder + ".txt");
      if (update) {
        Files.createDirectories(listing.getParent());
        Files.writeString(listing, actual);
        continue;
      }
      List<String> differences =
          differences(Files.exists(listing) ? Files.readString(listing) : "", actual);
      if (!differences.isEmpty()) {
        differs = true;
        System.err.println(
            "[ERROR] the public API of " + folder + " is not docs/api/" + folder + ".txt:");
        differences.forEach(line -> System.err.println("[ERROR]   " + line));
      }
    }
    if (differs) {
      System.err.println(
          "[ERROR] If the change is meant, run build/api, commit the listings, and say in"
              + " CHANGELOG.md what users have to know.");
      System.exit(1);
    }
  }

  /** The lines that are missing, with a minus, and those that are new, with a plus. */
  private static List<String> differences(String expected, String actual) {
    List<String> before = located(expected);
    List<String> after = located(actual);
    var differences = new ArrayList<String>();
    before.stream()
        .filter(line -> !after.contains(line))
        .map("- "::concat)
        .forEach(differences::add);
    after.stream()
        .filter(line -> !before.contains(line))
        .map("+ "::concat)
        .forEach(differences::add);
    differences.sort(Comparator.comparing(line -> line.substring(2)));
    return differences;
  }

  /** Each member with its type before it, so that equal members of two types are not the same. */
  private static List<String> located(String text) {
    var located = new ArrayList<String>();
    String type = "";
    for (String line : text.lines().filter(line -> !line.isEmpty()).toList()) {
      if (line.startsWith(" ")) {
        located.add(type + ": " + line.strip());
      } else {
        type = line.replaceFirst("[<(].*| extends .*| permits .*", "");
        located.add(line);
      }
    }
    return located;
  }
}
