package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The guide's tables, and what they are about. */
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

  private static String guide() throws IOException {
    return Files.readString(Path.of("../docs/guide/spring-boot.md"));
  }

  private static Set<String> found(String regex, String text) {
    var found = new TreeSet<String>();
    Matcher matcher = Pattern.compile(regex).matcher(text);
    while (matcher.find()) {
      found.add(matcher.group(1));
    }
    return found;
  }

  @Test
  void everyPropertyIsDescribedAndInTheGuideWithItsDefault() throws Exception {
    var documented = new TreeMap<String, String>();
    Matcher row = ROW.matcher(guide().substring(guide().indexOf("## Properties")));
    while (row.find()) {
      documented.put(row.group(1), row.group(2) == null ? "" : row.group(2));
    }
    assertThat(documented).isEqualTo(metadata());
  }

  @Test
  void everyMeterIsInTheGuide() throws Exception {
    Path source =
        Path.of("../handlers/src/main/java/dev/selvedge/handlers/micrometer/LoopMetrics.java");
    // A name that ends with a dot is a prefix.
    Set<String> meters = found("\"(selvedge(?:\\.[a-z]+)+)\"", Files.readString(source));
    assertThat(meters).contains("selvedge.tasks", "selvedge.failures");
    assertThat(found("(?m)^\\| `(selvedge[a-z.]+)` \\| (?:timer|counter|gauge|summary) ", guide()))
        .isEqualTo(meters);
  }

  @Test
  void everyOperationOfTheEndpointsIsInTheGuide() throws Exception {
    var operations = new TreeSet<String>();
    for (Class<?> type : List.of(TasksEndpoint.class, FailuresEndpoint.class)) {
      String path = "/actuator/" + type.getAnnotation(Endpoint.class).id();
      for (Method method : type.getDeclaredMethods()) {
        var selectors = new StringBuilder();
        for (Parameter parameter : method.getParameters()) {
          if (parameter.isAnnotationPresent(Selector.class)) {
            selectors.append("/{").append(parameter.getName()).append('}');
          }
        }
        if (method.isAnnotationPresent(ReadOperation.class)) {
          operations.add("GET " + path + selectors);
        } else if (method.isAnnotationPresent(WriteOperation.class)) {
          operations.add("POST " + path + selectors);
        }
      }
    }
    operations.addAll(List.of("GET /actuator/tasks/console", "GET /actuator/health"));
    assertThat(found("(?m)^\\| `((?:GET|POST) [^`]+)` \\|", guide())).isEqualTo(operations);
  }
}
