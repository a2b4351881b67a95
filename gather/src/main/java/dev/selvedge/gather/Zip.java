package dev.selvedge.gather;

import dev.selvedge.Body;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Bodies of different types as bodies of one; the signature of the verb vouches for the types. */
final class Zip {
  private Zip() {}

  /** Gathers; what is thrown is one of what the bodies declare. */
  @SuppressWarnings("unchecked")
  static <E extends Exception, X extends Exception> List<?> values(
      GatherOptions<E> options, Body<?, ?>... bodies) throws X, E, InterruptedException {
    return options.<@Nullable Object, X>gather((Body<?, X>[]) bodies);
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  static <T extends @Nullable Object> T at(List<?> values, int index) {
    return (T) values.get(index);
  }
}
