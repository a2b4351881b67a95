package dev.selvedge.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.docs.ConformanceMap.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ConformanceMapTest {
  private static List<Row> rows;
  private static Set<String> named;

  @BeforeAll
  static void readTheRepository() throws IOException {
    rows = ConformanceMap.rows(Repository.read(Repository.ROOT.resolve("docs/asyncio.md")));
    named = new TreeSet<>();
    for (Path source : Repository.testSources()) {
      named.addAll(ConformanceMap.namedBy(Repository.read(source)));
    }
  }

  @Test
  void theTableHasEveryRow() {
    assertThat(rows).hasSize(161);
  }

  @Test
  void everyRowIsCoveredByATestOrDeclinedWithAReason() {
    assertThat(ConformanceMap.problems(rows, named)).isEmpty();
  }

  @Test
  void aRowNeedsAKnownStatus() {
    assertThat(after("TMO-01", row -> new Row(row.id(), "done", "")))
        .containsExactly("TMO-01 has the unknown status 'done'");
  }

  @Test
  void aDeclinedRowNeedsAReason() {
    assertThat(after("EXC-14", row -> new Row(row.id(), "declined", "")))
        .containsExactly("EXC-14 is declined without a reason");
  }

  @Test
  void aCoveredRowNeedsATest() {
    assertThat(after("TG-01", row -> new Row(row.id(), "covered", "")))
        .containsExactly("TG-01 is said to be covered and named by no test");
  }

  @Test
  void aMissingRowIsFound() {
    var fewer = new ArrayList<>(rows);
    fewer.removeIf(row -> row.id().equals("TG-01"));

    assertThat(ConformanceMap.problems(fewer, everyId()))
        .anySatisfy(problem -> assertThat(problem).startsWith("rows per family are"))
        .contains("TG-01 is named by a test and not listed");
  }

  @Test
  void aRowListedTwiceIsFound() {
    var more = new ArrayList<>(rows);
    more.add(rows.getFirst());

    assertThat(ConformanceMap.problems(more, everyId()))
        .containsExactly(rows.getFirst().id() + " is listed twice");
  }

  @Test
  void anUnknownRowInATestIsFound() {
    var ids = everyId();
    ids.add("CAN-99");

    assertThat(ConformanceMap.problems(rows, ids))
        .containsExactly("CAN-99 is named by a test and not listed");
  }

  @Test
  void aCaseOfTheJdkWithoutATestIsFound() {
    var ids = everyId();
    ids.remove("L4");

    assertThat(ConformanceMap.problems(rows, ids)).containsExactly("L4 is named by no test");
  }

  @Test
  void idsAreReadFromDisplayNamesAlone() {
    String source =
        """
        // EXC-01 in a comment
        @Test
        @DisplayName("CAN-01, CAN-19: a request is counted")
        void one() { call("EXC-02"); }

        @DisplayName(
            "L4: a failing finally, "
                + "NRX-10 is \\"reported\\" (UTF-8, SHA-1)")
        void two() {}
        """;

    assertThat(ConformanceMap.namedBy(source)).containsExactly("CAN-01", "CAN-19", "L4", "NRX-10");
  }

  /** The problems after one row was changed, if every other covered row were named by a test. */
  private static List<String> after(String id, UnaryOperator<Row> change) {
    List<Row> changed =
        rows.stream().map(row -> row.id().equals(id) ? change.apply(row) : row).toList();
    var ids = everyId();
    ids.remove(id);
    return ConformanceMap.problems(changed, ids);
  }

  private static Set<String> everyId() {
    var ids = new TreeSet<String>();
    rows.forEach(row -> ids.add(row.id()));
    for (int number = 1; number <= 18; number++) {
      ids.add("L" + number);
    }
    return ids;
  }
}
