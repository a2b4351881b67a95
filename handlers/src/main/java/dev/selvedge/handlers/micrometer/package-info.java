/**
 * Meters of loops, and carriers of what a thread knows. Micrometer, its context propagation and
 * SLF4J are optional dependencies: each class names what it needs.
 */
@NullMarked
package dev.selvedge.handlers.micrometer;

import org.jspecify.annotations.NullMarked;
