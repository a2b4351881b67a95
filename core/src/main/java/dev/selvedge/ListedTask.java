package dev.selvedge;

import org.jspecify.annotations.Nullable;

/** A task that is a node in the list of its owner, from which it can be taken out at any time. */
final class ListedTask<T extends @Nullable Object, X extends Exception> extends TaskImpl<T, X> {
  // Guarded by the owner.
  @Nullable ListedTask<?, ?> previous;
  @Nullable ListedTask<?, ?> next;

  ListedTask(Owner owner, @Nullable String name, Body<? extends T, ? extends X> body, int state) {
    super(owner, name, body, state);
  }
}
