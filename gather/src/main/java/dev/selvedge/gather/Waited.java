package dev.selvedge.gather;

import dev.selvedge.Task;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Gather#waitUntil} returns. Both sets are unmodifiable and in the order of the call.
 *
 * @param <T> the type of the values
 * @param <X> the checked exception of the tasks
 * @param done the tasks that are done; none of their failures counts as retrieved
 * @param pending those that are not
 * @since 0.1.0
 */
public record Waited<T extends @Nullable Object, X extends Exception>(
    Set<Task<T, X>> done, Set<Task<T, X>> pending) {}
