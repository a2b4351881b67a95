/**
 * Small real programs with Selvedge. The first is {@link dev.selvedge.examples.Demo}, which {@code
 * ./demo} runs: it checks every file of a tree against the SHA-1 beside it. Begin reading at {@link
 * dev.selvedge.examples.TreeCheck}, where its tasks are.
 */
@NullMarked
package dev.selvedge.examples;

import org.jspecify.annotations.NullMarked;
