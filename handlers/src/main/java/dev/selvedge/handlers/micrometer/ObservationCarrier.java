package dev.selvedge.handlers.micrometer;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Body;
import dev.selvedge.ContextCarrier;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import org.jspecify.annotations.Nullable;

/**
 * Gives a task the Micrometer context of the thread that forks it: the current observation, and
 * with it the span, and whatever else has a {@code ThreadLocalAccessor}. So the spans of a gather's
 * children are below that of its caller. Needs Micrometer's {@code context-propagation}, and {@code
 * micrometer-observation} for observations.
 *
 * {@snippet file="dev/selvedge/handlers/micrometer/SamplesTest.java" region="observation"}
 *
 * <p>The logging context is a part of it if an accessor for it is registered, which is {@code
 * Slf4jThreadLocalAccessor}; without one, {@link MdcCarrier} carries it.
 *
 * <p>After the body the thread has what it had before. While the exception handler is called for a
 * failure, the context of the failed task is in place.
 *
 * <p><b>Failure:</b> what an accessor throws while it is read comes out of the fork; what it throws
 * later is the failure of the task.
 *
 * @since 0.1.0
 */
public final class ObservationCarrier implements ContextCarrier {
  private final ContextSnapshotFactory snapshots;

  private ObservationCarrier(ContextSnapshotFactory snapshots) {
    this.snapshots = snapshots;
  }

  /**
   * Carries what is registered with {@code ContextRegistry.getInstance()}.
   *
   * @return a new carrier
   */
  public static ObservationCarrier create() {
    return create(ContextSnapshotFactory.builder().build());
  }

  /**
   * Carries what a factory takes: that of another registry, or a choice of keys.
   *
   * @param snapshots makes the snapshot at each fork
   * @return a new carrier
   */
  public static ObservationCarrier create(ContextSnapshotFactory snapshots) {
    return new ObservationCarrier(requireNonNull(snapshots, "snapshots"));
  }

  @Override
  @SuppressWarnings("try") // the scope is there to be closed
  public <T extends @Nullable Object, X extends Exception> Body<T, X> carry(Body<T, X> body) {
    ContextSnapshot snapshot = snapshots.captureAll();
    return () -> {
      try (ContextSnapshot.Scope scope = snapshot.setThreadLocals()) {
        return body.call();
      }
    };
  }
}
