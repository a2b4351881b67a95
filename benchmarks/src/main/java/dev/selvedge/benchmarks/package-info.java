/**
 * Measurements against plain threads and other libraries: {@code benchmarks/run}. Each benchmark
 * class is one question, each of its methods one peer's answer to it.
 */
@NullMarked
package dev.selvedge.benchmarks;

import org.jspecify.annotations.NullMarked;
