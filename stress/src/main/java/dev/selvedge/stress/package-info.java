/** Sweeps and stress tests. Nothing is here yet but the script that repeats core's races. */
@NullMarked
package dev.selvedge.stress;

import org.jspecify.annotations.NullMarked;
