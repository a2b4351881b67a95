/**
 * Structured concurrency on virtual threads in which no failure is ever lost.
 *
 * <p>A {@link dev.selvedge.Task} stores its failure and re-throws the very same exception where it
 * is awaited. Every task has an owner: a {@link dev.selvedge.Loop} or a {@link
 * dev.selvedge.TaskScope}. A failure that nobody awaits reaches the loop's {@link
 * dev.selvedge.LoopExceptionHandler}.
 *
 * <p>A null argument is refused with a {@link NullPointerException} that names it, unless its type
 * is marked nullable.
 */
@NullMarked
package dev.selvedge;

import org.jspecify.annotations.NullMarked;
