/**
 * Ready-made exception handlers: what to do with a failure that nobody awaits. Each does one thing;
 * {@link dev.selvedge.handlers.Handlers} puts them together.
 *
 * <p>SLF4J is needed by {@link dev.selvedge.handlers.Handlers#slf4j} alone, Jackson by {@link
 * dev.selvedge.handlers.Journal} alone; a program that uses neither need not have them. Meters and
 * context carriers are in {@link dev.selvedge.handlers.micrometer}.
 */
@NullMarked
package dev.selvedge.handlers;

import org.jspecify.annotations.NullMarked;
