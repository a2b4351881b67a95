/**
 * The soak: random trees of tasks whose bodies misbehave, and a ledger beside them that counts what
 * was thrown and what arrived. {@link Soak} is the program, {@link Plan} what a tree may be made
 * of.
 */
@NullMarked
package dev.selvedge.stress.soak;

import org.jspecify.annotations.NullMarked;
