package dev.selvedge.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SamplesTest {
  private static final Path SOURCES =
      Repository.ROOT.resolve("docs/src/test/java/dev/selvedge/docs");
  private static final Path PROGRAMS =
      Repository.ROOT.resolve("docs/src/test/resources/dev/selvedge/docs");

  private static final String SOURCE =
      """
      class PlantedTest {
        // @start region="greeting"
        void greet() {
          System.out.println("hello");
        }
        // @end
      }
      """;

  private static final String PAGE =
      """
      A greeting:

      <!-- sample: PlantedTest.java#greeting -->
      ```java
      void greet() {
        System.out.println("hello");
      }
      ```
      """;

  static Stream<Path> pages() throws IOException {
    return Repository.pages().stream().map(Repository.ROOT::relativize);
  }

  @ParameterizedTest
  @MethodSource("pages")
  void everySampleOfAPageIsARegionOfATestedFile(Path page) throws IOException {
    String markdown = Repository.read(Repository.ROOT.resolve(page));

    assertThat(Samples.problems(page.toString(), markdown, SamplesTest::source)).isEmpty();
  }

  @Test
  void theGuideHasSamples() throws IOException {
    long marked = 0;
    for (Path page : Repository.pages()) {
      marked += Repository.read(page).lines().filter(line -> line.startsWith("```java")).count();
    }

    assertThat(marked).as("samples that the test above has seen").isGreaterThan(20);
  }

  @Test
  void anEqualSamplePasses() {
    assertThat(problems(PAGE)).isEmpty();
  }

  @Test
  void indentationOfTheWholeDoesNotMatter() {
    assertThat(problems(PAGE.indent(4))).isEmpty();
  }

  @Test
  void aChangedWordIsFound() {
    assertThat(problems(PAGE.replace("hello", "goodbye")))
        .singleElement()
        .asString()
        .startsWith("page.md:4: differs from the region greeting of PlantedTest.java");
  }

  @Test
  void aMissingAndAnAddedLineAreFound() {
    assertThat(problems(PAGE.replace("  System.out.println(\"hello\");\n", ""))).hasSize(1);
    assertThat(problems(PAGE.replace("}\n```", "}\n// more\n```"))).hasSize(1);
  }

  @Test
  void indentationWithinTheSampleMatters() {
    assertThat(problems(PAGE.replace("  System", "    System"))).hasSize(1);
  }

  @Test
  void blankEndsDoNotMatter() {
    assertThat(Samples.aligned(List.of("", "    if (a) {", "", "      b();", "    }", "  ")))
        .containsExactly("if (a) {", "", "  b();", "}");
    assertThat(Samples.aligned(List.of("      .a()", "    .b()")))
        .containsExactly("  .a()", ".b()");
    assertThat(Samples.aligned(List.of(" "))).isEmpty();
  }

  @Test
  void aSampleWithoutAMarkerIsFound() {
    assertThat(problems(PAGE.replaceAll("<!--.*-->\n", "")))
        .containsExactly("page.md:3: no marker names the region of this sample");
    assertThat(problems(PAGE.replace("-->\n", "-->\n\n")))
        .containsExactly("page.md:5: no marker names the region of this sample");
    assertThat(problems("``` Java\nvoid greet();\n```\n"))
        .containsExactly("page.md:1: no marker names the region of this sample");
  }

  @Test
  void aRegionThatIsGoneIsFound() {
    assertThat(problems(PAGE.replace("#greeting", "#farewell")))
        .containsExactly("page.md:4: PlantedTest.java has no region farewell");
  }

  @Test
  void aFileThatIsGoneOrIsNoTestIsFound() {
    assertThat(problems(PAGE.replace("PlantedTest", "OtherTest")))
        .containsExactly("page.md:4: there is no OtherTest.java");
    assertThat(problems(PAGE.replace("PlantedTest", "Planted")))
        .containsExactly("page.md:4: Planted.java is not run as a test");
  }

  @Test
  void aSampleMayComeFromAProgramThatATestRuns() {
    String page = PAGE.replace("PlantedTest", "PlantedBefore");

    assertThat(problems(page)).isEmpty();
    assertThat(problems(page.replace("hello", "goodbye"))).hasSize(1);
  }

  @Test
  void everyProgramIsRunByATest() throws IOException {
    List<Path> programs = javaFiles(PROGRAMS);
    var tests = new StringBuilder();
    for (Path file : javaFiles(SOURCES)) {
      if (file.toString().endsWith("MigrationTest.java")) {
        tests.append(Repository.read(file));
      }
    }

    assertThat(programs).isNotEmpty();
    for (Path program : programs) {
      assertThat(tests).contains("/" + program.getFileName() + "\"");
    }
  }

  @Test
  void aBlockThatIsNotClosedIsFound() {
    assertThat(problems("```java\nvoid greet();\n"))
        .containsExactly("page.md:1: the block is not closed");
  }

  @Test
  void otherLanguagesNeedNoMarker() {
    assertThat(problems("```sh\n./demo\n```\n\n```\n// plain\n```\n\n```javascript\n```\n"))
        .isEmpty();
  }

  @Test
  void aRegionInsideAnotherBelongsToBoth() {
    String nested =
        """
        // @start region="outer"
        one();
        // @start region="inner"
        two();
        // @end
        // @end
        three();
        """;

    assertThat(Samples.regions(nested))
        .isEqualTo(Map.of("outer", List.of("one();", "two();"), "inner", List.of("two();")));
  }

  @Test
  void brokenMarkersAreRefused() {
    for (String broken :
        List.of(
            "// @start region=\"a\"\n",
            "// @end\n",
            "// @start region=a\n",
            "// @start region=\"a\"\n// @end\n// @start region=\"a\"\n// @end\n")) {
      assertThatIllegalArgumentException().isThrownBy(() -> Samples.regions(broken));
    }
  }

  private static List<String> problems(String markdown) {
    return Samples.problems(
        "page.md",
        markdown,
        file ->
            List.of("PlantedTest.java", "PlantedBefore.java", "Planted.java").contains(file)
                ? Optional.of(SOURCE)
                : Optional.empty());
  }

  private static List<Path> javaFiles(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
  }

  private static Optional<String> source(String name) {
    Path file = (name.endsWith("Before.java") ? PROGRAMS : SOURCES).resolve(name);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Repository.read(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
