/** Ready-made exception handlers. Nothing is here yet. */
@NullMarked
package dev.selvedge.handlers;

import org.jspecify.annotations.NullMarked;
