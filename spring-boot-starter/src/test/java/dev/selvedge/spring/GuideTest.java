package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The guide's table of properties, and the metadata that editors read. */
class GuideTest {
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `(selvedge\\.[a-z.-]+)` \\| (?:`([^`]*)`)?[^|]*\\|");

  private static Map<String, String> metadata() throws Exception {
    var defaults = new TreeMap<String, String>();
    try (var file =
        GuideTest.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
      for (JsonNode property : JsonMapper.shared().readTree(file).at("/properties")) {
        String name = property.at("/name").asString();
        if (name.startsWith("selvedge.")) {
          assertThat(property.at("/description").asString("")).as(name).isNotBlank();
          defaults.put(name, property.at("/defaultValue").asString(""));
        }
      }
    }
    return defaults;
  }

  @Test
  void everyPropertyIsDescribedAndInTheGuideWithItsDefault() throws Exception {
    var documented = new TreeMap<String, String>();
    Matcher row = ROW.matcher(Files.readString(Path.of("../docs/guide/spring-boot.md")));
    while (row.find()) {
      documented.put(row.group(1), row.group(2) == null ? "" : row.group(2));
    }
    assertThat(documented).isEqualTo(metadata());
  }
}
