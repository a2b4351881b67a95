/** Tools for testing code that uses Selvedge. Nothing is here yet. */
@NullMarked
package dev.selvedge.testkit;

import org.jspecify.annotations.NullMarked;
