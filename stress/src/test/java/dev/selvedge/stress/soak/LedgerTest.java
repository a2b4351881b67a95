package dev.selvedge.stress.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.ExceptionContext;
import dev.selvedge.stress.soak.Ledger.Account;
import dev.selvedge.stress.soak.Mark.Way;
import dev.selvedge.stress.soak.Plan.Kind;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private final Frame loop = Frame.loop(null, Frame.EVERYTHING);
  private final Frame tree = loop.root(0, "tree 0");
  private final Ledger ledger = new Ledger(loop, false);

  private void report(Throwable failure) {
    ledger.reported(new ExceptionContext("never retrieved", failure, null, Map.of()));
  }

  @Test
  @DisplayName("what is taken has arrived, and so has what is suppressed in it")
  void takenWithWhatIsSuppressed() {
    Throwable first = ledger.thrown(Kind.CHECKED, tree);
    first.addSuppressed(ledger.thrown(Kind.ERROR, tree));

    ledger.taken(first);

    Account account = ledger.settle();
    assertThat(account.violations()).isEmpty();
    assertThat(account.arrived()).isEqualTo(Map.of(Way.AWAITED, 1L, Way.SUPPRESSED, 1L));
  }

  @Test
  @DisplayName("what has not arrived is lost, and its tree is named")
  void lost() {
    ledger.thrown(Kind.CHECKED, tree);

    Account account = ledger.settle();

    assertThat(account.violations()).singleElement().asString().startsWith("lost: #");
    assertThat(account.trees()).containsExactly(0);
  }

  @Test
  @DisplayName("two reports of one failure are a violation")
  void reportedTwice() {
    Throwable failure = ledger.thrown(Kind.UNCHECKED, tree);

    report(failure);
    report(failure);

    assertThat(ledger.settle().violations())
        .singleElement()
        .asString()
        .startsWith("reported 2 times");
  }

  @Test
  @DisplayName("a report of what somebody has taken is a violation")
  void reportedAndTaken() {
    Throwable failure = ledger.thrown(Kind.UNCHECKED, tree);

    ledger.taken(failure);
    report(failure);

    assertThat(ledger.settle().violations())
        .singleElement()
        .asString()
        .startsWith("reported, and arrived otherwise");
  }

  @Test
  @DisplayName("what nobody has thrown may not come out")
  void strange() {
    ledger.taken(new IllegalStateException("would wait for ever"));

    assertThat(ledger.settle().violations())
        .singleElement()
        .asString()
        .startsWith("nobody has thrown this");
  }

  @Test
  @DisplayName("an owner that returns while a body beneath runs is a violation")
  void returnsEarly() {
    Frame owner = tree.owner("scope", true);
    Frame child = owner.inside("child");
    ledger.begins(child);

    ledger.closed(owner);

    assertThat(ledger.settle().violations())
        .singleElement()
        .asString()
        .startsWith("returned while");
  }
}
