package dev.selvedge;

import org.jspecify.annotations.Nullable;

/** A task that another thread than its owner's may have forked. */
final class ListedTask<T extends @Nullable Object, X extends Exception> extends TaskImpl<T, X> {
  /** Where it is {@link Listed}: written by its forker, and cleared by its thread at the end. */
  Listed.@Nullable Chunk chunk;

  int slot;

  ListedTask(Owner owner, @Nullable String name, Body<? extends T, ? extends X> body, int state) {
    super(owner, name, body, state);
  }
}
