package dev.selvedge.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.selvedge.LoopClock;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class HealthTest extends HandlerFixture {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration MINUTE = Duration.ofMinutes(1);

  @Test
  @DisplayName("down after a failure, up again after the quiet time, to the nanosecond")
  void oneFailure() {
    Health health = Health.create(1, MINUTE, MINUTE, clock);
    Instant start = clock.instant();
    assertThat(health.status()).isEqualTo(new Health.Status(true, start, 0, null));
    loop.setExceptionHandler(health);
    var failure = new IOException("lost");

    clock.advance(SECOND);
    fail("a", failure);

    assertThat(health.status()).isEqualTo(new Health.Status(false, start.plus(SECOND), 1, failure));
    clock.advance(MINUTE.minusNanos(1));
    assertThat(health.isUp()).isFalse();
    clock.advance(Duration.ofNanos(1));
    assertThat(health.status())
        .isEqualTo(new Health.Status(true, start.plus(SECOND).plus(MINUTE), 1, failure));
    assertThat(health).hasToString("Health[up since 2000-01-01T00:01:01Z, failures: 1]");
  }

  @Test
  @DisplayName("the quiet time begins again with each failure")
  void notQuiet() {
    Health health = Health.create(1, MINUTE, MINUTE, clock);
    Instant start = clock.instant();
    health.handle(loop, failure("a"));
    clock.advance(MINUTE.minusNanos(1));
    health.handle(loop, failure("b"));
    clock.advance(MINUTE.minusNanos(1));
    assertThat(health.status().up()).isFalse();
    assertThat(health.status().since()).isEqualTo(start);
    clock.advance(Duration.ofNanos(1));
    assertThat(health.isUp()).isTrue();
    assertThat(health.status().failures()).isEqualTo(2);
  }

  @Test
  @DisplayName("setting the time of day neither ends nor prolongs the quiet time")
  void timeOfDay() {
    var day = new AtomicReference<>(clock.instant());
    LoopClock adjusted =
        new LoopClock() {
          @Override
          public long nanoTime() {
            return clock.nanoTime();
          }

          @Override
          public Instant instant() {
            return day.get();
          }

          @Override
          public Alarm schedule(Runnable action, Duration delay) {
            return clock.schedule(action, delay);
          }
        };
    Health health = Health.create(1, MINUTE, MINUTE, adjusted);
    health.handle(loop, failure("a"));
    day.updateAndGet(now -> now.plus(Duration.ofDays(1)));
    assertThat(health.isUp()).isFalse();
    day.updateAndGet(now -> now.minus(Duration.ofDays(2)));
    clock.advance(MINUTE);
    assertThat(health.isUp()).isTrue();
  }

  @Test
  @DisplayName("three within the window bring it down; if the first is older they do not")
  void severalFailures() {
    Health health = Health.create(3, MINUTE, MINUTE, clock);
    health.handle(loop, failure("1"));
    health.handle(loop, failure("2"));
    clock.advance(MINUTE);
    health.handle(loop, failure("3"));
    assertThat(health.isUp()).isTrue();
    clock.advance(Duration.ofNanos(1));
    health.handle(loop, failure("4"));
    clock.advance(MINUTE.minusNanos(2));
    assertThat(health.isUp()).isTrue();
    health.handle(loop, failure("5"));
    assertThat(health.isUp()).isFalse();
  }

  @Test
  @DisplayName("those that brought it down count no more once it is up again")
  void startsAnew() {
    Health health = Health.create(2, Duration.ofHours(1), MINUTE, clock);
    health.handle(loop, failure("1"));
    health.handle(loop, failure("2"));
    clock.advance(MINUTE);
    health.handle(loop, failure("3"));
    assertThat(health.isUp()).isTrue();
    health.handle(loop, failure("4"));
    assertThat(health.isUp()).isFalse();
  }

  @Test
  @DisplayName("warnings do not count")
  void warnings() {
    Health health = Health.create(MINUTE);
    health.handle(loop, context(null));
    assertThat(health.isUp()).isTrue();
    assertThat(health.status().failures()).isZero();
  }

  @Test
  @DisplayName("numbers and times have to be positive")
  void badInput() {
    assertThatThrownBy(() -> Health.create(0, SECOND, SECOND))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("failures must be at least 1: 0");
    assertThatThrownBy(() -> Health.create(1, Duration.ZERO, SECOND))
        .hasMessage("window must be longer than zero: PT0S");
    assertThatThrownBy(() -> Health.create(SECOND.negated())).hasMessageContaining("PT-1S");
    assertThatThrownBy(() -> Health.create(null)).hasMessage("quiet");
    assertThatThrownBy(() -> Health.create(1, null, SECOND)).hasMessage("window");
    assertThatThrownBy(() -> Health.create(1, SECOND, SECOND, (LoopClock) null))
        .hasMessage("clock");
  }
}
