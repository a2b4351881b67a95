package dev.selvedge;

import org.jspecify.annotations.Nullable;

/**
 * Something that can be open in a {@link Strand}, linked to what encloses it there. A loop is an
 * owner and therefore a frame, but is never open in a strand.
 */
abstract sealed class Frame permits Live, CancelScope, Strand.Shield {
  /** Written once, when it is pushed; guarded by the strand. */
  @Nullable Frame enclosing;
}
