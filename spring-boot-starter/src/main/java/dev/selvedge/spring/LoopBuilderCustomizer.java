package dev.selvedge.spring;

import dev.selvedge.Loop;

/**
 * Changes the settings of every loop that is built from the {@link Loop.Builder} bean: the
 * application's own and those that it adds. Declare beans of it.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface LoopBuilderCustomizer {
  /**
   * Changes what the properties have set.
   *
   * @param builder the settings
   */
  void customize(Loop.Builder builder);
}
