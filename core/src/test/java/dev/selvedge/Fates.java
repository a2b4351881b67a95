package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** Remembers what became of each failure. */
final class Fates implements LoopListener {
  private final Map<Throwable, List<String>> all =
      Collections.synchronizedMap(new IdentityHashMap<>());

  private void add(Throwable failure, String fate) {
    all.computeIfAbsent(failure, _ -> new CopyOnWriteArrayList<>()).add(fate);
  }

  @Override
  public void awaited(Task<?, ?> task, Throwable exception) {
    add(exception, "awaited");
  }

  @Override
  public void suppressed(Task<?, ?> task, Throwable exception) {
    add(exception, "suppressed");
  }

  @Override
  public void tolerated(Task<?, ?> task, Throwable exception) {
    add(exception, "tolerated");
  }

  @Override
  public void orphaned(Task<?, ?> task, Throwable exception) {
    add(exception, "orphaned");
  }

  List<String> of(Throwable failure) {
    return all.getOrDefault(failure, List.of());
  }

  /** Each of these failures, and no other, had one fate; then all are forgotten. */
  void assertOnce(Collection<? extends Throwable> failures) {
    for (Throwable failure : failures) {
      assertThat(of(failure)).as("fates of %s", failure).hasSize(1);
    }
    assertThat(all).as("failures").hasSize(failures.size());
    all.clear();
  }
}
