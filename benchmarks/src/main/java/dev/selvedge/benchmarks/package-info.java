/** Measurements against plain threads and other libraries. Nothing is here yet. */
@NullMarked
package dev.selvedge.benchmarks;

import org.jspecify.annotations.NullMarked;
