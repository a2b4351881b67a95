import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Writes the mutants that no test kills into the part of a page between two marks of its module.
 * The last column of a row, which says why, is a human's: it is kept for as long as the mutant
 * lives.
 */
final class Survivors {
  private static final String NO_REASON = "?";

  private record Mutant(String type, String method, int line, String what, String status) {
    boolean killed() {
      return !status.equals("SURVIVED") && !status.equals("NO_COVERAGE");
    }
  }

  static void write(Path report, Path sources, Path page, String module) throws Exception {
    List<Mutant> mutants = read(report);
    String text = Files.readString(page);
    String begin = "<!-- begin " + module + " -->\n";
    int from = text.indexOf(begin) + begin.length();
    int to = text.indexOf("<!-- end " + module + " -->");
    Map<String, String> reasons = reasons(text.substring(from, to));

    Files.writeString(
        page, text.substring(0, from) + table(mutants, sources, reasons) + text.substring(to));
  }

  private static String table(List<Mutant> mutants, Path sources, Map<String, String> reasons)
      throws IOException {
    var rows = new TreeMap<String, Map<String, Integer>>();
    long killed = mutants.stream().filter(Mutant::killed).count();
    long late = mutants.stream().filter(m -> m.status.equals("TIMED_OUT")).count();
    for (Mutant mutant : mutants) {
      if (!mutant.killed()) {
        String file = mutant.type.replaceFirst("\\$.*", "").replace('.', '/') + ".java";
        String line = Files.readAllLines(sources.resolve(file)).get(mutant.line - 1).strip();
        String key =
            "| `%s` | `%s` | %s%s |"
                .formatted(
                    mutant.method,
                    line.replace("|", "\\|"),
                    mutant.what,
                    mutant.status.equals("NO_COVERAGE") ? " (not reached)" : "");
        String type = mutant.type.substring(mutant.type.lastIndexOf('.') + 1);
        rows.computeIfAbsent(type, t -> new LinkedHashMap<>()).merge(key, 1, Integer::sum);
      }
    }
    var text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%n%d mutants, %d killed (%.1f %%), %d of them because a test did not end in time.%n",
            mutants.size(),
            killed,
            100.0 * killed / mutants.size(),
            late));
    rows.forEach((type, found) -> {
      text.append("\n### ")
          .append(type)
          .append("\n\n| method | line | mutant | why |\n|---|---|---|---|\n");
      found.forEach((key, count) -> {
        String why = reasons.getOrDefault(type + key, NO_REASON);
        text.append(key).append(' ').append(why).append(" |\n");
      });
    });
    return text.append('\n').toString();
  }

  /** By type, method, line and mutant. */
  private static Map<String, String> reasons(String text) {
    var reasons = new TreeMap<String, String>();
    String type = "";
    for (String line : text.lines().toList()) {
      if (line.startsWith("### ")) {
        type = line.substring(4);
      } else if (line.startsWith("| `")) {
        int why = line.lastIndexOf(" | ");
        reasons.put(type + line.substring(0, why + 2), line.substring(why + 3, line.length() - 2));
      }
    }
    return reasons;
  }

  private static List<Mutant> read(Path report) throws Exception {
    NodeList all =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(report.toFile())
            .getElementsByTagName("mutation");
    var mutants = new ArrayList<Mutant>();
    for (int i = 0; i < all.getLength(); i++) {
      var mutant = (Element) all.item(i);
      String what = text(mutant, "description").replaceFirst(" for dev/.*", "");
      mutants.add(
          new Mutant(
              text(mutant, "mutatedClass"),
              text(mutant, "mutatedMethod"),
              Integer.parseInt(text(mutant, "lineNumber")),
              what.replaceAll("dev/selvedge/(gather/)?", ""),
              mutant.getAttribute("status")));
    }
    mutants.sort((a, b) -> Integer.compare(a.line, b.line));
    return mutants;
  }

  private static String text(Element mutant, String name) {
    return mutant.getElementsByTagName(name).item(0).getTextContent();
  }
}
