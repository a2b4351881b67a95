package dev.selvedge.gather;

/**
 * One run of what {@link Every} repeats.
 *
 * @param number how many ran before
 * @param missed how many times passed since the one before, because that took too long; they are
 *     not made up for
 * @since 0.1.0
 */
public record Tick(long number, long missed) {}
