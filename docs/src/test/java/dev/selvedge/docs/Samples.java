package dev.selvedge.docs;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Compares the Java samples of a page with the regions of tested files that they were taken from.
 *
 * <p>A sample is a fenced block of Java. The line before the fence names its region: {@code <!--
 * sample: FileTest.java#region -->}. The region stands in the file between the markers of the JDK's
 * snippets, {@code // @start region="region"} and {@code // @end}. Both must be equal but for the
 * indentation of the whole.
 *
 * <p>The file is a test, or, for code that this module may not be compiled with, a program beneath
 * the test resources whose name ends in {@code Before.java} and which a test runs.
 */
final class Samples {
  private static final Pattern MARKER =
      Pattern.compile("<!-- sample: ([A-Za-z]+\\.java)#([a-z0-9-]+) -->");
  private static final Pattern JAVA = Pattern.compile("(?i)`{3,}\\s*java\\b.*");
  private static final Pattern START = Pattern.compile("// @start region=\"([a-z0-9-]+)\"");
  private static final String END = "// @end";

  /** Finds the text of a file by its name. */
  @FunctionalInterface
  interface Sources {
    Optional<String> read(String file);
  }

  private Samples() {}

  /** What is wrong with the samples of a page; empty if nothing is. */
  static List<String> problems(String page, String markdown, Sources sources) {
    var problems = new ArrayList<String>();
    List<String> lines = markdown.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      String fence = lines.get(i).strip();
      if (!fence.startsWith("```")) {
        continue;
      }
      var code = new ArrayList<String>();
      int opened = i;
      for (i++; i < lines.size() && !lines.get(i).strip().equals("```"); i++) {
        code.add(lines.get(i));
      }
      String where = page + ":" + (opened + 1) + ": ";
      if (i == lines.size()) {
        problems.add(where + "the block is not closed");
      } else if (JAVA.matcher(fence).matches()) {
        String before = opened == 0 ? "" : lines.get(opened - 1).strip();
        compare(before, code, sources).ifPresent(problem -> problems.add(where + problem));
      }
    }
    return problems;
  }

  private static Optional<String> compare(String before, List<String> code, Sources sources) {
    var marker = MARKER.matcher(before);
    if (!marker.matches()) {
      return Optional.of("no marker names the region of this sample");
    }
    String file = marker.group(1);
    String name = marker.group(2);
    if (!file.endsWith("Test.java") && !file.endsWith("Before.java")) {
      return Optional.of(file + " is not run as a test");
    }
    Optional<String> source = sources.read(file);
    if (source.isEmpty()) {
      return Optional.of("there is no " + file);
    }
    List<String> region = regions(source.get()).get(name);
    if (region == null) {
      return Optional.of(file + " has no region " + name);
    }
    if (!aligned(code).equals(aligned(region))) {
      return Optional.of(
          "differs from the region " + name + " of " + file + ":\n" + String.join("\n", region));
    }
    return Optional.empty();
  }

  /** The regions of a source file, by name. A region inside another one belongs to both. */
  static Map<String, List<String>> regions(String source) {
    var regions = new LinkedHashMap<String, List<String>>();
    var open = new ArrayDeque<String>();
    for (String line : source.lines().toList()) {
      String text = line.strip();
      var start = START.matcher(text);
      if (start.matches()) {
        open.push(start.group(1));
        if (regions.put(start.group(1), new ArrayList<>()) != null) {
          throw new IllegalArgumentException("twice: " + text);
        }
      } else if (text.equals(END)) {
        if (open.isEmpty()) {
          throw new IllegalArgumentException("an @end without @start");
        }
        open.pop();
      } else if (text.startsWith("// @")) {
        throw new IllegalArgumentException("not a marker: " + text);
      } else {
        open.forEach(name -> regions.get(name).add(line));
      }
    }
    if (!open.isEmpty()) {
      throw new IllegalArgumentException("never ends: " + open.peek());
    }
    return regions;
  }

  /** The lines without the indentation that they have in common, and without blank ends. */
  static List<String> aligned(List<String> lines) {
    int from = 0;
    int to = lines.size();
    while (from < to && lines.get(from).isBlank()) {
      from++;
    }
    while (from < to && lines.get(to - 1).isBlank()) {
      to--;
    }
    return String.join("\n", lines.subList(from, to)).stripIndent().lines().toList();
  }
}
