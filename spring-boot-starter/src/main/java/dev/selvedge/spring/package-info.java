/**
 * Selvedge in a Spring Boot application: a {@link dev.selvedge.Loop} to inject, whose failures,
 * meters, context and end are taken care of.
 */
@NullMarked
package dev.selvedge.spring;

import org.jspecify.annotations.NullMarked;
