package dev.selvedge.benchmarks;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks the methods of a probe, one for each peer: they take a size and return measures by name,
 * the one that matters first, less of which is better.
 *
 * <p>A probe measures what the average of one operation after another does not tell: latencies
 * between two points, percentiles, the memory of what waits. It runs in a JVM of its own.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Measured {}
