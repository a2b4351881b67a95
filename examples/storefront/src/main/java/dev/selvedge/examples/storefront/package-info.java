/**
 * A shop's product pages: a Spring Boot service with background work, several backends, and a
 * deadline.
 */
@NullMarked
package dev.selvedge.examples.storefront;

import org.jspecify.annotations.NullMarked;
