/** Auto-configuration for Spring Boot. Nothing is here yet. */
@NullMarked
package dev.selvedge.spring;

import org.jspecify.annotations.NullMarked;
