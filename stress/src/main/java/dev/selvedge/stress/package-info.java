/**
 * What takes long, or measures a JVM as a whole: sweeps, soaks, memory and allocation, as tests of
 * this module; and the script that repeats core's races.
 */
@NullMarked
package dev.selvedge.stress;

import org.jspecify.annotations.NullMarked;
