package dev.selvedge.gather;

/**
 * Which run of a periodic action this is.
 *
 * @param number how many ran before it
 * @param missed how many fell out directly before it, because the last one took too long; always
 *     zero with a fixed delay
 * @see Every
 * @since 0.1.0
 */
public record Tick(long number, long missed) {}
