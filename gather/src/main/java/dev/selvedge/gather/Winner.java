package dev.selvedge.gather;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Gather#winner} returns: the first success, and what was tolerated for it.
 *
 * @param <T> the type of the value
 * @param value the value
 * @param index which of the bodies returned it, counted from zero
 * @param tolerated the failures of the others, in the order of the bodies; unmodifiable
 * @since 0.1.0
 */
public record Winner<T extends @Nullable Object>(T value, int index, List<Throwable> tolerated) {}
