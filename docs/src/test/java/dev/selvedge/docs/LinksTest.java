package dev.selvedge.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LinksTest {
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]*)(#[^)\\s]+)?\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");

  static Stream<Path> pages() throws IOException {
    return Repository.pages().stream().map(Repository.ROOT::relativize);
  }

  @ParameterizedTest
  @MethodSource("pages")
  void everyLinkWithinTheRepositoryLeadsSomewhere(Path page) throws IOException {
    Path file = Repository.ROOT.resolve(page);
    List<String> broken = new ArrayList<>();

    var links = LINK.matcher(Repository.read(file)).results().toList();
    for (var link : links) {
      if (!link.group(1).contains("://") && !leadsSomewhere(file, link.group(1), link.group(2))) {
        broken.add(link.group());
      }
    }

    assertThat(broken).isEmpty();
  }

  private static boolean leadsSomewhere(Path from, String target, String anchor)
      throws IOException {
    Path file = target.isEmpty() ? from : from.resolveSibling(target);
    if (!Files.exists(file)) {
      return false;
    }
    return anchor == null || anchors(file).contains(anchor);
  }

  private static List<String> anchors(Path file) throws IOException {
    return HEADING
        .matcher(Repository.read(file))
        .results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^a-z0-9 -]", "").replace(' ', '-'))
        .map(heading -> "#" + heading)
        .toList();
  }
}
