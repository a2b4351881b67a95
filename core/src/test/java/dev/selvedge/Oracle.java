package dev.selvedge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Asserts after every test that it left nothing behind: no live task, no open scope, no unread
 * failure, no armed timer, no handler of the default loop, no interrupt flag.
 */
public final class Oracle implements BeforeEachCallback, AfterEachCallback {
  private static final Duration LIMIT = Duration.ofSeconds(5);

  private static final boolean MUTATED = Boolean.getBoolean("selvedge.mutated");

  static {
    // For every await() of the suite: the defaults wait a tenth of a second each time.
    Awaitility.setDefaultPollDelay(Duration.ZERO);
    Awaitility.setDefaultPollInterval(Duration.ofMillis(2));
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    assertThat(Thread.currentThread().isInterrupted()).as("interrupt flag before").isFalse();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    boolean interrupted = Thread.interrupted();
    if (MUTATED && context.getExecutionException().isPresent()) {
      return; // It is killed, and nobody reads why.
    }
    assertThat(interrupted).as("interrupt flag left behind").isFalse();
    if (!somethingLeft()) {
      return;
    }
    assertThat(Strand.foreignScopes()).as("open scopes outside of tasks").isEmpty();
    settled().untilAsserted(() -> assertThat(live()).as("live tasks").isEmpty());
    settled()
        .untilAsserted(() ->
            assertThat(Orphans.unread())
                .as("unread failures")
                .extracting(f -> f.exception)
                .isEmpty());
    settled().untilAsserted(() -> assertThat(Timers.armed()).as("armed timers").isZero());
    assertThat(Loop.defaultLoop().getExceptionHandler()).as("default handler").isEmpty();
  }

  /** Whether the next test would fail for what this JVM still holds. */
  static boolean somethingLeft() {
    return !Strand.foreignScopes().isEmpty()
        || !live().isEmpty()
        || !Orphans.unread().isEmpty()
        || Timers.armed() != 0
        || Loop.defaultLoop().getExceptionHandler().isPresent();
  }

  private static ConditionFactory settled() {
    return await().atMost(LIMIT);
  }

  private static List<Object> live() {
    var live = new ArrayList<Object>();
    for (Loop loop : Loop.all()) {
      live.addAll(loop.unendedTasks());
      live.addAll(loop.allTasks());
    }
    return live;
  }
}
