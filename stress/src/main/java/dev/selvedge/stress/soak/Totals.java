package dev.selvedge.stress.soak;

import dev.selvedge.stress.soak.Ledger.Account;
import dev.selvedge.stress.soak.Mark.Way;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/** What has become of all rounds so far. */
final class Totals {
  private long rounds;
  private long tasks;
  private long thrown;
  private final Map<Way, Long> arrived = new EnumMap<>(Way.class);

  synchronized void add(Account account) {
    rounds++;
    tasks += account.bodies();
    thrown += account.thrown();
    account.arrived().forEach((way, count) -> arrived.merge(way, count, Long::sum));
  }

  synchronized long tasks() {
    return tasks;
  }

  private long arrived(Way way) {
    return arrived.getOrDefault(way, 0L);
  }

  @Override
  public synchronized String toString() {
    return String.format(
        Locale.ROOT,
        "%,d tasks in %,d rounds; %,d thrown = %,d awaited + %,d suppressed + %,d tolerated"
            + " + %,d reported",
        tasks,
        rounds,
        thrown,
        arrived(Way.AWAITED),
        arrived(Way.SUPPRESSED),
        arrived(Way.TOLERATED),
        arrived(Way.REPORTED));
  }
}
