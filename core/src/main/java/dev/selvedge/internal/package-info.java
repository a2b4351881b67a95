/** What the test kit sees of core beyond its public API; exported to nobody else. */
@NullMarked
package dev.selvedge.internal;

import org.jspecify.annotations.NullMarked;
