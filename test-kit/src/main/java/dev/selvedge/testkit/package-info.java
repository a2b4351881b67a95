/**
 * Tools for testing code that uses Selvedge: a {@linkplain dev.selvedge.testkit.SelvedgeExtension
 * JUnit 5 extension} that gives each test its own loop and fails it for what it leaves behind, a
 * {@linkplain dev.selvedge.testkit.ManualClock clock} that is moved instead of waited for, a
 * {@linkplain dev.selvedge.testkit.Sequencer sequencer}, and {@linkplain
 * dev.selvedge.testkit.SelvedgeAssertions assertions}. All but the extension work without JUnit.
 */
@NullMarked
package dev.selvedge.testkit;

import org.jspecify.annotations.NullMarked;
