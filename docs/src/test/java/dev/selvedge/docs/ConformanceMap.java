package dev.selvedge.docs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The table of {@code docs/asyncio.md} that says of each behaviour of asyncio whether it is covered
 * or declined, held against the tests that name it.
 */
final class ConformanceMap {
  /** How many behaviours each family has; the table lists every one of them. */
  private static final Map<String, Integer> FAMILIES =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("EXC", 11),
              Map.entry("NRX", 12),
              Map.entry("HND", 9),
              Map.entry("CAN", 20),
              Map.entry("GATHER", 13),
              Map.entry("WAIT", 6),
              Map.entry("SHIELD", 4),
              Map.entry("TMO", 13),
              Map.entry("WFOR", 7),
              Map.entry("TG", 23),
              Map.entry("RUN", 5),
              Map.entry("SHUT", 7),
              Map.entry("KBI", 6),
              Map.entry("INTRO", 9),
              Map.entry("THR", 3),
              Map.entry("MP", 4),
              Map.entry("TRIO", 9)));

  /** What the JDK's scope drops and Selvedge delivers. */
  private static final List<String> LOST_BY_THE_JDK =
      IntStream.rangeClosed(1, 18).mapToObj(n -> "L" + n).toList();

  private static final Pattern ROW =
      Pattern.compile("\\| ([A-Z]+-[0-9]{2}) \\|([^|]*)\\|([^|]*)\\|");
  private static final Pattern DISPLAY_NAME =
      Pattern.compile("@DisplayName\\(\\s*((?:\"(?:[^\"\\\\]|\\\\.)*\"[\\s+]*)+)\\)");
  private static final Pattern ID = Pattern.compile("\\b([A-Z]{2,}-[0-9]{2}|L[0-9]{1,2})\\b");

  /** One line of the table. */
  record Row(String id, String status, String note) {
    String family() {
      return id.substring(0, id.indexOf('-'));
    }
  }

  private ConformanceMap() {}

  static List<Row> rows(String markdown) {
    return markdown
        .lines()
        .map(line -> ROW.matcher(line.strip()))
        .filter(java.util.regex.Matcher::matches)
        .map(row -> new Row(row.group(1), row.group(2).strip(), row.group(3).strip()))
        .toList();
  }

  /** The ids in the display names of a test source. */
  static Set<String> namedBy(String source) {
    var ids = new TreeSet<String>();
    DISPLAY_NAME
        .matcher(source)
        .results()
        .flatMap(name -> ID.matcher(name.group(1)).results())
        .forEach(id -> ids.add(id.group(1)));
    return ids;
  }

  /** What is wrong with the table; empty if nothing is. */
  static List<String> problems(List<Row> rows, Set<String> named) {
    var problems = new ArrayList<String>();
    var byId = new LinkedHashMap<String, Row>();
    for (Row row : rows) {
      if (byId.put(row.id(), row) != null) {
        problems.add(row.id() + " is listed twice");
      }
      check(row, named, problems);
    }
    Map<String, Integer> counted =
        byId.values().stream()
            .collect(
                Collectors.groupingBy(Row::family, TreeMap::new, Collectors.summingInt(r -> 1)));
    if (!counted.equals(FAMILIES)) {
      problems.add("rows per family are " + counted + ", not " + FAMILIES);
    }
    for (String id : named) {
      if (!id.startsWith("L") && FAMILIES.containsKey(id.substring(0, id.indexOf('-')))) {
        if (!byId.containsKey(id)) {
          problems.add(id + " is named by a test and not listed");
        }
      }
    }
    for (String id : LOST_BY_THE_JDK) {
      if (!named.contains(id)) {
        problems.add(id + " is named by no test");
      }
    }
    return problems;
  }

  private static void check(Row row, Set<String> named, List<String> problems) {
    switch (row.status()) {
      case "covered" -> {
        if (!named.contains(row.id())) {
          problems.add(row.id() + " is said to be covered and named by no test");
        }
      }
      case "declined" -> {
        if (row.note().isEmpty()) {
          problems.add(row.id() + " is declined without a reason");
        }
      }
      default -> problems.add(row.id() + " has the unknown status '" + row.status() + "'");
    }
  }
}
